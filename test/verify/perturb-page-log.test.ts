/**
 * The verifier on a page log of which one record is damaged: every bit of a turtle page, of a key page, of an image
 * and of a delta. Each flip must give an error that names the record, for a checksum covers every one of these bytes.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { specialTables } from "../../formats/index.js";
import type { PageLog } from "../../src/store/types.js";
import type { Finding } from "../../src/verify/index.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { Bounded } from "../support/bounded.js";
import { eachBitFlip, eachTruncation } from "../support/damage.js";
import { type MemoryRecord, memoryPageLog } from "../support/memory-page-log.js";
import { cryptPages, exportedPage, turtle, turtleRecord } from "../support/samples.js";

const { turtle: turtleTable, keyProvider } = specialTables;

const exported = (pageId: number, lsn: number, links: Partial<MemoryRecord> = {}): MemoryRecord => ({
  tableId: 41n,
  pageId: BigInt(pageId),
  lsn: BigInt(lsn),
  data: exportedPage(41, pageId, lsn),
  ...links,
});

/** The turtle page's text names the key page by this LSN, the checkpoint record the turtle page by the other. */
const records: Record<string, MemoryRecord> = {
  "turtle page": {
    tableId: turtleTable.ids[0]!,
    pageId: turtleTable.page,
    lsn: 7629832633374999105n,
    data: turtle.bytes,
  },
  "key page": {
    tableId: keyProvider.ids[0]!,
    pageId: keyProvider.page,
    lsn: 7625638039464706519n,
    data: cryptPages.find(({ generation }) => generation === "K3")!.bytes,
  },
  "image of a leaf": exported(128, 93),
  "image under a delta": exported(101, 2),
  delta: exported(101, 22, { baseLsn: 2n, backlinkLsn: 2n, flags: 2 }),
};

const store = memoryPageLog(Object.values(records), [
  { lsn: 7629832633374999106n, timestamp: 0x69e29c5400000001n, metadata: turtleRecord.bytes },
]);

function errorsOf(log: PageLog): Finding[] {
  const run = new Run({}, log.size);
  verifyPageLog(log, run, new Detected(log.path, log.kind));
  return run.report().findings.filter(({ severity }) => severity === "error");
}

const names = ({ tableId, pageId, lsn }: MemoryRecord, finding: Finding): boolean =>
  finding.tableId === tableId && finding.pageId === pageId && finding.lsn === lsn;

const test = suite("perturbed page log");

test("the sound log lacks nothing but the trees its turtle page leads to", () => {
  const codes = errorsOf(store).map(({ code }) => code);
  assert.equal(codes, ["metadata-root"]);
});

for (const name of ["turtle page", "key page", "image of a leaf", "delta"]) {
  const record = records[name]!;
  const sound = record.data;
  /** Errors of the sound log at the same record do not count. */
  const known = (): Set<string> =>
    new Set(
      errorsOf(store)
        .filter((finding) => names(record, finding))
        .map(({ code }) => code),
    );
  const check = (bounded: Bounded, before: Set<string>, what: string, damaged: Uint8Array): void => {
    record.data = damaged;
    const errors = bounded.call(what, () => errorsOf(store));
    const found = errors.some((finding) => names(record, finding) && !before.has(finding.code));
    if (!found)
      assert.unreachable(`${name}: ${what}: no error names it, only ${errors.map(({ code }) => code)}`);
  };

  test(`${name}: every bit`, () => {
    const before = known();
    const bounded = new Bounded(name, () => errorsOf(store));
    eachBitFlip(sound, (damaged, offset, bit) =>
      check(bounded, before, `byte ${offset} bit ${bit}`, damaged),
    );
    record.data = sound;
    bounded.finish();
  });

  test(`${name}: every length`, () => {
    const before = known();
    const bounded = new Bounded(name, () => errorsOf(store));
    eachTruncation(sound, (shorter) => check(bounded, before, `cut to ${shorter.length}`, shorter));
    record.data = sound;
    bounded.finish();
  });
}

test.run();
