/** Damage the real engine refuses and that we once let pass: overflow pages, header bits, turtle text, empty metadata. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLASSIC_BLOCK } from "../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes } from "../../formats/page-header.js";
import { SoundHome } from "../../fuzz/damage/classic-home.js";
import { checksumOf, sealUpwards } from "../../fuzz/damage/reseal.js";
import { ClassicBlock } from "../../src/verify/classic/block.js";
import { classicHeader } from "../../src/verify/rules/block/classic-header.js";
import { verify } from "../../src/verify/verify.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("what the engine refuses");
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
    ["reserved", PAGE_HEADER.at.reserved, 1],
  ];
  for (const [field, at, value] of damages) {
    const bytes = overflowPage();
    bytes[at] = value;
    assert.ok(errorsOf(bytes).includes(field), `${field} ${value}: ${errorsOf(bytes)}`);
  }
});

for (const [what, change] of [
  ["a byte that is no text", (bytes: Buffer) => bytes.fill(0xf3, bytes.length - 40, bytes.length - 39)],
  ["no end", (bytes: Buffer) => bytes.subarray(0, -1)],
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

test("a metadata row that is no text is damaged, whatever its checksums say", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const sound = SoundHome.ofCorpus("tiny");
    const parts = sound.parts.map((part) => ({ ...part }));
    for (const part of parts.filter(({ file, kind }) => file === "WiredTiger.wt" && kind === "block")) {
      const at = Buffer.from(part.bytes).indexOf("collator=");
      if (at < 0) continue;
      const before = checksumOf(part);
      part.bytes = part.bytes.slice();
      part.bytes[at] = 0xf0;
      sealUpwards(parts, part, before ?? 0, 16);
    }
    cpSync(corpusPath("tiny"), folder, { recursive: true });
    for (const { file, bytes, offset, kind } of parts) {
      const path = join(folder, file);
      const whole = readFileSync(path);
      if (kind === "block") whole.set(bytes, offset);
      writeFileSync(path, kind === "block" ? whole : bytes);
    }
    const { findings } = await verify([folder]);
    assert.ok(findings.some(({ code }) => code === "metadata-incomplete"));
    assert.not(findings.some(({ code }) => code === "block-checksum"));
  });
});

test.run();
