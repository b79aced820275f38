import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageLogFlags } from "../../formats/page-log.js";
import { MemoryAccess } from "../../src/store/file.js";
import { openPageLog } from "../../src/store/open.js";
import { openPageService, PageServiceLog, type PageServiceOptions } from "../../src/store/page-service.js";
import { openPalm } from "../../src/store/palm.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("page-service dumps");
const SAMPLE = corpusPath("vectors", "page_service.jsonl");
const logOf = (lines: readonly string[], options?: PageServiceOptions): PageServiceLog =>
  new PageServiceLog(new MemoryAccess("dump.jsonl", Buffer.from(lines.join("\n"))), options);

test("the sample: exact LSNs, a tombstone, entries the service encrypted", () => {
  const log = openPageLog(SAMPLE);
  assert.is(log.kind, "page-service-jsonl");
  const records = [...log.records()];
  assert.equal(
    records.map(({ tableId, pageId, lsn, isDelta, discarded, backlinkLsn, baseLsn, flags, data, issues }) => [
      tableId,
      pageId,
      lsn,
      isDelta,
      discarded,
      backlinkLsn,
      baseLsn,
      flags,
      data.length,
      issues.map(({ code, severity }) => `${severity} ${code}`).join(),
    ]),
    [
      [65n, 101n, 7594297933688733708n, false, false, 0n, 0n, 0, 74, "info service-encrypted"],
      [
        65n,
        101n,
        7594297955163570183n,
        true,
        true,
        7594297933688733708n,
        7594297933688733708n,
        pageLogFlags.delta | pageLogFlags.discarded,
        0,
        "",
      ],
      [65n, 104n, 7594298019588079618n, false, false, 0n, 0n, 0, 18, "info service-encrypted"],
    ],
  );
  assert.equal(
    log.chain(65n, 101n, 7594297955163570183n).map(({ lsn }) => lsn),
    [7594297933688733708n, 7594297955163570183n],
  );
  assert.is(log.record(65n, 101n, 7594297955163570182n), undefined);
  assert.equal(log.issues, []);
});

test("a hook may take the service's encryption off", () => {
  const asked: unknown[] = [];
  const log = openPageService(SAMPLE, {
    decrypt: (tableId, pageId, lsn, bytes) => {
      asked.push([tableId, pageId, lsn, bytes.length]);
      return pageId === 101n ? Uint8Array.of(1, 2, 3) : undefined;
    },
  });
  const [image, , other] = [...log.records()];
  assert.equal(asked, [
    [65n, 101n, 7594297933688733708n, 74],
    [65n, 104n, 7594298019588079618n, 18],
  ]);
  assert.equal([image?.data, image?.issues], [Uint8Array.of(1, 2, 3), []]);
  assert.equal(
    other?.issues.map(({ code }) => code),
    ["service-encrypted"],
  );
});

/** A line of a dump, made from records; `entry` writes the bytes. */
const lineOf = (pageId: bigint, entries: readonly string[]): string =>
  `{"page_id":${pageId},"entries":[${entries.join(",")}]}`;
const entryOf = (lsn: bigint, kind: number, entry: string, more = ""): string =>
  `{"lsn":{"domain_id":1,"lsn":${lsn}},"entry_type":3,"metadata":{"flags":{"val":{"IntVal":${kind}}},"table_id":{"val":{"IntVal":9}}${more}},"entry":${entry},"previous_lsn":${lsn - 1n}}`;

test("unwrapped blocks as numbers, hex and base64 are the same blocks", () => {
  const store = openPalm(corpusPath("palm", "a_small", "kv_home", "data.mdb"));
  const blocks: Buffer[] = [];
  for (const { tableId, data } of store.records()) if (tableId === 9n) blocks.push(Buffer.from(data));
  for (const write of [
    (block: Buffer) => `[${[...block].join(",")}]`,
    (block: Buffer) => JSON.stringify(block.toString("hex")),
    (block: Buffer) => JSON.stringify(block.toString("base64")),
  ]) {
    const log = logOf(
      blocks.map((block, at) =>
        lineOf(BigInt(at), [
          entryOf(BigInt(at + 1), 1, write(block), ',"is_compressed":{"val":{"BoolVal":true}}'),
        ]),
      ),
    );
    const found = [...log.records()];
    assert.is(found.length, blocks.length);
    found.forEach(({ data, issues, flags }, at) => {
      assert.equal(Buffer.from(data), blocks[at]);
      assert.equal(issues, []);
      assert.is(flags, pageLogFlags.compressed);
    });
  }
});

