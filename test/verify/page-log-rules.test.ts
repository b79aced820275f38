/** Every rule of page logs, their trees and their metadata fires on damage made for it, and names the place. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { crc32c } from "../../src/codec/index.js";
import type { CheckpointRecord, PageRecord } from "../../src/store/types.js";
import { compareKeys } from "../../src/tree/keys.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { pageRows } from "../../src/tree/walk.js";
import type { Finding, VerifyOptions } from "../../src/verify/index.js";
import {
  type Contents,
  edited,
  editedAndSealed,
  find,
  findingsOf,
  loadContents,
  logOf,
  mapRecords,
  occurrences,
  replaceText,
} from "../support/log-contents.js";
import { cryptPages } from "../support/samples.js";

const small = loadContents("a_small");
const times = loadContents("e_ts");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Where a finding is to be: those fields of it that are given. */
type Where = Partial<Pick<Finding, "tableId" | "pageId" | "lsn" | "table">>;
const placeOf = ({ tableId, pageId, lsn }: PageRecord): Where => ({ tableId, pageId, lsn });

interface Damage {
  readonly code: string;
  readonly contents: Contents;
  readonly where: Where;
  readonly options?: VerifyOptions;
}

const changed = (contents: Contents, record: PageRecord, change: Partial<PageRecord>): Contents =>
  mapRecords(contents, (other) => (other === record ? { ...record, ...change } : other));
const added = (contents: Contents, ...records: PageRecord[]): Contents => ({
  ...contents,
  records: [...contents.records, ...records],
});
function lastCheckpoint(contents: Contents, change: Partial<CheckpointRecord>): Contents {
  const { checkpoints } = contents;
  const last = checkpoints.at(-1) as CheckpointRecord;
  return { ...contents, checkpoints: [...checkpoints.slice(0, -1), { ...last, ...change }] };
}

/** The record of the newest shared metadata that has a text, and its page's place. */
function metadataRecord(contents: Contents, wanted: string): PageRecord {
  const live = liveMetadata(contents);
  const found = live.findLast(({ data }) => occurrences(data, text(wanted)).length > 0);
  if (found === undefined) throw new Error(`no metadata row with ${wanted}`);
  return found;
}
function liveMetadata(contents: Contents): PageRecord[] {
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const uri = "file:WiredTigerShared.wt_stable";
  const { id } = database.table(uri).info;
  return [...database.table(uri).pages()].flatMap(({ page }) =>
    page.parts.flatMap(({ origin }) =>
      contents.records.filter(
        ({ tableId, pageId, lsn }) => tableId === id && pageId === origin.pageId && lsn === origin.lsn,
      ),
    ),
  );
}
/** Replaces text in the metadata; every checksum above it is made to fit. */
function metadata(code: string, from: string, to: string, contents = small): Damage {
  const record = metadataRecord(contents, from);
  return {
    code,
    contents: editedAndSealed(contents, record, (data) => replaceText(data, from, to)),
    where: { tableId: record.tableId, pageId: record.pageId },
  };
}

/** The NUL behind a value is a blank instead. */
function unterminated(): Damage {
  const record = metadataRecord(small, "id=41,");
  const contents = editedAndSealed(small, record, (data) => {
    data[data.indexOf(0, occurrences(data, text("id=41,"))[0])] = 0x20;
  });
  return { code: "metadata-row-config", contents, where: { table: "file:small.wt_stable" } };
}

/** The turtle page of the newest checkpoint, with another text, and a checkpoint record that fits it. */
function turtle(change: (old: string) => string, more = ""): Contents {
  const record = find(small, 1, 1, 166);
  const data = text(change(read(record.data)));
  const checksum = crc32c(data).toString(16);
  const metadataText = `metadata_lsn=166,metadata_checksum=${checksum}${more}`;
  return lastCheckpoint(changed(small, record, { data }), { metadata: text(metadataText) });
}
const asV2 =
  (more: string) =>
  (old: string): string => {
    const [checkpoint, time] = old.split("\n") as [string, string];
    return `version=2,compatible_version=1,\ncheckpoint=${checkpoint},\n${time}${more}`;
  };

