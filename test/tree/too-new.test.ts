/** Commands that read trees, on stores and parts of generations too new: one line, and the exit code that says so. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { descriptionBlock } from "../../formats/description-block.js";
import { runProgram } from "../../src/cli/program.js";
import { crc32c } from "../../src/codec/crc32c.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("trees of generations too new");
const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
test.after(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string[] }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await runProgram(args, "0.0.0", { stdin, stdout, stderr, env: {} } as never);
  stdout.end();
  stderr.end();
  return { code, out: await out, err: (await err).split("\n").filter((line) => line.startsWith("pugmark:")) };
}

let copies = 0;
function copy(from: string, edit: (home: string) => void): string {
  const home = join(folder, String(++copies));
  cpSync(from, home, { recursive: true });
  edit(home);
  return home;
}

/** A home in which one file's description block is of another version. */
const homeWith = (file: string): string =>
  copy(corpusPath("corrupt-classic", "orig"), (home) => {
    const bytes = new Uint8Array(readFileSync(join(home, file)));
    bytes.set(descriptionBlock.build({ magic: 120897, major: 9, minor: 0, unused: 0, tail: 4080 } as never));
    writeFileSync(join(home, file), bytes);
  });

const newerRelease = (): string =>
  copy(corpusPath("corrupt-classic", "orig"), (home) => {
    for (const name of ["WiredTiger.turtle", "WiredTiger"]) {
      const newer = readFileSync(join(home, name), "latin1")
        .replace(/major=\d+,minor=\d+,patch=\d+/, "major=99,minor=0,patch=0")
        .replace(/WiredTiger \d+\.\d+\.\d+/g, "WiredTiger 99.0.0");
      writeFileSync(join(home, name), newer, "latin1");
    }
  });

type Line = Record<string, string | number>;
function editLines(path: string, edit: (line: Line, isLast: boolean) => void): void {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const edited = lines.map((line, at) => {
    const value = JSON.parse(line) as Line;
    edit(value, at === lines.length - 1);
    return JSON.stringify(value);
  });
  writeFileSync(path, `${edited.join("\n")}\n`);
}

/** Both forms the export has it in. */
function setMetadata(line: Line, metadata: string): void {
  line.metadata = metadata;
  line.metadata_hex = Buffer.from(metadata).toString("hex");
}

const NEWER = ",version=9,compatible_version=9";
const TURTLE_LSN = 166;

/** palm/a_small whose newest checkpoint record asks for a newer reader. */
const newerRecord = (): string =>
  copy(corpusPath("palm", "a_small", "export"), (home) =>
    editLines(join(home, "checkpoints.jsonl"), (line, isLast) => {
      if (isLast) setMetadata(line, `${line.metadata}${NEWER}`);
    }),
  );

/** The same with such a turtle page. */
const newerTurtle = (): string =>
  copy(corpusPath("palm", "a_small", "export"), (home) => {
    let checksum = 0;
    editLines(join(home, "pages.jsonl"), (line) => {
      if (line.table_id !== 1 || line.lsn !== TURTLE_LSN) return;
      const [checkpoint, time] = Buffer.from(line.data_hex as string, "hex")
        .toString()
        .split("\n");
      const data = Buffer.from(`version=9,compatible_version=9,\ncheckpoint=${checkpoint},\n${time}`);
      checksum = crc32c(data);
      line.data_hex = data.toString("hex");
    });
    assert.ok(checksum !== 0);
    editLines(join(home, "checkpoints.jsonl"), (line, isLast) => {
      if (isLast) setMetadata(line, `metadata_lsn=${TURTLE_LSN},metadata_checksum=${checksum.toString(16)}`);
    });
  });

async function refused(...args: string[]): Promise<void> {
  const { code, out, err } = await run(...args);
  assert.is(code, 3, `${args[0]}: ${err.join("\n")}`);
  assert.is(err.length, 1, err.join("\n"));
  assert.match(err[0] as string, /too new|of version 9/);
  assert.is(out, "");
}

test("a classic home of a release too new, or whose metadata is", async () => {
  for (const home of [newerRelease(), homeWith("WiredTiger.wt")]) {
    await refused("list", home);
    await refused("dump", home, "c");
    await refused("dump", home, "c", "--partial");
    await refused("tree", home, "c");
  }
});

test("one table of a home: it is listed, and the others can be read", async () => {
  const home = homeWith("c.wt");
  assert.is((await run("list", home)).code, 0);
  await refused("dump", home, "c");
  await refused("tree", home, "c");
  assert.is((await run("dump", home, "file:WiredTiger.wt")).code, 0);
});

test("a lone file", async () => {
  const file = join(homeWith("c.wt"), "c.wt");
  await refused("list", file);
  await refused("dump", file, "c");
  await refused("tree", file, "c");
});

test("a version that the checksum does not fit is damage", async () => {
  const { code } = await run("dump", corpusPath("corrupt-classic", "desc_version", "db"), "c");
  assert.is(code, 1);
});

test("the newest checkpoint of a page log: older ones can be read", async () => {
  for (const store of [newerRecord(), newerTurtle()]) {
    await refused("list", store);
    await refused("dump", store, "small");
    await refused("tree", store, "small");
    await refused("chain", store, "small", "128");
    const older = await run("dump", store, "small", "--checkpoint", "3");
    assert.is(older.code, 0, older.err.join("\n"));
    assert.ok(older.out.length > 0);
  }
});

test.run();
