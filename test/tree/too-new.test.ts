/** Commands that read trees, on stores and parts of generations too new: one line, and the exit code that says so. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BLOCK_HEADER } from "../../formats/block-header.js";
import { descriptionBlock } from "../../formats/description-block.js";
import { PAGE_HEADER } from "../../formats/page-header.js";
import { runProgram } from "../../src/cli/program.js";
import { crc32c, crc32cWithZeroedField } from "../../src/codec/crc32c.js";
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

/** One record of palm/a_small that is sound and asks for a newer reader. */
const newerPage = (tableId: number, pageId: number, lsn: number): string =>
  copy(corpusPath("palm", "a_small", "export"), (home) =>
    editLines(join(home, "pages.jsonl"), (line) => {
      if (line.table_id !== tableId || line.page_id !== pageId || line.lsn !== lsn) return;
      const block = Buffer.from(line.data_hex as string, "hex");
      block[PAGE_HEADER.size + BLOCK_HEADER.version] = 9;
      block[PAGE_HEADER.size + BLOCK_HEADER.compatibleVersion] = 9;
      const field = PAGE_HEADER.size + BLOCK_HEADER.checksum;
      block.writeUInt32LE(crc32cWithZeroedField(block, 0, block.length, field) >>> 0, field);
      line.data_hex = block.toString("hex");
    }),
  );

test("a page of a page log: the others can be read, and no damage is claimed", async () => {
  const healthy = await run("dump", corpusPath("palm", "a_small", "export"), "small");
  const store = newerPage(41, 150, 142);
  for (const args of [
    ["dump", store, "small"],
    ["dump", store, "small", "--partial"],
    ["dump", store, "small", "--partial", "--format", "json"],
    ["tree", store, "small"],
    ["chain", store, "small", "150"],
  ]) {
    const { code, err, out } = await run(...args);
    assert.is(code, 3, `${args.join(" ")}: ${err.join("\n")}`);
    const said = args[0] === "chain" ? out : (err[0] as string);
    assert.match(said, /of a generation too new \(version 9\)/);
    assert.match(said, /LSN 142/);
    assert.not.match(err.join("\n"), "damaged");
  }
  const { err, out } = await run("dump", store, "small", "--partial");
  assert.match(err[0] as string, /page 150, .*; lost: keys from [0-9a-f]+ /);
  const rows = new Set(healthy.out.split("\n"));
  const left = out.split("\n");
  assert.ok(left.length > 1000 && left.length < rows.size && left.every((row) => rows.has(row)));
});

test("a page too new beside a damaged one: damage decides", async () => {
  const store = copy(newerPage(41, 150, 142), (home) =>
    editLines(join(home, "pages.jsonl"), (line) => {
      if (line.table_id !== 41 || line.page_id !== 101 || line.lsn !== 2) return;
      line.data_hex = `${(line.data_hex as string).slice(0, -2)}ee`;
    }),
  );
  assert.is((await run("dump", store, "small", "--partial")).code, 1);
  assert.is((await run("tree", store, "small")).code, 1);
});

/** Table, page and LSN of the roots of the newest checkpoint: of the table, and of the shared metadata. */
const NEWEST_ROOTS = [
  [41, 163, 163],
  [9, 107, 165],
] as const;

test("the root of a table, and of the metadata", async () => {
  for (const [tableId, pageId, lsn] of NEWEST_ROOTS) {
    const store = newerPage(tableId, pageId, lsn);
    assert.is((await run("dump", store, "small")).code, 3);
    assert.is((await run("tree", store, "small")).code, 3);
  }
});

test.run();
