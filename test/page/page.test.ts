import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { deltaValue, page } from "../../formats/index.js";
import { bytesToHex, hexToBytes, type Span, seededRandom } from "../../src/codec/index.js";
import { unpackRecords } from "../../src/page/decode-records.js";
import {
  annotatePage,
  type DecodedCell,
  type DecodePageOptions,
  decodePage,
  pageToJson,
  readBlockHeaders,
} from "../../src/page/index.js";
import { rotnEncryptor } from "../../src/page/transform/index.js";
import { installNodeCrc32c } from "../../src/platform/node-crc32c.js";
import { corpusPath } from "../support/corpus.js";
import {
  type CorpusBlock,
  classicBlocks,
  corpusBlocks,
  pageLogBlocks,
  ROTN_KEY_ID,
} from "../support/corpus-blocks.js";
import { pages } from "../support/samples.js";

const test = suite("pages as values");
test.before(() => {
  installNodeCrc32c();
});

const options: DecodePageOptions = { encryptor: rotnEncryptor(ROTN_KEY_ID) };
const mongodb = new Uint8Array(readFileSync(corpusPath("vectors", "mongodb_valid_page.bin")));

function dumpedBlocks(): Uint8Array[] {
  const lines = readFileSync(corpusPath("vectors", "disagg_delta_chain.log"), "utf8").trim().split("\n");
  return lines.map((line) => hexToBytes(line.slice(line.lastIndexOf("): ") + 3)));
}

/** snake_case keys of the vector as the API has them, numbers as bigint. */
function window(expected: Record<string, string | boolean>): Record<string, bigint | boolean> {
  const names: Record<string, string> = {
    newest_durable_start_ts: "newestStartDurableTs",
    newest_durable_stop_ts: "newestStopDurableTs",
  };
  const camel = (name: string): string =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => [
      names[name] ?? camel(name),
      typeof value === "string" ? BigInt(value) : value,
    ]),
  );
}

test("the delta chain: windows, cookies and values of every cell", () => {
  const file = corpusPath("vectors", "disagg_delta_chain.expected.json");
  const expected = JSON.parse(readFileSync(file, "utf8")).blocks;
  let windows = 0;
  dumpedBlocks().forEach((bytes, index) => {
    const decoded = decodePage(bytes);
    const block = expected[index];
    assert.equal(decoded.issues, []);
    assert.is(decoded.headers?.checksum.computed, Number(block.crc32c_computed));
    assert.is(decoded.headers?.checksum.valid, block.crc32c_ok);
    assert.is(decoded.headers?.delta, block.block_header.kind === "delta");
    assert.is(decoded.deltaForm, block.block_header.kind === "delta" ? "P1" : undefined);
    decoded.cells.forEach((cell, at) => {
      const want = block.cells[at];
      assert.equal([cell.offset, cell.offset + cell.length], [want.offset, want.end]);
      if (want.window !== undefined) {
        windows++;
        assert.equal(cell.window ?? cell.aggregate, window(want.window));
      }
      if (want.delta_value !== undefined) {
        assert.is(bytesToHex(cell.value ?? new Uint8Array()), want.delta_value.value);
        assert.is(cell.removed, want.delta_value.is_delete);
      }
      if (want.cookie === undefined) return;
      const { address } = cell;
      assert.ok(address !== undefined && address.generation === "D");
      assert.equal([address.pageId, address.lsn, address.baseLsn], [100n, 105n, 1n]);
      assert.is(address.checksum, want.cookie.checksum);
    });
    assert.is(decoded.cells.length, block.cells.length);
  });
  assert.is(windows, 11);
});

test("every block of the corpus decodes without an issue", () => {
  const counts = { blocks: 0, cells: 0, entries: 0, addresses: 0, copies: 0, records: 0, windows: 0 };
  const copies = ({ cell, value }: DecodedCell): boolean => cell.kind === "valueCopy" && value !== undefined;
  for (const { name, bytes, cookies } of corpusBlocks()) {
    const { headers, cells, entries, records, issues } = decodePage(bytes, options);
    assert.equal(issues, [], name);
    assert.ok(headers?.checksum.valid, name);
    assert.is(headers.generation === "classic", cookies === "classic", name);
    const addresses = [...cells, ...entries].flatMap(({ address }) =>
      address === undefined ? [] : [address],
    );
    for (const { generation } of addresses) assert.is(generation, cookies, name);
    counts.blocks++;
    counts.cells += cells.length;
    counts.entries += entries.length;
    counts.addresses += addresses.length;
    counts.copies += cells.filter(copies).length;
    counts.records += records?.values.length ?? 0;
    counts.windows += records?.windows.length ?? 0;
  }
  assert.equal(counts, {
    blocks: 7386,
    cells: 513348,
    entries: 8539,
    addresses: 8746,
    copies: 3883,
    records: 12000,
    windows: 2000,
  });
});

