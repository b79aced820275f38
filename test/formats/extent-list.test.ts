import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blockOf, classicCheckpointCookie } from "../../formats/classic-cookie.js";
import { findAllocationSize } from "../../formats/description-block.js";
import { completeCookie, type ExtentList, extentList, pairsLength } from "../../formats/extent-list.js";
import { bytesToHex, FormatError, hexToBytes } from "../../src/codec/index.js";
import {
  type Block,
  blocksOf,
  CLASSIC_HEADERS,
  checkpointCookies,
  healthyDirectories,
  healthyFiles,
} from "../support/classic-files.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";

const test = suite("extent list");
const BLOCK_MANAGER = 1;

interface RealList {
  readonly name: string;
  readonly allocationSize: number;
  readonly block: Block;
  readonly payload: Uint8Array;
}

const lists: RealList[] = healthyFiles().flatMap(({ name, bytes }) => {
  const allocationSize = findAllocationSize(bytes) as number;
  return [...blocksOf(bytes)]
    .filter(({ type }) => type === BLOCK_MANAGER)
    .map((block) => ({
      name,
      file: bytes,
      allocationSize,
      block,
      payload: block.bytes.subarray(CLASSIC_HEADERS),
    }));
});

const read = (hex: string, params: Record<string, number> = {}) =>
  extentList.read(hexToBytes(hex), { params });
const codes = (hex: string, params?: Record<string, number>): string[] =>
  read(hex, params).issues.map(({ code }) => code);
const START = "e2f51a80";
const pairs = (...extents: Array<[number, number]>): ExtentList =>
  ({
    extents: extents.map(([offset, size]) => ({ offset: BigInt(offset), size: BigInt(size) })),
    version: 0,
  }) as unknown as ExtentList;
const hexOf = (list: ExtentList): string => bytesToHex(extentList.build(list));

test("every list block of the real files is sound and written back byte for byte", () => {
  assert.ok(lists.length >= 100, `${lists.length} lists`);
  assert.ok(lists.some(({ payload }) => extentList.parse(payload).info !== undefined));
  for (const { name, block, payload, allocationSize } of lists) {
    const at = `${name} ${block.offset}`;
    const recorded = extentList.parse(payload).info?.fileSize;
    const fileSize = recorded === undefined ? Number.MAX_SAFE_INTEGER : Number(recorded);
    const reading = extentList.read(payload, { params: { allocationSize, fileSize } });
    assert.ok(
      reading.ok && reading.issues.every(({ severity }) => severity === "info"),
      `${at} ${reading.issues.map(({ code, path }) => `${code} ${path}`)}`,
    );
    assert.equal(extentList.build(reading.value), payload, at);
    const header = new DataView(block.bytes.buffer, block.bytes.byteOffset, CLASSIC_HEADERS);
    assert.is(pairsLength(reading.value), header.getUint32(20, true), `${at}: datalen`);
    assert.is(pairsLength(reading.value) + CLASSIC_HEADERS, header.getUint32(16, true), `${at}: mem_size`);
  }
});

test("the checkpoint info of the newest avail list gives the cookie that is in the metadata", () => {
  const known = new Set(healthyDirectories.flatMap(checkpointCookies));
  let files = 0;
  for (const { newest, allocationSize } of newestAvailLists()) {
    const { info } = extentList.parse(newest.payload);
    assert.ok(info !== undefined);
    const { offset, bytes, checksum } = newest.block;
    const cookie = completeCookie(info, { offset, size: bytes.length, checksum }, allocationSize);
    const hex = bytesToHex(classicCheckpointCookie.build(cookie));
    assert.ok(known.has(hex), `${newest.name}: ${hex}`);
    assert.equal(blockOf(cookie.avail, allocationSize), { offset, size: bytes.length, checksum });
    assert.ok(info.checkpointList.startsWith("checkpoint=("));
    assert.ok(info.metadata.startsWith("encryption="));
    files++;
  }
  assert.ok(files >= 40, `${files} files`);
});

/** A file, for which checkpoints were written, and its avail list with the highest write generation. */
function newestAvailLists(): Array<{ newest: RealList; allocationSize: number }> {
  const byFile = new Map<string, { list: RealList; writeGen: bigint }>();
  for (const list of lists) {
    const writeGen = extentList.parse(list.payload).info?.writeGen;
    const before = byFile.get(list.name);
    if (writeGen !== undefined && (before === undefined || before.writeGen < writeGen))
      byFile.set(list.name, { list, writeGen });
  }
  return [...byFile.values()].map(({ list }) => ({ newest: list, allocationSize: list.allocationSize }));
}

test("begins with the pair (71002, 0) and ends with (0, version)", () => {
  assert.is(hexOf(pairs([4096, 8192])), `${START}cfc0dfc08080`);
  assert.equal(extentList.parse(hexToBytes(`${START}cfc0dfc080800000`)).tail, 2);
  assert.equal(codes("e2f51b80cfc0dfc08080"), ["constant"]);
  assert.equal(codes(`${START.slice(0, 6)}81cfc0dfc08080`), ["constant"]);
  assert.equal(codes(`${START}cfc0dfc08082`), ["unknown-value"]);
});

