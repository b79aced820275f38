import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blockHeader } from "../../formats/block-header.js";
import { type Page, page, replacementOf } from "../../formats/index.js";
import { bytesToHex, hexToBytes } from "../../src/codec/index.js";
import { installNodeCrc32c } from "../../src/platform/node-crc32c.js";
import { corpusPath } from "../support/corpus.js";
import { type CorpusBlock, classicBlocks, pageLogBlocks } from "../support/corpus-blocks.js";

const test = suite("whole pages");
test.before(() => {
  installNodeCrc32c();
});

/** Reads without an issue, and builds the same bytes. */
function roundTrip({ name, bytes }: Pick<CorpusBlock, "name" | "bytes">): Page {
  const reading = page.read(bytes);
  assert.equal(reading.issues, [], name);
  assert.ok(reading.ok, name);
  assert.is(Buffer.compare(page.build(reading.value), bytes), 0, `${name} is built as it was`);
  return reading.value;
}

/** Without its checksum the block is built with the right one. */
function checksumIsDerived(value: Page, bytes: Uint8Array, name: string): void {
  const { checksum: _, ...block } = value.block;
  const built = page.build({ ...value, block } as unknown as Page);
  assert.is(Buffer.compare(built, bytes), 0, `${name} gets its checksum`);
}

/** Without sizes and counts the block is built with the right ones; what is transformed keeps its own. */
function sizesAreDerived(value: Page, bytes: Uint8Array, name: string): void {
  if (value.stored !== undefined || ("bitmap" in value && value.bitmap !== undefined)) return;
  const { memSize: _, entries: __, ...header } = value.header;
  const { diskSize: ___, combinedHeaderSize: ____, ...block } = value.block as Record<string, unknown>;
  const built = page.build({ ...value, header, block } as unknown as Page);
  assert.is(Buffer.compare(built, bytes), 0, `${name} gets its sizes and counts`);
}

const tally = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

test("every sound block of the classic files", () => {
  const counts = new Map<string, number>();
  for (const block of classicBlocks()) {
    const value = roundTrip(block);
    assert.is(value.generation, "classic", block.name);
    checksumIsDerived(value, block.bytes, block.name);
    sizesAreDerived(value, block.bytes, block.name);
    tally(counts, `type ${value.header.type}`);
  }
  assert.equal(
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
    [
      ["type 1", 235],
      ["type 2", 3],
      ["type 3", 19],
      ["type 4", 19],
      ["type 5", 297],
      ["type 6", 93],
      ["type 7", 1054],
    ],
  );
});

test("every record of the page logs", () => {
  const counts = new Map<string, number>();
  for (const block of pageLogBlocks()) {
    const value = roundTrip(block);
    checksumIsDerived(value, block.bytes, block.name);
    tally(
      counts,
      `${value.generation} type ${value.header.type}${value.stored === undefined ? "" : " stored"}`,
    );
  }
  assert.equal(
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
    [
      ["D0 type 6", 372],
      ["D0 type 6 stored", 39],
      ["D0 type 7", 2011],
      ["D0 type 7 stored", 57],
      ["D0-delta type 6", 75],
      ["D0-delta type 7", 2919],
      ["D0-delta type 7 stored", 193],
    ],
  );
});

interface ExpectedBlock {
  readonly page_header: Record<string, string | number>;
  readonly block_header: Record<string, string | number>;
  readonly cells: ReadonlyArray<Record<string, unknown>>;
}

/** The blocks of a corruption dump's log: one chunk a line. */
function dumpedBlocks(file: string): Uint8Array[] {
  const lines = readFileSync(corpusPath("vectors", file), "utf8").trim().split("\n");
  return lines.map((line) => hexToBytes(line.slice(line.lastIndexOf("): ") + 3)));
}