const classic = (name: string): CorpusBlock =>
  [...classicBlocks()].find((block) => block.name.includes(name)) as CorpusBlock;

test("prefixed keys are whole, records of column stores are numbered", () => {
  const prefixed = decodePage(classic("basic/row_prefix.wt").bytes).cells;
  const keys = prefixed.filter(({ cell }) => cell.kind === "keyShortPrefix");
  assert.ok(keys.length > 10);
  for (const { key, cell } of keys)
    assert.ok(key !== undefined && "data" in cell && key.length > cell.data.length);
  const column = decodePage(classic("basic/colvar.wt").bytes);
  let next =
    column.headers !== undefined && "recno" in column.headers.header ? column.headers.header.recno : 0n;
  for (const { recno, cell } of column.cells) {
    assert.is(recno, next);
    next += ("value64" in cell && cell.value64) || 1n;
  }
});

test("fixed-length records of any number of bits", () => {
  assert.equal([...unpackRecords(hexToBytes("a09cee"), 8, 3)], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal([...unpackRecords(hexToBytes("0107"), 2, 8)], [1, 7]);
  assert.equal([...unpackRecords(hexToBytes("05"), 4, 1)], [1, 0, 1, 0]);
  const { records } = decodePage(classic("basic/colfix3.wt").bytes);
  assert.equal([records?.bitsPerRecord, records?.values.length], [3, 5000]);
  const windowed = decodePage(classic("ts_hs/t_colfix.wt").bytes).records;
  assert.equal([windowed?.bitsPerRecord, windowed?.windows.length], [8, 2000]);
  assert.is(windowed?.windows[0]?.window.startTs, 10n);
});

test("an encrypted page needs its key, a compressed one its compressor", () => {
  const blocks = [...pageLogBlocks()];
  const encrypted = blocks.find(({ bytes }) => readBlockHeaders(bytes).encrypted) as CorpusBlock;
  const closed = decodePage(encrypted.bytes);
  assert.equal([closed.transformed, closed.cells.length], [true, 0]);
  assert.equal(
    closed.issues.map(({ code }) => code),
    ["no-encryptor"],
  );
  assert.ok(decodePage(encrypted.bytes, options).cells.length > 0);
  const compressed = blocks.find(({ bytes }) => readBlockHeaders(bytes).compressed) as CorpusBlock;
  assert.equal(
    decodePage(compressed.bytes, { compressor: "nothing" }).issues.map(({ code }) => code),
    ["no-compressor"],
  );
});

test("headers are told apart by the checksum, and can be forced", () => {
  const random = seededRandom(11);
  for (const [wanted, generation] of [
    ["extended", "extended"],
    ["modified", "modified"],
    ["D1", "D1"],
    ["D0", "D0"],
    ["D0-delta", "D0"],
    ["classic", "classic"],
  ] as const)
    for (let round = 0; round < 40; round++) {
      const headers = readBlockHeaders(page.build(page.generate(random, { generation: wanted })));
      assert.equal(
        [headers.generation, headers.checksum.valid, headers.issues],
        [generation, true, []],
        wanted,
      );
      assert.is(headers.replacement, generation === "modified" || (headers.block.flags & 0x10) !== 0);
    }
  const forced = readBlockHeaders(mongodb, { generation: "D1" });
  assert.is(forced.generation, "D1");
  assert.ok(forced.issues.some(({ path, severity }) => path === "block.magic" && severity === "error"));
});

test("what is wrong is said with its place", () => {
  const bad = mongodb.slice();
  bad[41] = 0xff;
  const { issues } = decodePage(bad, { base: 8192 });
  const [checksum, order] = issues;
  assert.equal([checksum?.code, checksum?.offset], ["checksum", 8192]);
  assert.is(checksum?.actual, 0x18b64749);
  assert.equal([order?.code, order?.path], ["key-order", "cells[2]"]);
  assert.ok((order?.offset ?? 0) > 8192 + 40);
  const short = decodePage(mongodb.subarray(0, 30));
  assert.equal([short.headers, short.cells, short.issues[0]?.code], [undefined, [], "truncated"]);
});

test("a bad cookie is an issue of its cell", () => {
  const [parent] = dumpedBlocks() as [Uint8Array];
  const bad = parent.slice();
  const cookie = 53;
  bad[cookie + 7] = 0xff; // the distance of the base LSN is now above the LSN
  const { issues } = decodePage(bad, { base: 100 });
  const found = issues.find(({ path }) => path === "cells[1].cookie.baseLsn");
  assert.equal([found?.code, found?.offset], ["difference-range", 100 + cookie + 6]);
});

test("JSON has decimal strings, hex and nothing JSON cannot hold", () => {
  const [parent] = dumpedBlocks() as [Uint8Array];
  const json = JSON.parse(JSON.stringify(pageToJson(decodePage(parent))));
  assert.equal([json.generation, json.delta, json.header.writeGen], ["D1", false, "23"]);
  assert.is(json.cells[1].address.lsn, "105");
  assert.is(json.cells[1].aggregate.newestStopTs, "18446744073709551615");
  assert.is(json.cells[0].key, "00");
  for (const { bytes } of [classic("deb_basic/ovfl.wt"), classic("ts_hs/t_colfix.wt")])
    assert.type(JSON.stringify(pageToJson(decodePage(bytes))), "string");
});

const spanAt = (root: Span, path: string): Span | undefined => {
  if (root.path === path) return root;
  return root.children.map((child) => spanAt(child, path)).find((found) => found !== undefined);
};

/** Children lie inside their parents, in order, without a gap. */
function checkSpan(span: Span): void {
  let at = span.start;
  for (const child of span.children) {
    if (child.kind === "bits") continue;
    assert.is(child.start, at, `${child.path} begins where the one before it ends`);
    at = child.end;
    checkSpan(child);
  }
  if (span.children.some(({ kind }) => kind !== "bits")) assert.is(at, span.end, `${span.path} is filled`);
}

test("annotations reach into cookies, delta values and windows", () => {
  const [parent, delta] = dumpedBlocks() as [Uint8Array, Uint8Array];
  const { block, generation, image } = annotatePage(parent, { base: 1000 });
  assert.equal([generation, image], ["D1", undefined]);
  const lsn = spanAt(block.span, "cells[1].cookie.lsn");
  assert.equal([lsn?.value, lsn?.start, lsn?.end], [105n, 1057, 1059]);
  const aggregate = spanAt(block.span, "cells[1].window");
  assert.is(aggregate?.symbol, "oldestStartTs 100, newestTxn 37, newestStartDurableTs 110");
  assert.is(spanAt(block.span, "block.checksum")?.checksum, "valid");
  const value = spanAt(annotatePage(delta).block.span, "cells[1].data.value");
  assert.is(Buffer.from(value?.value as Uint8Array).toString(), "bbb0-10\0");
  assert.is(
    spanAt(annotatePage(delta).block.span, "cells[1].window")?.symbol,
    "startTs 110, startTxn 37, durableStartTs 110",
  );
});

test("annotations of the corpus have no hole, also in plain images", () => {
  let images = 0;
  let index = 0;
  for (const { bytes } of corpusBlocks()) {
    if (index++ % 40 !== 0) continue;
    const { block, image } = annotatePage(bytes, options);
    checkSpan(block.span);
    assert.equal([block.span.start, block.span.end], [0, bytes.length]);
    if (image === undefined) continue;
    images++;
    checkSpan(image.span);
    assert.is(spanAt(image.span, "block.checksum")?.checksum, "unchecked");
  }
  assert.ok(images > 3);
});

test("damaged blocks never throw, neither decoded nor annotated", () => {
  const random = seededRandom(5);
  const seeds = [
    ...dumpedBlocks(),
    mongodb.subarray(0, 300),
    classic("fastdelete/f.wt at 69").bytes.subarray(0, 400),
  ];
  for (let round = 0; round < 1500; round++) {
    const seed = seeds[round % seeds.length] as Uint8Array;
    const bytes = seed.slice();
    for (let left = 1 + random.below(3); left > 0; left--)
      bytes[random.below(bytes.length)] = random.below(256);
    const cut = random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
    const { page: decoded } = annotatePage(cut);
    if (Buffer.compare(cut, seed) !== 0) assert.ok(decoded.issues.length > 0, bytesToHex(cut));
    JSON.stringify(pageToJson(decoded));
  }
});

test("both forms of delta values are unwrapped", () => {
  const random = seededRandom(8);
  const forms = new Set<string>();
  for (let round = 0; round < 300; round++) {
    const bytes = page.build(page.generate(random, { generation: "D1" }));
    const { deltaForm, cells } = decodePage(bytes);
    for (const { cell, value, removed } of cells) {
      if (deltaForm === undefined || cell.kind !== "value") continue;
      const wrapped = deltaValue.parse(cell.data, { generation: deltaForm === "P1" ? "uB" : "Bu" });
      assert.equal([value, removed], [wrapped.value, wrapped.flags === 1]);
      forms.add(deltaForm);
    }
  }
  assert.equal([...forms].sort(), ["P1", "P2"]);
});

test("a classic block without its padding is cut off", () => {
  const { bytes } = pages.find(({ name }) => name === "classic row leaf")!;
  assert.equal(decodePage(bytes).issues, []);
  const padding = bytes.length - new DataView(bytes.buffer, bytes.byteOffset).getUint32(16, true);
  assert.ok(padding > 0);
  // Its checksum still fits: it covers the first 64 bytes only.
  for (const lost of [1, padding]) {
    const short = bytes.subarray(0, bytes.length - lost);
    const truncated = ({ code }: { code: string }): boolean => code === "truncated";
    assert.ok(decodePage(short).issues.some(truncated), `${lost} bytes`);
    assert.ok(page.validate(short).some(truncated), `${lost} bytes`);
  }
});

test.run();