test("an unterminated list is truncated", () => {
  for (const hex of ["", START, `${START}cfc0`, `${START}cfc0dfc0`, `${START}cfc0dfc080`])
    assert.equal(codes(hex), ["truncated"], hex);
});

test("rules about extents name the first extent that breaks them", () => {
  const first = (list: ExtentList, params?: Record<string, number>): string[] =>
    read(hexOf(list), params).issues.map(({ code, path }) => `${code} ${path}`);
  assert.equal(first(pairs([4096, 4096], [12288, 4096]), { allocationSize: 4096, fileSize: 16384 }), []);
  assert.equal(first(pairs([4096, 4096], [12288, 0])), ["extent-size extents[1].size"]);
  assert.equal(first(pairs([4096, 512])), []);
  assert.equal(first(pairs([4096, 512]), { allocationSize: 4096 }), ["extent-alignment extents[0]"]);
  assert.equal(first(pairs([4100, 4096])), ["extent-alignment extents[0]"]);
  assert.equal(first(pairs([512, 512]), { allocationSize: 1024 }), [
    "extent-alignment extents[0]",
    "extent-description extents[0].offset",
  ]);
  assert.equal(first(pairs([4096, 4096]), { fileSize: 8191 }), ["extent-file-size extents[0]"]);
  assert.equal(first(pairs([4096, 8192], [8192, 4096])), ["extent-overlap extents[1]"]);
  assert.equal(first(pairs([4096, 4096], [4096, 4096])), ["extent-overlap extents[1]"]);
  assert.equal(first(pairs()), ["extent-list-empty "]);
});

test("offsets ascend in one run, or in two in an avail list", () => {
  const two = hexOf(pairs([4096, 4096], [16384, 4096], [8192, 4096]));
  const three = hexOf(pairs([16384, 4096], [8192, 4096], [4096, 4096]));
  assert.equal(codes(two), []);
  assert.equal(codes(two, { runs: 1 }), ["extent-order"]);
  assert.equal(codes(three), ["extent-order"]);
});

test("a list that is longer than 64 bits reach is an overlap or beyond the file, not a crash", () => {
  const list = { ...pairs(), extents: [{ offset: 512n, size: 2n ** 64n - 512n }] } as ExtentList;
  assert.equal(codes(hexOf(list), { fileSize: 4096 }), ["extent-file-size"]);
});

test("the cookie inside an avail list has no avail address of its own", () => {
  const real = lists.find(({ payload }) => extentList.parse(payload).info !== undefined) as RealList;
  const value = extentList.parse(real.payload);
  const info = value.info as NonNullable<ExtentList["info"]>;
  const cookie = { ...info.cookie, avail: { offsetUnits: 1n, sizeUnits: 1, checksum: 1 } };
  const { cookieLength: _, ...rest } = info;
  const issues = extentList.validate(extentList.build({ ...value, info: { ...rest, cookie } as never }));
  assert.equal(
    issues.map(({ code, severity, path }) => [code, severity, path]),
    [["extent-info-avail", "warning", "info.cookie.avail"]],
  );
});

test("lengths and the reserved bytes of the file size are computed", () => {
  const real = lists.find(({ payload }) => extentList.parse(payload).info !== undefined) as RealList;
  const value = extentList.parse(real.payload);
  const { writeGen, fileSize, metadata, checkpointList, cookie } = value.info as NonNullable<
    ExtentList["info"]
  >;
  const { extents, version, tail } = value;
  const short = { extents, version, tail, info: { writeGen, fileSize, metadata, checkpointList, cookie } };
  assert.equal(extentList.build(short as never), real.payload);
});

test("damage gives a value or an error, never anything else", () => {
  const withInfo = lists.find(({ payload }) => extentList.parse(payload).info !== undefined) as RealList;
  const without = lists.find(({ payload }) => extentList.parse(payload).info === undefined) as RealList;
  for (const { payload } of [withInfo, without]) {
    const { tail } = extentList.parse(payload);
    const content = payload.subarray(0, payload.length - (tail as number));
    eachBitFlip(content, (damaged) => detects(extentList, damaged));
    eachTruncation(content, (shorter) => assert.ok(detects(extentList, shorter), `${shorter.length} bytes`));
  }
});

test("an unknown cookie version inside is unsupported, not misread", () => {
  const withInfo = lists.find(({ payload }) => extentList.parse(payload).info !== undefined) as RealList;
  const { info } = extentList.parse(withInfo.payload);
  const hex = bytesToHex(withInfo.payload);
  const cookie = bytesToHex(classicCheckpointCookie.build((info as NonNullable<ExtentList["info"]>).cookie));
  const at = hex.lastIndexOf(cookie);
  const newer = `${hex.slice(0, at)}02${hex.slice(at + 2)}`;
  assert.throws(
    () => extentList.parse(hexToBytes(newer)),
    (error: unknown) => error instanceof FormatError && error.code === "unsupported-version",
  );
});

test.run();