test("the delta chain of a corruption dump (form P1)", () => {
  const file = corpusPath("vectors", "disagg_delta_chain.expected.json");
  const expected = JSON.parse(readFileSync(file, "utf8")).blocks as ExpectedBlock[];
  const blocks = dumpedBlocks("disagg_delta_chain.log");
  assert.is(blocks.length, expected.length);
  blocks.forEach((bytes, index) => {
    const value = roundTrip({ name: `line ${index + 1}`, bytes });
    const { page_header: header, block_header: block, cells } = expected[index] as ExpectedBlock;
    assert.is(value.generation, "D1");
    if (value.generation !== "D1") return;
    assert.is(value.header.writeGen, BigInt(header.write_gen as string));
    for (const [name, field] of [
      ["memSize", "mem_size"],
      ["entries", "entries"],
      ["type", "type"],
      ["flags", "flags"],
      ["version", "version"],
    ] as const)
      assert.is(value.header[name], header[field], `${index}: ${name}`);
    assert.is(value.block.magic, Number(block.magic));
    assert.is(value.block.checksum, Number(block.checksum));
    assert.is(value.block.previousChecksum, Number(block.previous_checksum));
    assert.is(value.cells?.length, cells.length);
    value.cells?.forEach((cell, at) => {
      assert.is(cell.descriptor, Number(cells[at]?.descriptor), `${index}: cell ${at}`);
      const data = "cookie" in cell ? cell.cookie : "data" in cell ? cell.data : new Uint8Array();
      assert.is(bytesToHex(data), cells[at]?.data, `${index}: cell ${at}`);
    });
  });
});

test("a row leaf of MongoDB's WiredTiger.wt", () => {
  const bytes = new Uint8Array(readFileSync(corpusPath("vectors", "mongodb_valid_page.bin")));
  const value = roundTrip({ name: "mongodb_valid_page.bin", bytes });
  assert.is(value.generation, "classic");
  const { memSize, entries, type, flags, version, writeGen } = value.header;
  assert.equal([writeGen, memSize, entries, type, flags, version], [11n, 3702, 16, 7, 4, 1]);
  assert.is(value.block.checksum, 0x18b64749);
  const [key, text] = "cells" in value ? (value.cells ?? []) : [];
  assert.ok(key?.kind === "keyShort" && Buffer.from(key.data).toString() === "colgroup:checkpoint37\0");
  assert.ok(text?.kind === "value" && text.storedLength === 141 && text.data.length === 205);
});

test("the headers of the delta whose bytes are not public", () => {
  const expected = JSON.parse(
    readFileSync(corpusPath("vectors", "disagg_delta_oplog.expected.json"), "utf8"),
  );
  const { magic, version, compatible_version, combined_header_size, checksum, previous_checksum, flags } =
    expected.block_header;
  const built = blockHeader.build({
    generation: "D1",
    magic: Number(magic),
    version,
    compatibleVersion: compatible_version,
    combinedHeaderSize: combined_header_size,
    checksum,
    previousChecksum: previous_checksum,
    flags,
    unused: new Uint8Array(3),
  });
  assert.is(bytesToHex(built), "dd01012c9a5b12a98cea6cee01000000");
  assert.is(blockHeader.parse(built).checksum, 2836552602);
});

test("the P0 delta of the documentation", () => {
  const hex =
    "1400000000000000 55000000 01000000 00 07 00 00 dd 01 01 24 787c87e3 a9ed9b44 00 01 0000 00 8a a4 6b657930303031323200";
  const found = [...pageLogBlocks()].find(({ bytes }) =>
    bytesToHex(bytes).startsWith(hex.replaceAll(" ", "")),
  );
  const value = roundTrip(found as CorpusBlock);
  assert.ok(value.generation === "D0-delta");
  const [entry] = value.leafEntries ?? [];
  assert.is(Buffer.from(entry?.key ?? []).toString(), "key000122\0");
  assert.is(entry?.value?.length, 36);
});

test("a replacement in both encodings, as a whole page", () => {
  const [base] = dumpedBlocks("disagg_delta_chain.log") as [Uint8Array];
  const image = page.parse(base);
  assert.ok(image.generation === "D1");
  const { checksum: original, combinedHeaderSize: _, ...block } = image.block;
  const { memSize: __, ...header } = image.header;
  const draft = (generation: string, fields: object): Page =>
    ({
      ...image,
      generation,
      header,
      block: { ...block, checksum: undefined, ...fields },
    }) as unknown as Page;
  const modified = page.build(draft("modified", { flags: 0x09, previousChecksum: original }));
  const extended = page.build(
    draft("extended", { flags: 0x11, version: 3, compatibleVersion: 3, originalChecksum: original }),
  );
  assert.is(extended.length, base.length + 4);
  for (const [generation, bytes] of [
    ["modified", modified],
    ["extended", extended],
  ] as const) {
    const value = page.parse(bytes);
    assert.is(value.generation, generation);
    assert.equal("cells" in value && value.cells, image.cells);
    const replaced = { replacement: true, originalChecksum: original };
    assert.equal(replacementOf(blockHeader.parse(bytes.subarray(28, bytes[31]))), replaced);
    assert.is(value.header.memSize, bytes.length);
  }
});