test("the end of a checkpoint is no record of a page", () => {
  const text = Buffer.from("metadata_lsn=5").toString("hex");
  const log = logOf([lineOf(1n, [entryOf(6n, 3, JSON.stringify(text))]), lineOf(2n, [])]);
  assert.equal([...log.records()], []);
  assert.equal(
    log.checkpoints().map(({ lsn, metadata, place }) => [lsn, Buffer.from(metadata).toString(), place.line]),
    [[6n, "metadata_lsn=5", 1]],
  );
  assert.equal(log.issues, []);
});

test("lines and entries that make no sense are named, the others are read", () => {
  const log = logOf([
    "{ broken",
    '{"page_id":1}',
    lineOf(1n, [
      "7",
      entryOf(3n, 1, "[1]").replace('"lsn":3', '"lsn":-3'),
      entryOf(4n, 1, "[1]", ',"page_id":{"val":{"LongVal":2}}'),
    ]),
    lineOf(5n, [entryOf(9n, 1, '"xyz"'), entryOf(8n, 7, "[300]")]),
  ]);
  const records = [...log.records()];
  assert.equal(
    records.map(({ pageId, lsn, issues }) => [pageId, lsn, issues.map(({ path }) => path)]),
    [
      [2n, 4n, ["entry"]],
      [5n, 8n, ["flags", "entry"]],
      [5n, 9n, ["entry"]],
    ],
  );
  assert.equal(
    log.issues.map(({ code, place, path }) => `${code} ${place.line} ${path}`),
    [
      "jsonl-line 1 ",
      "jsonl-line 2 ",
      "jsonl-field 3 entries[0]",
      "jsonl-field 3 entries[1].lsn",
      "jsonl-field 3 entries[2].metadata.page_id",
    ],
  );
});

const issuesOf = (lines: readonly string[]): string[] => {
  const log = logOf(lines);
  assert.ok([...log.records()].length > 0);
  return log.issues.map(({ severity, place, message }) => `${severity} ${place.line} ${message}`);
};

test("what entries say of their place in the log is checked", () => {
  const entry = (lsn: bigint): string => entryOf(lsn, 1, "[1]");
  assert.equal(issuesOf([lineOf(1n, [entry(9n), entry(7n)]), lineOf(2n, [entry(8n), entry(3n)])]), []);
  assert.equal(issuesOf([lineOf(1n, [entry(7n), entry(9n)])]), [
    "warning 1 entries[1].lsn: newer than the entry before it; entries are newest first",
  ]);
  const cases: Array<[from: string, to: string, problem: string]> = [
    [
      '"domain_id":1',
      '"domain_id":2',
      "warning 2 entries[0].lsn.domain_id: domain 2 among entries of domain 1",
    ],
    ['"domain_id":1', '"domain_id":"x"', "error 2 entries[0].lsn.domain_id: not a 64-bit number"],
    ['"entry_type":3', '"entry_type":4', "info 2 entries[0].entry_type: 4 was not met so far; known is 3"],
    ['"entry_type":3', '"entry_type":-1', "error 2 entries[0].entry_type: not a 64-bit number"],
    [
      '"previous_lsn":8',
      '"previous_lsn":9',
      "error 2 entries[0].previous_lsn: LSN 9 is not before the entry's own, 9",
    ],
    ['"previous_lsn":8', '"previous_lsn":true', "error 2 entries[0].previous_lsn: not a 64-bit number"],
    [
      '"previous_lsn":8',
      '"previous_lsn":6',
      "warning 2 entries[0].previous_lsn: the entry follows LSN 6 in the log, and there is one of LSN 7 between",
    ],
    ['"previous_lsn":8', '"previous_lsn":7', ""],
  ];
  for (const [from, to, problem] of cases) {
    const changed = entry(9n).replace(from, to);
    assert.is.not(changed, entry(9n));
    assert.equal(
      issuesOf([lineOf(1n, [entry(7n), entry(5n)]), lineOf(2n, [changed])]),
      problem === "" ? [] : [problem],
    );
  }
});

test("links of images and tombstones lead to earlier records", () => {
  const linksOf = (lsn: bigint, kind: number, backlink: bigint): string[] => {
    const more = `,"backlink_lsn":{"val":{"LongVal":${backlink}}}`;
    const log = logOf([lineOf(100n, [entryOf(lsn, kind, kind === 2 ? "[]" : "[1]", more)])]);
    const run = new Run({}, 0);
    verifyPageLog(log, run, new Detected(log.path, log.kind));
    return run
      .report()
      .findings.filter(({ field }) => field === "backlinkLsn")
      .map(({ code, severity, lsn }) => `${severity} ${code} ${lsn}`);
  };
  assert.equal(linksOf(1n, 1, 1n), ["error record-image-links 1"]);
  assert.equal(linksOf(1n, 1, 5000n), ["error record-image-links 1"]);
  assert.equal(linksOf(1n, 2, 5000n), ["error record-discard-links 1"]);
  for (const kind of [1, 2]) assert.equal(linksOf(5001n, kind, 5000n), []);
});

test.run();
