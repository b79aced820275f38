import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type BlockHeaderValue,
  blockHeader,
  classicBlockHeader,
  deltaHeader,
  pageHeader,
  replacementOf,
} from "../../formats/index.js";
import { bytesToHex, type Format, hexToBytes } from "../../src/codec/index.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("page, block and delta headers");

const error = (format: Format<unknown>, hex: string, params = {}): string | undefined =>
  format.read(hexToBytes(hex), { params }).issues.find(({ severity }) => severity === "error")?.code;
const issue = (format: Format<unknown>, hex: string): string | undefined =>
  format.read(hexToBytes(hex)).issues[0]?.code;

const D1 = "db01012c 278bcc16 00000000 01 000000";
const D0_BASE = "db01012c 278bcc16 00000000 00 01 0000";
const D0_DELTA = "dd010124 787c87e3 a9ed9b44 00 01 0000";
const MODIFIED = "db02012c 278bcc16 5479ba6c 09 000000";
const EXTENDED = "db030330 278bcc16 00000000 11 000000 5479ba6c";
const EXTENDED_ORIGINAL = "db030330 278bcc16 00000000 01 000000 00000000";

test("page header of the worked example", () => {
  const hex = "0000000000000000 1700000000000000 43000000 02000000 06 20 00 01";
  const value = pageHeader.parse(hexToBytes(hex));
  assert.equal(value, {
    recno: 0n,
    writeGen: 23n,
    memSize: 67,
    entries: 2,
    type: 6,
    flags: 0x20,
    reserved: 0,
    version: 1,
  });
  assert.is(bytesToHex(pageHeader.build(value)), hex.replaceAll(" ", ""));
});

test("page header rules", () => {
  const header = (recno: string, tail: string): string =>
    `${recno} 1700000000000000 43000000 02000000 ${tail}`;
  assert.is(error(pageHeader, header("0100000000000000", "06 20 00 01")), "page-recno");
  assert.is(error(pageHeader, header("0100000000000000", "04 00 00 01")), undefined);
  assert.is(error(pageHeader, header("0000000000000000", "07 06 00 01")), "page-empty-values");
  assert.is(error(pageHeader, header("0000000000000000", "00 00 00 01")), "unknown-value");
  assert.is(error(pageHeader, header("0000000000000000", "08 00 00 01")), "unknown-value");
  assert.is(error(pageHeader, header("0000000000000000", "07 00 00 02")), "value-range");
  assert.is(issue(pageHeader, header("0000000000000000", "07 00 01 01")), "reserved");
  assert.is(issue(pageHeader, header("0000000000000000", "07 80 00 01")), "unknown-bits");
});

test("classic block header", () => {
  const hex = "00100000 4976b618 01 000000";
  const value = classicBlockHeader.parse(hexToBytes(hex));
  assert.is(value.diskSize, 4096);
  assert.is(value.checksum, 0x18b67649);
  assert.is(bytesToHex(classicBlockHeader.build(value)), hex.replaceAll(" ", ""));
  assert.is(issue(classicBlockHeader, "00100000 4976b618 01 000001"), "reserved");
});

test("delta header: version, type, flags in this order", () => {
  const hex = "1400000000000000 55000000 01000000 00 07 09 00";
  const value = deltaHeader.parse(hexToBytes(hex));
  assert.equal([value.version, value.type, value.flags], [0, 7, 9]);
  assert.is(bytesToHex(deltaHeader.build(value)), hex.replaceAll(" ", ""));
});

for (const [name, hex, generation] of [
  ["current", D1, "D1"],
  ["old image", D0_BASE, "D0"],
  ["old delta", D0_DELTA, "D0"],
  ["modified", MODIFIED, "modified"],
  ["extended replacement", EXTENDED, "extended"],
  ["extended original", EXTENDED_ORIGINAL, "extended"],
] as const) {
  test(`${name}: detected as ${generation}, byte-identical`, () => {
    const bytes = hexToBytes(hex);
    const reading = blockHeader.read(bytes);
    assert.equal(reading.issues, []);
    assert.is(reading.generation, generation);
    const value = blockHeader.parse(bytes);
    assert.equal(blockHeader.build(value), bytes);
    const json = JSON.parse(JSON.stringify(blockHeader.toJson(value)));
    assert.equal(blockHeader.build(blockHeader.fromJson(json)), bytes);
  });
}

