/** A repaired page log looked at from all sides. No engine opens these stores here: that is said as well. */
import { existsSync, realpathSync } from "node:fs";
import { specialTables } from "../../../formats/disagg-tables.js";
import { decodeText } from "../../codec/text.js";
import { installNodeAccelerators } from "../../platform/node.js";
import { InputError } from "../../store/input-error.js";
import { openPageLog } from "../../store/open.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import { PageLogDatabase } from "../../tree/page-log/database.js";
import { TreeError } from "../../tree/problem.js";
import type { TableInfo, TreeRow } from "../../tree/types.js";
import type { Finding } from "../../verify/finding.js";
import { CheckFailure, type CheckResult, Checks } from "../checks.js";
import { compareRows } from "../compare-rows.js";
import { sha256 } from "../prepare.js";
import type { RepairVerifyReport } from "../verify.js";
import { findTurtlePage, verifiedLog } from "./look.js";
import type { PageLogRepairPlan } from "./types.js";

export interface PageLogVerifyOptions {
  /** What was to be done; without it nothing can be compared. */
  readonly plan?: PageLogRepairPlan;
  /** The log before the repair (default: what the plan names). */
  readonly before?: string;
}

const METADATA = specialTables.sharedMetadata.uri;
const HISTORY = specialTables.sharedHistoryStore.uri;

/**
 * Full verify, then the plan's puts and checkpoint; every record of the log before; every untouched row of metadata
 * and tables at the checkpoint before and the new one. Never throws for damage: that is a check that failed.
 * @throws InputError when it cannot be opened
 */
export function verifyPageLogRepair(path: string, options: PageLogVerifyOptions = {}): RepairVerifyReport {
  installNodeAccelerators();
  const log = openPageLog(path);
  try {
    const run = new PageLogChecks(log, options);
    const findings = run.all();
    const engine = { asked: false, why: "no engine that opens page logs is at hand" } as const;
    const { ok, list: checks } = run.checks;
    return { schemaVersion: 1, document: "pugmark-repair-verify", path, ok, checks, engine, findings };
  } finally {
    log.close();
  }
}

class PageLogChecks {
  readonly checks = new Checks();

  constructor(
    private readonly log: PageLog,
    private readonly options: PageLogVerifyOptions,
  ) {}

  all(): readonly Finding[] {
    const { checks, log } = this;
    const { plan, before } = this.options;
    const report = verifiedLog(log);
    const findings = report.findings.filter(({ severity }) => severity !== "info");
    checks.run("full verify", () => {
      const [first] = findings.filter(({ severity }) => severity === "error");
      if (first !== undefined)
        throw new CheckFailure(
          `${report.summary.errors} errors, the first: ${first.path ?? ""}: ${first.message}`,
        );
      if (!report.summary.complete) throw new CheckFailure("parts of the log could not be checked");
      return { detail: `${report.summary.pages} pages, ${report.summary.warnings} warnings` };
    });
    checks.run("ids", () => uniqueIds(log));
    if (plan === undefined) checks.skip("state before", "no plan was given: nothing to compare with");
    else if (checks.run("checkpoint", () => newCheckpoint(log, plan)) === true) {
      checks.run("records put", () => plannedPuts(log, plan));
      this.compareRecords(plan, before ?? (isSamePath(plan.path, log.path) ? undefined : plan.path));
      this.compareTables(plan);
    }
    checks.skip("engine", "NOT DONE: no engine that opens page logs is at hand");
    return findings;
  }

  private compareRecords(plan: PageLogRepairPlan, before: string | undefined): void {
    if (before === undefined) {
      this.checks.skip(
        "state before",
        "the plan was made for this log itself: its old records are not compared",
      );
      return;
    }
    const source = this.checks.run("state before", () => sourceOf(before, plan));
    if (source === undefined) return;
    try {
      this.checks.run("records before", () => sameRecords(source, this.log, plan));
    } finally {
      source.close();
    }
  }

