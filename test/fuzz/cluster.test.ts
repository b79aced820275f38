/** What other fuzzers load: one module a target, that takes what Jazzer.js gives it. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetBundle } from "../../fuzz/campaign/bundle.js";
import { writeEntryPoints, writeInputs } from "../../fuzz/cluster/entry-points.js";
import { targets } from "../../fuzz/targets/index.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("entry points for other fuzzers");

test("every target has a module, and it runs its first inputs", () => {
  inTemporaryFolder((folder) => {
    const require = createRequire(import.meta.url);
    const [entries, out] = [join(folder, "entries"), join(folder, "out")];
    writeEntryPoints(entries, targetBundle());
    writeInputs(out);
    for (const { name } of targets) {
      const { fuzz } = require(join(entries, `${name}.js`)) as { fuzz(data: Buffer): void };
      const seeds = readdirSync(join(out, "seeds", name)).sort();
      assert.ok(seeds.length > 0, `${name} has a seed`);
      for (const seed of seeds.slice(0, 2)) fuzz(readFileSync(join(out, "seeds", name, seed)));
    }
  });
});

test("a dictionary is in libFuzzer's form", () => {
  inTemporaryFolder((folder) => {
    writeInputs(folder);
    const dictionaries = readdirSync(folder).filter((name) => name.endsWith(".dict"));
    assert.ok(dictionaries.includes("format-page.dict"));
    for (const name of dictionaries)
      for (const line of readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
        assert.match(line, /^"(\\x[0-9a-f]{2})+"$/, `${name}: ${line}`);
  });
});

test.run();
