/** Reading never writes: inputs look the same before and after, and nothing new lies beside them. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runProgram } from "../../src/cli/program.js";
import { crc32c } from "../../src/codec/index.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("inputs stay as they are");

const inputs = [
  ["palm", "a_small"],
  ["palm", "d_encrypt_rotn"],
  ["palm", "a_small", "export"],
  ["classic-12.0", "logged"],
  ["corrupt-classic", "leaf_body", "db"],
  ["corrupt-palm", "turtle_addr"],
  ["vectors"],
];

interface Seen {
  readonly size: number;
  readonly modified: bigint;
  readonly checksum: number;
}

/** Every entry below a folder, with its content. */
function snapshot(folder: string): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const { size, mtimeNs } = statSync(path, { bigint: true });
    const checksum = entry.isFile() ? crc32c(readFileSync(path)) : 0;
    seen.set(path, { size: Number(size), modified: mtimeNs, checksum });
  }
  return seen;
}

async function run(...args: string[]): Promise<void> {
  const sink = (): PassThrough => new PassThrough().resume();
  const streams = { stdin: Readable.from([]), stdout: sink(), stderr: sink(), env: {} };
  await runProgram(args, "0.0.0", streams);
}

for (const parts of inputs)
  test(parts.join("/"), async () => {
    const folder = mkdtempSync(join(tmpdir(), "pugmark-"));
    try {
      const input = join(folder, "input");
      cpSync(corpusPath(...parts), input, { recursive: true, preserveTimestamps: true });
      const before = snapshot(folder);
      await run("verify", "--json", input);
      await run("inspect", input);
      for (const [path] of before) if (statSync(path).isFile()) await run("inspect", "--limit", "3", path);
      assert.equal(snapshot(folder), before);
      assert.ok(before.size > 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

test.run();
