/** Damage the real engine refuses and that we once let pass: overflow pages, header bits, turtle text, empty metadata. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLASSIC_BLOCK } from "../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes } from "../../formats/page-header.js";
import { SoundHome } from "../../fuzz/damage/classic-home.js";
import { checksumOf, sealUpwards } from "../../fuzz/damage/reseal.js";
import { deflateImage } from "../../src/page/transform/index.js";
import { ClassicBlock } from "../../src/verify/classic/block.js";
import { classicHeader } from "../../src/verify/rules/block/classic-header.js";
import { verify } from "../../src/verify/verify.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("what the engine refuses");
const TABLE = "row.wt";
const SIZE = 4096;
const ITEM = 77;

/** An overflow page with one item. */
function overflowPage(): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(PAGE_HEADER.at.memSize, CLASSIC_BLOCK.payload + ITEM, true);
  view.setUint32(PAGE_HEADER.at.entries, ITEM, true);
  view.setUint32(CLASSIC_BLOCK.diskSize, SIZE, true);
  bytes[PAGE_HEADER.at.type] = pageTypes.overflow;
  bytes.fill(0x61, CLASSIC_BLOCK.payload, CLASSIC_BLOCK.payload + ITEM);
  return bytes;
}

/** Fields of the rule's errors. */
function errorsOf(bytes: Uint8Array): string[] {
  const block = new ClassicBlock("t.wt", undefined, SIZE).set(bytes, SIZE, SIZE, 0, "overflow");
  const fields: string[] = [];
  classicHeader.check(block, ({ severity = "error", field }) => {
    if (severity === "error") fields.push(String(field));
  });
  return fields;
}

test("an overflow page holds exactly its item", () => {
  assert.equal(errorsOf(overflowPage()), []);
  const damages: ReadonlyArray<readonly [field: string, at: number, value: number]> = [
    ["entries", PAGE_HEADER.at.entries, 0],
    ["entries", PAGE_HEADER.at.entries, ITEM + 1],
    ["entries", PAGE_HEADER.at.memSize, CLASSIC_BLOCK.payload + ITEM + 5],
    ["recno", PAGE_HEADER.at.recno, 1],
    ["flags", PAGE_HEADER.at.flags, pageFlags.fastTruncate],
    ["flags", PAGE_HEADER.at.flags, 0x40],
    ["flags", PAGE_HEADER.at.flags, pageFlags.emptyValuesAll],
    ["reserved", PAGE_HEADER.at.reserved, 1],
  ];
  for (const [field, at, value] of damages) {
    const bytes = overflowPage();
    bytes[at] = value;
    assert.ok(errorsOf(bytes).includes(field), `${field} ${value}: ${errorsOf(bytes)}`);
  }
});

const replaced = (bytes: Buffer, from: string, to: string): Buffer =>
  Buffer.from(bytes.toString("latin1").replace(from, to), "latin1");

for (const [what, change] of [
  ["a byte that is no text", (bytes: Buffer) => bytes.fill(0xf3, bytes.length - 40, bytes.length - 39)],
  ["no end", (bytes: Buffer) => bytes.subarray(0, -1)],
  ["no format of keys", (bytes: Buffer) => replaced(bytes, ",key_format=S", ",key_fo")],
  ["another format of values", (bytes: Buffer) => replaced(bytes, "value_format=S", "value_format=u")],
] as const)
  test(`a turtle file with ${what} is damaged`, async () => {
    await inTemporaryFolderAsync(async (folder) => {
      cpSync(corpusPath("tiny"), folder, { recursive: true });
      const turtle = join(folder, "WiredTiger.turtle");
      writeFileSync(turtle, change(readFileSync(turtle)));
      const { findings } = await verify([folder]);
      assert.ok(findings.some(({ code, severity }) => code === "turtle-file" && severity === "error"));
    });
  });

/** The home `tiny` in `folder`, blocks of one file changed and sealed up to the turtle file. */
function tinyWith(folder: string, name: string, change: (block: Uint8Array) => Uint8Array | undefined): void {
  const sound = SoundHome.ofCorpus("tiny");
  const parts = sound.parts.map((part) => ({ ...part }));
  for (const part of parts.filter(({ file, kind }) => file === name && kind === "block")) {
    const before = checksumOf(part);
    const bytes = change(part.bytes.slice());
    if (bytes === undefined) continue;
    part.bytes = bytes;
    sealUpwards(parts, part, before ?? 0, 16);
  }
  cpSync(corpusPath("tiny"), folder, { recursive: true });
  for (const { file, bytes, offset, kind } of parts) {
    const path = join(folder, file);
    const whole = readFileSync(path);
    if (kind === "block") whole.set(bytes, offset);
    writeFileSync(path, kind === "block" ? whole : bytes);
  }
}

test("a metadata row that is no text is damaged, whatever its checksums say", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    tinyWith(folder, "WiredTiger.wt", (block) => {
      const at = Buffer.from(block).indexOf("collator=");
      if (at < 0) return undefined;
      block[at] = 0xf0;
      return block;
    });
    const { findings } = await verify([folder]);
    assert.ok(findings.some(({ code }) => code === "metadata-incomplete"));
    assert.not(findings.some(({ code }) => code === "block-checksum"));
  });
});

for (const [what, text, damaged, code] of [
  ["a URI without its NUL", "table:row\0", "table:rowx", "metadata-row-config"],
  [
    "a log position that is none",
    "(4294967295,2147483647)",
    "(4294u67295,2147483647)",
    "metadata-row-config",
  ],
  ["a table's row of another name", "table:row\0", "tabld:row\0", "metadata-table"],
  ["a file's row of another name", "file:row.wt\0", "filf:row.wt\0", "metadata-uri"],
] as const)
  test(`metadata with ${what}`, async () => {
    await inTemporaryFolderAsync(async (folder) => {
      tinyWith(folder, "WiredTiger.wt", (block) => {
        const at = Buffer.from(block).indexOf(text);
        if (at < 0) return undefined;
        block.set(Buffer.from(damaged), at);
        return block;
      });
      const { findings } = await verify([folder]);
      assert.ok(findings.some((finding) => finding.code === code && finding.severity === "error"));
    });
  });

test("a compressed page in a file without a compressor is damaged, though it can be inflated", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const { payload: combinedHeaderSize, diskSize } = CLASSIC_BLOCK;
    tinyWith(folder, TABLE, (block) => {
      if (block[PAGE_HEADER.at.type] !== pageTypes.rowLeaf) return undefined;
      const view = new DataView(block.buffer);
      const image = block.subarray(0, view.getUint32(PAGE_HEADER.at.memSize, true));
      const shape = { combinedHeaderSize, compressed: true, encrypted: false };
      const stored = deflateImage(image, shape, { compressor: "snappy" });
      assert.ok(stored.length <= view.getUint32(diskSize, true));
      const compressed = new Uint8Array(block.length);
      compressed.set(stored);
      compressed[PAGE_HEADER.at.flags] = (block[PAGE_HEADER.at.flags] as number) | pageFlags.compressed;
      return compressed;
    });
    const errors = (await verify([folder])).findings.filter(({ severity }) => severity === "error");
    assert.equal([...new Set(errors.map(({ code, field }) => `${code} ${field}`))], ["block-header flags"]);
    // Whoever names a compressor, or has the file alone, is told what the bytes say.
    const named = await verify([folder], { compressor: "snappy" });
    const alone = await verify([join(folder, TABLE)]);
    assert.equal([named.summary.errors, alone.summary.errors], [0, 0]);
  });
});

test.run();