  private compareTables(plan: PageLogRepairPlan): void {
    const { checks, log } = this;
    const old = `lsn:${plan.found.checkpointLsn}`;
    const isHistoryOther = plan.history.moved + plan.history.dropped > 0;
    const also = new Set(isHistoryOther ? [HISTORY] : []);
    const database = new PageLogDatabase(log, log.path, {});
    checks.run("metadata rows", () =>
      readable(() => compareRows(metadataOf(database, old), metadataOf(database), plan.changes, also)),
    );
    checks.run("rows of tables", () =>
      readable(() => {
        const gone = new Set(plan.changes.filter(({ new: now }) => now === null).map(({ uri }) => uri));
        return sameTables(database, old, new Set([...gone, METADATA, ...also]));
      }),
    );
    if (isHistoryOther)
      checks.run("history records", () => readable(() => historyCounts(database, old, plan.history)));
  }
}

function readable<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TreeError) throw new CheckFailure(error.message);
    throw error;
  }
}

function uniqueIds(log: PageLog): CheckResult {
  const seen = new Map<bigint, string>();
  for (const { id, uri } of readable(() => filesOf(new PageLogDatabase(log, log.path, {})))) {
    const other = id === undefined ? undefined : seen.get(id);
    if (other !== undefined) throw new CheckFailure(`${other} and ${uri} have id ${id}`);
    if (id !== undefined) seen.set(id, uri);
  }
  return { detail: `all different, of ${seen.size} files` };
}

const filesOf = (database: PageLogDatabase, checkpoint?: string): TableInfo[] =>
  database.tables(checkpoint).filter(({ uri }) => uri.startsWith("file:"));

/** True: the plan's checkpoint is the newest one. */
function newCheckpoint(log: PageLog, { record, turtle }: PageLogRepairPlan): CheckResult<true> {
  const newest = log.checkpoints().at(-1);
  if (
    newest === undefined ||
    decodeText(newest.metadata) !== record.after ||
    String(newest.lsn) !== record.lsn
  )
    throw new CheckFailure(
      "the newest checkpoint is not the plan's: a leader has written since, or the plan is another one",
    );
  const page = findTurtlePage(log, newest);
  if (page === undefined || decodeText(page) !== turtle.after)
    throw new CheckFailure("the turtle page is not the planned one");
  return { value: true, detail: `record and turtle page at LSN ${newest.lsn} are the planned ones` };
}

function plannedPuts(log: PageLog, { puts }: PageLogRepairPlan): CheckResult {
  for (const put of puts) {
    const [table, page, lsn] = [put.tableId, put.pageId, put.lsn].map(BigInt) as [bigint, bigint, bigint];
    const record = log.record(table, page, lsn);
    const same =
      record !== undefined &&
      sha256(record.data) === put.sha256 &&
      String(record.backlinkLsn) === put.backlinkLsn &&
      String(record.baseLsn) === put.baseLsn;
    if (!same) throw new CheckFailure(`table ${table}, page ${page}, LSN ${lsn} is not as it was planned`);
  }
  return { detail: `${puts.length} as planned` };
}

/** The log before, in the state the plan was made for. */
function sourceOf(path: string, plan: PageLogRepairPlan): CheckResult<PageLog> {
  const source = opened(path);
  const newest = source.checkpoints().at(-1);
  if (newest !== undefined && decodeText(newest.metadata) === plan.record.before)
    return { detail: `read from ${path}`, value: source };
  source.close();
  throw new CheckFailure(`${path} is not in the state the plan was made for`);
}

function opened(path: string): PageLog {
  try {
    return openPageLog(path);
  } catch (error) {
    if (error instanceof InputError) throw new CheckFailure(error.message);
    throw error;
  }
}

const isSamePath = (a: string, b: string): boolean =>
  existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b);