interface LivePage {
  readonly record: PageRecord;
  readonly rows: ReturnType<typeof pageRows>;
}
/** Pages of the newest checkpoint that are one image. */
function livePages(contents: Contents, table: string, type: number): LivePage[] {
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const { id } = database.table(table).info;
  return [...database.table(table).pages()].flatMap(({ page }) => {
    const { pageId, lsn } = page.place;
    const record = contents.records.find(
      (other) => other.tableId === id && other.pageId === pageId && other.lsn === lsn,
    );
    if (page.type !== type || page.parts.length > 1 || record === undefined) return [];
    return [{ record, rows: pageRows(page.parts) }];
  });
}

const delta = find(small, 41, 101, 42);
const image = find(small, 41, 101, 2);
const last = find(small, 41, 101, 139);
const chainRecords = loadContents("a_chain");

/** One delta more than readers take. */
function longChain(): Damage {
  const { records } = chainRecords;
  const deltas = new Map<string, number>();
  for (const record of records) {
    const key = `${record.tableId}/${record.pageId}`;
    deltas.set(key, record.isDelta ? (deltas.get(key) ?? 0) + 1 : 0);
    if (deltas.get(key) !== 32) continue;
    const lsn = record.lsn + 1n;
    const extra = { ...record, lsn, backlinkLsn: record.lsn, data: record.data.slice() };
    return { code: "record-chain-length", contents: added(chainRecords, extra), where: placeOf(extra) };
  }
  throw new Error("no chain of 32 deltas");
}

function firstRoot(): { root: LivePage; first: Uint8Array; second: Uint8Array } {
  const root = livePages(small, "small", pageTypes.rowInternal)[0] as LivePage;
  const pair = root.rows.find((row, at) => root.rows[at + 1]?.data.length === row.data.length);
  const at = root.rows.indexOf(pair as (typeof root.rows)[number]);
  const [first, second] = [root.rows[at], root.rows[at + 1]] as [
    LivePage["rows"][number],
    LivePage["rows"][number],
  ];
  return { root, first: first.data.slice(), second: second.data.slice() };
}

function loop(): Damage {
  const { root, first, second } = firstRoot();
  const contents = editedAndSealed(small, root.record, (data) =>
    data.set(first, occurrences(data, second)[0] as number),
  );
  return { code: "tree-loop", contents, where: placeOf(root.record) };
}

/** A leaf's address cell becomes that of an internal page. */
function wrongKind(): Damage {
  const { root, first } = firstRoot();
  const longTags = 4;
  const contents = editedAndSealed(small, root.record, (data) => {
    const cell = (occurrences(data, first)[0] as number) - 3;
    assert.is((data[cell] as number) >> 4, cellTags.addressLeafNoOverflow - longTags);
    data[cell] = ((data[cell] as number) & 0x0f) | ((cellTags.addressInternal - longTags) << 4);
  });
  return { code: "tree-page-type", contents, where: placeOf(root.record) };
}

/** The highest key of a leaf is raised above its range. */
function strayKey(): Damage {
  const leaf = livePages(small, "small", pageTypes.rowLeaf).find(
    ({ rows }) => compareKeys(rows.at(-1)?.key as Uint8Array, text("key0009")) < 0,
  ) as LivePage;
  const key = leaf.rows.at(-1)?.key as Uint8Array;
  const contents = editedAndSealed(small, leaf.record, (data) => {
    const at = occurrences(data, key)[0] as number;
    data[at] = (data[at] as number) + 1;
  });
  return { code: "tree-key-range", contents, where: placeOf(leaf.record) };
}

/** The oldest value of a leaf becomes older than its parent says. */
function uncovered(): Damage {
  for (const { record } of livePages(times, "t1", pageTypes.rowLeaf)) {
    const at = startOfWindow(record.data);
    if (at === undefined) continue;
    const contents = editedAndSealed(times, record, (data) => {
      data[at] = 0x81;
    });
    const found = findingsOf(contents).filter(({ code }) => code === "tree-times");
    if (found.length > 0) return { code: "tree-times", contents, where: { table: "file:t1.wt_stable" } };
  }
  throw new Error("no leaf whose times could be changed");
}
/** A value cell `8c 28 start…`: a window of start timestamp and transaction, the first of one byte. */
function startOfWindow(data: Uint8Array): number | undefined {
  const [at] = occurrences(data, Uint8Array.of(0x8c, 0x28));
  const first = at === undefined ? undefined : data[at + 2];
  return first !== undefined && first > 0x81 && first < 0xc0 ? (at as number) + 2 : undefined;
}

