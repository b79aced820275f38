/** The example of the README that writes a store, run as it stands there against the built package. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { repositoryRoot } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("README");

test("the example under Writing runs in a new project, and leaves a sound store", () =>
  inTemporaryFolder((project) => {
    const readme = readFileSync(join(repositoryRoot, "README.md"), "utf8");
    const example = /^## Writing\n\n```ts\n(.*?)^```/ms.exec(readme)?.[1] ?? "";
    mkdirSync(join(project, "node_modules"));
    symlinkSync(repositoryRoot, join(project, "node_modules", "pugmark"));
    writeFileSync(join(project, "example.mjs"), transformSync(example, { loader: "ts" }).code);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, args, { cwd: project, encoding: "utf8", timeout: 60_000 });
    const { status, stderr } = run("example.mjs");
    assert.is(stderr, "");
    assert.is(status, 0);
    assert.ok(existsSync(join(project, "store", "kv_home")));
    const program = join(repositoryRoot, "dist", "bin", "pugmark.js");
    assert.match(run(program, "verify", "store").stdout, /^SOUND: no errors; \d+ pages .* and 2 checkpoints/);
  }));

test.run();