/** Everything up to the checkpoint before is there byte for byte; besides that, only what was planned. */
function sameRecords(source: PageLog, log: PageLog, plan: PageLogRepairPlan): CheckResult {
  const last = BigInt(plan.found.checkpointLsn);
  const planned = new Set(plan.puts.map(({ lsn }) => lsn));
  const old = upTo(source, (lsn) => lsn <= last);
  const now = upTo(log, (lsn) => !planned.has(String(lsn)));
  let count = 0;
  for (;;) {
    const [a, b] = [old.next(), now.next()];
    if (a.done === true && b.done === true) break;
    const found = (a.done === true ? b.value : a.value) as PageRecord;
    if (a.done === true || b.done === true || !sameRecord(a.value, b.value))
      throw new CheckFailure(
        `table ${found.tableId}, page ${found.pageId}, LSN ${found.lsn} is in one log only, or another one`,
      );
    count++;
  }
  const checkpoints = (of: PageLog): string[] =>
    of
      .checkpoints()
      .flatMap(({ lsn, timestamp, metadata }) =>
        lsn <= last ? `${lsn} ${timestamp} ${decodeText(metadata)}` : [],
      );
  if (checkpoints(source).join("\n") !== checkpoints(log).join("\n"))
    throw new CheckFailure("a checkpoint before the repair is another one, or gone");
  return { detail: `${count} records and ${checkpoints(log).length} checkpoints as they were` };
}

function* upTo(log: PageLog, wanted: (lsn: bigint) => boolean): Generator<PageRecord, undefined> {
  for (const record of log.records()) if (wanted(record.lsn)) yield record;
  return undefined;
}

/** Checkpoint ids are not kept by every store. */
const sameRecord = (a: PageRecord, b: PageRecord): boolean =>
  a.tableId === b.tableId &&
  a.pageId === b.pageId &&
  a.lsn === b.lsn &&
  a.isDelta === b.isDelta &&
  a.discarded === b.discarded &&
  a.flags === b.flags &&
  a.backlinkLsn === b.backlinkLsn &&
  a.baseLsn === b.baseLsn &&
  Buffer.compare(a.data, b.data) === 0;

function metadataOf(database: PageLogDatabase, checkpoint?: string): Map<string, string> {
  const text = (bytes: Uint8Array): string => decodeText(bytes).replace(/\0$/, "");
  const rows = new Map<string, string>();
  for (const { key, value } of database.table(METADATA, checkpoint).rows())
    rows.set(text(key as Uint8Array), text(value));
  return rows;
}

/** Keys, values and times, at the checkpoint before and at the newest one. */
function sameTables(database: PageLogDatabase, old: string, except: ReadonlySet<string>): CheckResult {
  let [tables, rows] = [0, 0];
  for (const { uri } of filesOf(database, old)) {
    if (except.has(uri)) continue;
    const before = database.table(uri, old).rows();
    for (const row of database.table(uri).rows()) {
      const other = before.next();
      if (other.done === true || !sameRow(row, other.value))
        throw new CheckFailure(`${uri}: row ${rows + 1} is not what it was`);
      rows++;
    }
    if (before.next().done !== true) throw new CheckFailure(`${uri} has fewer rows than before`);
    tables++;
  }
  return { detail: `${rows} rows of ${tables} tables as before, with their times` };
}

const sameRow = (a: TreeRow, b: TreeRow): boolean =>
  Buffer.compare(a.key as Uint8Array, b.key as Uint8Array) === 0 &&
  Buffer.compare(a.value, b.value) === 0 &&
  timesOf(a) === timesOf(b);

const timesOf = ({ window }: TreeRow): string =>
  window === undefined ? "" : Object.entries(window).join(" ");

function historyCounts(
  database: PageLogDatabase,
  old: string,
  { moved, dropped }: PageLogRepairPlan["history"],
): CheckResult {
  const [before, after] = [old, undefined].map((at) => [...database.table(HISTORY, at).rows()].length);
  if (after !== (before as number) - dropped)
    throw new CheckFailure(`${before} records before, ${after} now, ${dropped} were to be given up`);
  return { detail: `${after} of ${before}: ${moved} under another id, ${dropped} given up` };
}