test("one logical replacement in both encodings", () => {
  const of = (hex: string): unknown => replacementOf(blockHeader.parse(hexToBytes(hex)));
  const replaced = { replacement: true, originalChecksum: 0x6cba7954 };
  const original = { replacement: false, originalChecksum: 0 };
  assert.equal(of(MODIFIED), replaced);
  assert.equal(of(EXTENDED), replaced);
  for (const hex of [D1, D0_BASE, D0_DELTA, EXTENDED_ORIGINAL]) assert.equal(of(hex), original, hex);
});

test("JSON has the same pair in every current generation", () => {
  const json = (hex: string): Record<string, unknown> =>
    blockHeader.toJson(blockHeader.parse(hexToBytes(hex))) as Record<string, unknown>;
  assert.is(json(D1).replacement, false);
  assert.is(json(EXTENDED_ORIGINAL).replacement, false);
  for (const hex of [MODIFIED, EXTENDED]) {
    assert.equal([json(hex).replacement, json(hex).originalChecksum], [true, 0x6cba7954]);
    assert.equal(blockHeader.build(blockHeader.fromJson(json(hex))), hexToBytes(hex));
  }
});

test("replacement rules", () => {
  assert.is(error(blockHeader, "dd02012c 278bcc16 5479ba6c 09 000000"), "replacement-magic");
  assert.is(error(blockHeader, "dd030330 278bcc16 00000000 11 000000 5479ba6c"), "replacement-magic");
  assert.is(error(blockHeader, "db030330 278bcc16 00000000 01 000000 5479ba6c"), "original-checksum");
  assert.is(error(blockHeader, "db030330 278bcc16 00000000 09 000000 00000000"), "generation-flag");
  assert.is(error(blockHeader, "db03032c 278bcc16 00000000 11 000000"), "truncated");
});

test("versions", () => {
  assert.is(error(blockHeader, "db02022c 278bcc16 00000000 01 000000"), undefined, "2 is known");
  assert.is(error(blockHeader, "db05012c 278bcc16 00000000 01 000000"), undefined, "newer but readable");
  assert.is(error(blockHeader, "db040430 278bcc16 00000000 01 000000 00000000"), "unsupported-version");
  assert.is(issue(blockHeader, "db01022c 278bcc16 00000000 01 000000"), "header-versions");
  assert.is(error(blockHeader, "dc01012c 278bcc16 00000000 01 000000"), "unknown-value");
});

test("header bytes behind the known ones are kept", () => {
  const hex = "db020134 278bcc16 00000000 01 000000 aabbccdd11223344";
  const value = blockHeader.parse(hexToBytes(hex));
  assert.is(value.generation, "D1");
  assert.ok(value.generation === "D1" && value.extension?.length === 8);
  assert.is(bytesToHex(blockHeader.build(value)), hex.replaceAll(" ", ""));
  const derived = { ...value, combinedHeaderSize: undefined } as unknown as BlockHeaderValue;
  assert.is(
    bytesToHex(blockHeader.build(derived)),
    hex.replaceAll(" ", ""),
    "the size follows the extension",
  );
});

test("header size cases", () => {
  const file = corpusPath("vectors", "block_header_size_cases.json");
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as {
    cases: Array<{ combined: number; block: number; ok: boolean }>;
  };
  assert.ok(cases.length > 5);
  for (const { combined, block, ok } of cases) {
    const bytes = new Uint8Array(Math.min(Math.max(combined - 28, 16), 36));
    bytes.set(hexToBytes(D1));
    bytes[3] = combined;
    const codes = blockHeader
      .validate(bytes, { generation: "D1", params: { blockLength: block } })
      .map(({ code }) => code);
    assert.equal(codes, ok ? [] : ["header-size"], `${combined} in ${block}`);
  }
});

test("bit flips and truncations of headers never throw", () => {
  for (const hex of [D1, D0_BASE, D0_DELTA, MODIFIED, EXTENDED]) {
    const good = hexToBytes(hex);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      const reading = blockHeader.read(bad);
      if (reading.ok) assert.equal(blockHeader.build(reading.value), bad, `${hex} bit ${bit}`);
      blockHeader.annotate(bad);
    }
    for (let length = 0; length < good.length; length++)
      assert.not(blockHeader.read(good.subarray(0, length)).ok, `${hex} cut to ${length}`);
  }
});

test.run();