/** The first key of a history-store page names another table; the others share its beginning. */
function historyOf(): Damage {
  const history = livePages(times, "file:WiredTigerSharedHS.wt_stable", pageTypes.rowLeaf);
  const { record, rows } = history[0] as LivePage;
  const key = rows[0]?.key as Uint8Array;
  const contents = editedAndSealed(times, record, (data) => {
    data[occurrences(data, key)[0] as number] = 0x81;
  });
  return { code: "history-table", contents, where: placeOf(record) };
}
/** A version that ends at 0. */
function endsEarly(): Damage {
  const history = livePages(times, "file:WiredTigerSharedHS.wt_stable", pageTypes.rowLeaf);
  for (const { record, rows } of history) {
    const value = rows.find(({ data }) => (data[0] as number) > 0x80 && (data[0] as number) < 0xc0)?.data;
    if (value === undefined) continue;
    const wanted = value.slice();
    const contents = editedAndSealed(times, record, (data) => {
      data[occurrences(data, wanted)[0] as number] = 0x80;
    });
    return { code: "history-order", contents, where: placeOf(record) };
  }
  throw new Error("no version with a stop of one byte");
}

const tombstone: PageRecord = {
  ...last,
  lsn: 168n,
  isDelta: true,
  discarded: true,
  flags: 2,
  backlinkLsn: 138n,
  baseLsn: 2n,
  data: new Uint8Array(),
};
const stray: PageRecord = { ...image, pageId: 99_999n, lsn: 165n };
const keyPage = cryptPages.find(({ generation }) => generation === "K3")?.bytes as Uint8Array;

function keyPageDamaged(tableId: bigint, damagedAt: number): Damage {
  const where = { tableId, pageId: 1n, lsn: 165n };
  const data = keyPage.map((byte, at) => (at === damagedAt ? byte ^ 0x20 : byte));
  return { code: "key-page", contents: added(small, { ...image, ...where, flags: 0, data }), where };
}

