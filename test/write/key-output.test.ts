/** The keys of a written store are in nothing that any command prints, however it is asked. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runProgram } from "../../src/cli/program.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("keys of a store in output");
/** What every key of a scenario begins with, repeated to its end. */
const KEK = "KEK 1.";
const forms = [KEK, ...["hex", "base64"].map((encoding) => Buffer.from(KEK).toString(encoding as "hex"))].map(
  (form) => form.toLowerCase().slice(0, 8),
);

const unlimited = (): PassThrough => new PassThrough({ highWaterMark: 2 ** 26 });

async function outputOf(...args: string[]): Promise<string> {
  const [stdin, stdout, stderr] = [new PassThrough(), unlimited(), unlimited()];
  await runProgram(args, "0.0.0", { stdin, stdout, stderr, env: {} } as never);
  return `${stdout.read() ?? ""}${stderr.read() ?? ""}`;
}

test("every command on a forged store", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const store = join(folder, "store");
    const lines = join(folder, "lines");
    const runs = [
      ["forge", "provider-error", "--output", store],
      ["forge", "rotation-checkpoint", "--output", lines, "--layout", "jsonl", "--json"],
      ...[store, lines].flatMap((path) => [
        ...["--json", "--jsonl", "--sarif", "--html"].map((form) => [
          "verify",
          path,
          form,
          "-k",
          "--all-checkpoints",
        ]),
        ["list", path, "--json"],
        ["tree", path, "accounts"],
        ["dump", path, "accounts", "--json"],
        ["dump", path, "file:WiredTigerShared.wt_stable"],
        ["chain", path, "26", "1"],
        ["chain", path, "26", "1", "--json", "-u"],
        ["chain", path, "2", "1", "--json", "-u"],
        ["dump", path, "26"],
        ["replace", path, "--all", "--output", `${path}.new`, "--json"],
        ["replace", path, "--table", "26", "--page", "1", "--output", `${path}.none`],
      ]),
    ];
    let bytes = 0;
    for (const args of runs) {
      const text = await outputOf(...args);
      bytes += text.length;
      const found = forms.find((form) => text.toLowerCase().includes(form));
      assert.is(found, undefined, args.join(" "));
    }
    assert.ok(bytes > 20_000, "there is output");
    const home = join(store, "kv_home");
    const stored = readdirSync(home).filter((name) => readFileSync(join(home, name)).includes(KEK));
    assert.ok(stored.length > 0, "a key that would be found is there");
  });
});

test.run();