/** Errors of a page built with some parts changed. */
function errorsOf(value: Page, change: (draft: Record<string, unknown>) => object): string[] {
  const { checksum: _, ...block } = value.block;
  const bytes = page.build({ ...value, block, ...change({ ...value, block }) } as unknown as Page);
  return page
    .validate(bytes, { generation: value.generation })
    .filter(({ severity }) => severity === "error")
    .map(({ code }) => code);
}

test("rules of the payload", () => {
  const bytes = new Uint8Array(readFileSync(corpusPath("vectors", "mongodb_valid_page.bin")));
  const value = page.parse(bytes);
  const cells = ("cells" in value && value.cells) || [];
  const withCells = (changed: readonly unknown[]) => (): object => ({
    cells: changed,
    header: { ...value.header, memSize: undefined, entries: undefined },
    tail: 0,
    block: { ...value.block, checksum: undefined, diskSize: undefined },
  });
  const [k0, v0, k1, v1] = cells;
  assert.equal(errorsOf(value, withCells(cells)), []);
  assert.equal(errorsOf(value, withCells([k1, v1, k0, v0])), ["key-order"]);
  assert.equal(errorsOf(value, withCells([k0, v0, k0, v0])), ["key-order"]);
  assert.equal(errorsOf(value, withCells([k0, v0, v1])), ["cell-order"]);
  assert.equal(errorsOf(value, withCells([k0, k1, v1])), ["value-cells"]);
  assert.equal(errorsOf(value, withCells([k0, { kind: "deleted" }])), ["cell-type"]);
  assert.equal(
    errorsOf(value, withCells([{ kind: "keyShortPrefix", prefix: 1, data: new Uint8Array(2) }, v0])),
    ["key-prefix"],
  );
  assert.equal(errorsOf(value, withCells([k0, { kind: "valueCopy", distance: 1n }])), ["copy-target"]);
  assert.equal(
    errorsOf(value, () => ({ header: { ...value.header, entries: 15 } })),
    ["entry-count"],
  );
  const window = { bits: 0x18, startTs: 2n ** 63n, stopTs: 2n ** 63n };
  const late = { kind: "value", window, value64: 0n, data: new Uint8Array(1) };
  assert.equal(errorsOf(value, withCells([k0, late])), ["window-order"]);
});

test("any order of keys for tables with a collator", () => {
  const bytes = new Uint8Array(readFileSync(corpusPath("vectors", "mongodb_valid_page.bin")));
  const value = page.parse(bytes);
  const [k0, v0, k1, v1] = ("cells" in value && value.cells) || [];
  const swapped = page.build({
    ...value,
    cells: [k1, v1, k0, v0],
    header: { ...value.header, memSize: undefined, entries: undefined },
    block: { flags: 1 },
    tail: 0,
  } as unknown as Page);
  assert.ok(page.validate(swapped).some(({ code }) => code === "key-order"));
  assert.equal(page.validate(swapped, { params: { anyKeyOrder: 1 } }), []);
});

test("a fixed-length column page in parts", () => {
  const block = [...classicBlocks()].find(({ name }) => name.includes("t_colfix.wt at 4096")) as CorpusBlock;
  const value = page.parse(block.bytes, { params: { bitsPerRecord: 8 } });
  assert.ok(value.generation === "classic");
  assert.is(value.bitmap?.length, 2000);
  assert.equal([value.windowArea?.count, value.windowArea?.cellsOffset], [2000, 7]);
  assert.equal(page.build(value, { params: { bitsPerRecord: 8 } }), block.bytes);
  assert.not(page.read(block.bytes, { params: { bitsPerRecord: 5 } }).ok);
});

test.run();