const damages: readonly Damage[] = [
  // Records.
  { code: "record-attributes", contents: changed(small, delta, { flags: 0 }), where: placeOf(delta) },
  {
    code: "record-attributes",
    contents: changed(small, image, { pageId: 0n }),
    where: { tableId: 41n, pageId: 0n },
  },
  {
    code: "record-delta-links",
    contents: changed(small, delta, { backlinkLsn: 2n }),
    where: placeOf(delta),
  },
  { code: "record-image-links", contents: changed(small, image, { baseLsn: 1n }), where: placeOf(image) },
  {
    code: "record-checkpoint-id",
    contents: changed(small, delta, { backlinkCheckpointId: 77n }),
    where: placeOf(delta),
  },
  longChain(),
  { code: "record-discard-links", contents: added(small, tombstone), where: placeOf(tombstone) },
  { code: "record-page-id", contents: added(small, stray), where: placeOf(stray) },
  { code: "record-orphans", contents: loadContents("g_crash"), where: {} },
  {
    code: "record-unreachable",
    contents: added(small, stray),
    where: {},
    options: { allCheckpoints: true },
  },
  {
    code: "block-previous-checksum",
    contents: edited(small, find(small, 41, 101, 62), (data) => {
      data[28] = (data[28] as number) ^ 1;
    }),
    where: { tableId: 41n, pageId: 101n, lsn: 62n },
  },
  {
    code: "block-write-gen",
    contents: edited(small, delta, (data) => {
      data[0] = 0;
    }),
    where: placeOf(delta),
  },
  // LSNs and the store.
  {
    code: "lsn-counter",
    contents: { ...small, globals: { ...small.globals, lsnCounter: 100n } },
    where: { lsn: 167n },
  },
  {
    code: "lsn-gap",
    contents: { ...small, globals: { ...small.globals, lsnCounter: 170n } },
    where: { lsn: 168n },
  },
  { code: "lsn-unique", contents: added(small, { ...image, pageId: 98n, lsn: 165n }), where: { lsn: 165n } },
  {
    code: "store-container",
    contents: {
      ...small,
      issues: [
        { code: "lmdb-page", severity: "error", path: "", message: "damaged", place: { file: "memory" } },
      ],
    },
    where: {},
  },
  ...[1, 4].map((flags) => ({
    code: "record-attributes",
    contents: changed(small, find(small, 1, 1, 166), { flags }),
    where: { tableId: 1n, pageId: 1n, lsn: 166n },
  })),
  // Checkpoints.
  {
    code: "checkpoint-record",
    contents: lastCheckpoint(small, { metadata: text("((") }),
    where: { lsn: 167n },
  },
  { code: "checkpoint-agreement", contents: lastCheckpoint(small, { timestamp: 7n }), where: { lsn: 167n } },
  {
    code: "checkpoint-turtle",
    contents: lastCheckpoint(small, { metadata: text("id=7,metadata_lsn=164") }),
    where: { lsn: 164n },
  },
  {
    code: "checkpoint-order",
    contents: lastCheckpoint(small, { checkpointId: 2n }),
    where: { lsn: 167n },
  },
  {
    code: "checkpoint-counter",
    contents: { ...small, globals: { ...small.globals, checkpointCompleted: 9n } },
    where: { lsn: 167n },
  },
  {
    code: "checkpoint-key-page",
    contents: turtle(asV2(",\nlargest_file_id=99,\nkey_provider=(page.1=(page_id=1,lsn=5),version=1)")),
    where: { lsn: 5n },
  },
  {
    code: "checkpoint-size",
    contents: turtle((old) => old, ",database_size=1,version=1,compatible_version=1"),
    where: { lsn: 167n },
  },
  {
    code: "key-page",
    contents: added(small, {
      ...image,
      tableId: 26n,
      pageId: 1n,
      lsn: 165n,
      flags: 0,
      data: keyPage.map((byte, at) => (at === keyPage.length - 1 ? byte ^ 1 : byte)),
    }),
    where: { tableId: 26n, pageId: 1n, lsn: 165n },
  },
  // Its signature is damaged, byte by byte: it is a key page all the same, in either table.
  ...[26n, 2n].flatMap((tableId) => [0, 1, 2, 3].map((at) => keyPageDamaged(tableId, at))),
  {
    code: "turtle-page",
    contents: changed(small, find(small, 1, 1, 166), { data: text("(WiredTigerCheckpoint.x=") }),
    where: { tableId: 1n, pageId: 1n, lsn: 166n },
  },
  {
    code: "metadata-root",
    contents: mapRecords(small, (record) => (record.lsn === rootLsn(small) ? undefined : record)),
    where: { tableId: 1n, pageId: 1n, lsn: 166n },
  },
  // Metadata.
  metadata("metadata-checkpoint", "checkpoint=(", "chackpoint=("),
  metadata("metadata-duplicate-id", "id=41,", "id=57,", loadContents("trees")),
  metadata("metadata-namespace", "id=41,", "id=40,"),
  metadata("metadata-reference", 'stable="file:small', 'stable="file:smalx'),
  metadata("metadata-row-config", "checkpoint=(", "checkpoint=["),
  unterminated(),
  {
    code: "metadata-file-id",
    contents: turtle(asV2(",\nlargest_file_id=1")),
    where: { table: "file:small.wt_stable" },
  },
  historyOf(),
  endsEarly(),
  // Trees.
  metadata("address-cookie", 'addr="c', 'addr="f'),
  {
    code: "address-record",
    contents: mapRecords(small, (record) => (record === last ? undefined : record)),
    where: placeOf(last),
  },
  {
    code: "address-agreement",
    contents: changed(small, last, { checkpointId: 6n }),
    where: { tableId: 41n },
  },
  {
    code: "tree-keys-lost",
    contents: mapRecords(small, (record) => (record === delta ? undefined : record)),
    where: { tableId: 41n, pageId: 101n, lsn: 62n },
  },
  loop(),
  wrongKind(),
  strayKey(),
  uncovered(),
];

function rootLsn(contents: Contents): bigint {
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const [root] = [...database.table("file:WiredTigerShared.wt_stable").pages()];
  return root?.page.place.lsn as bigint;
}

const test = suite("rules of page logs");

for (const { code, contents, where, options } of damages)
  test(`${code} at ${JSON.stringify(where, (_, value) => (typeof value === "bigint" ? String(value) : value))}`, () => {
    const findings = findingsOf(contents, options);
    const fired = findings.filter((finding) => finding.code === code);
    assert.ok(
      fired.length > 0,
      `it fires; instead: ${findings.map((finding) => `\n${finding.code} ${finding.message}`)}`,
    );
    const isThere = (finding: Finding): boolean =>
      (Object.keys(where) as Array<keyof Where>).every((key) => finding[key] === where[key]);
    assert.ok(
      fired.some(isThere),
      `there, not only at ${fired.map(({ tableId, pageId, lsn, table }) => `\n${tableId} ${pageId} ${lsn} ${table}`)}`,
    );
  });

test.run();
