/** Page logs made to keep a verifier busy for ever: findings within bounds of time and memory. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressCookie } from "../../formats/address-cookie.js";
import { crc32cWithZeroedField } from "../../src/codec/crc32c.js";
import { bytesToHex } from "../../src/codec/index.js";
import { collectChain } from "../../src/store/chain.js";
import { IssueLog } from "../../src/store/issue-log.js";
import type { PageLog, PageRecord } from "../../src/store/types.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import type { VerifyReport } from "../../src/verify/types.js";
import { type Contents, findingsOf, loadContents, logOf } from "../support/log-contents.js";

const test = suite("page logs without end");

const CHAIN = 1_000_000;
/** Of the processor: other tests run beside this one. */
const MAX_SECONDS = 60;
const MAX_BYTES = 200 * 1024 * 1024;

function verified(log: PageLog): VerifyReport {
  const run = new Run({}, 0);
  verifyPageLog(log, run, new Detected("memory", log.kind));
  return run.report();
}

test("a million deltas on one image", () => {
  const contents = loadContents("a_small");
  const log = logOf(contents);
  const at = (record: PageRecord): boolean => record.tableId === 41n && record.pageId === 101n;
  const first = contents.records.find((record) => at(record) && record.lsn === 22n) as PageRecord;
  // All of one LSN: there is no room for more between the image and the first delta.
  const more = { ...first, lsn: 3n, backlinkLsn: 3n };
  function* many(): Generator<PageRecord> {
    for (const record of log.records()) {
      if (record === first) for (let i = 0; i < CHAIN; i++) yield more;
      yield record;
    }
  }
  function* newestFirst(lsn: bigint): Generator<PageRecord> {
    yield* contents.records.filter((record) => at(record) && record.isDelta && record.lsn <= lsn).reverse();
    for (let i = 0; i < CHAIN; i++) yield more;
  }
  const before = process.memoryUsage().rss;
  const started = process.cpuUsage();
  const { findings, summary } = verified({
    ...log,
    records: many,
    chain: (tableId, pageId, lsn, limit = 1000) =>
      tableId === 41n && pageId === 101n
        ? collectChain(newestFirst(lsn), limit, new IssueLog())
        : log.chain(tableId, pageId, lsn, limit),
  });
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  assert.ok(seconds < MAX_SECONDS, `${seconds} s`);
  assert.ok(process.memoryUsage().rss - before < MAX_BYTES, "memory");
  assert.is(summary.pages, 160 + CHAIN);
  assert.is(findings.filter(({ code }) => code === "record-chain-length").length, 1);
  assert.ok(findings.some(({ code, pageId }) => code === "tree-keys-lost" && pageId === 101n));
});

const SHARED_METADATA = 9n;
const FIRST_PAGE = 100;
/** What addresses hold of every page here: replacements say it of themselves. */
const CHECKSUM = 0x12345678;
const SIZE = 80;

const cookieOf = (pageId: number): Uint8Array =>
  addressCookie.build({
    generation: "B",
    pageId: BigInt(pageId),
    lsn: BigInt(pageId),
    checkpointId: 1n,
    reconciliationId: 0,
    size: SIZE,
    checksum: CHECKSUM,
  });

/** An internal page with one child, a replacement image: so that pages can name each other in a circle. */
function internalPage(pageId: number, child: number): PageRecord {
  const cookie = cookieOf(child);
  const key = [(1 << 2) | 1, 0x61];
  const cell = [0x18, 0x00, 0x80 | cookie.length, ...cookie];
  const data = new Uint8Array(44 + key.length + cell.length);
  const view = new DataView(data.buffer);
  view.setUint32(8, pageId, true);
  view.setUint32(16, data.length, true);
  view.setUint32(20, 2, true);
  data.set([6, 0x20, 0, 1, 0xdb, 1, 1, 44], 24);
  view.setUint32(36, CHECKSUM, true);
  data[40] = 0x09;
  data.set([...key, ...cell], 44);
  view.setUint32(32, crc32cWithZeroedField(data, 0, data.length, 32), true);
  return recordOf(SHARED_METADATA, pageId, pageId, data);
}

function recordOf(tableId: bigint, pageId: number, lsn: number, data: Uint8Array): PageRecord {
  return {
    tableId,
    pageId: BigInt(pageId),
    lsn: BigInt(lsn),
    isDelta: false,
    discarded: false,
    flags: 0,
    backlinkLsn: 0n,
    baseLsn: 0n,
    data,
    place: { file: "memory" },
    issues: [],
  };
}

/** A log whose shared metadata has such pages for a tree, the first one as its root. */
function treeOf(pages: readonly PageRecord[]): Contents {
  const lsn = FIRST_PAGE + pages.length;
  const addr = bytesToHex(cookieOf(FIRST_PAGE));
  const turtle = `(WiredTigerCheckpoint.1=(addr="${addr}",order=1,time=1,size=1,write_gen=1,run_write_gen=1,next_page_id=100000))\ntimestamp=0`;
  return {
    kind: "page-service-jsonl",
    globals: {},
    records: [...pages, recordOf(1n, 1, lsn, new TextEncoder().encode(turtle))],
    checkpoints: [
      {
        lsn: BigInt(lsn) + 1n,
        timestamp: 0n,
        metadata: new TextEncoder().encode(`id=1,metadata_lsn=${lsn}`),
        place: { file: "memory" },
      },
    ],
  };
}

const codesOf = (contents: Contents): string[] => findingsOf(contents).map(({ code }) => code);

test("a page that names itself", () => {
  const codes = codesOf(treeOf([internalPage(FIRST_PAGE, FIRST_PAGE)]));
  assert.is(codes.filter((code) => code === "tree-loop").length, 1, String(codes));
});

test("two pages that name each other", () => {
  const codes = codesOf(
    treeOf([internalPage(FIRST_PAGE, FIRST_PAGE + 1), internalPage(FIRST_PAGE + 1, FIRST_PAGE)]),
  );
  assert.is(codes.filter((code) => code === "tree-loop").length, 1, String(codes));
});

test("a tree that only goes down", () => {
  const pages = Array.from({ length: 500 }, (_, at) => internalPage(FIRST_PAGE + at, FIRST_PAGE + at + 1));
  const run = new Run({}, 0);
  verifyPageLog(logOf(treeOf(pages)), run, new Detected("memory", "page-service-jsonl"));
  const { summary, findings } = run.report();
  assert.is(summary.complete, false);
  assert.ok(findings.some(({ message }) => message.includes("deeper than 64 levels")));
});

test.run();
