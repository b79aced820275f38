/** Judges a page log that a scenario, or a process killed in it, has left. */
import * as assert from "uvu/assert";
import type { CrashHook, CrashPoint } from "../../src/store/crash-point.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { PageLog } from "../../src/store/types.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import type { Database } from "../../src/tree/types.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { newestGeneration, type WriteGeneration } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { type ScenarioName, scenarios } from "../../src/write/scenarios/scenarios.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { type Attempt, Stage, type StageOptions } from "../../src/write/scenarios/stage.js";
import { type DatabaseContent, keyText } from "../../src/write/scenarios/workload.js";

export interface Played {
  readonly log: WritablePageLog;
  readonly stage: Stage;
  /** Crash points in the order in which they were passed. */
  readonly points: readonly CrashPoint[];
  /** What a process leaves that dies there: the states of the log, each with the points at which it is the state. */
  readonly states: readonly LeftState[];
  /** For every point that was passed the state at it. */
  readonly left: readonly LeftState[];
}

export interface LeftState {
  readonly points: CrashPoint[];
  readonly log: MemoryPageLog;
  /** The newest attempt that was published, and the one that was under way. */
  readonly published: Attempt | undefined;
  readonly open: Attempt | undefined;
}

export const SEED = 7;
const SIZE = 20_000;

/** Plays a scenario in memory, and keeps the log as it is at every crash point. */
export function play(name: ScenarioName, options: Partial<StageOptions> = {}): Played {
  const { generation = newestGeneration, seed = SEED, size = SIZE, ...rest } = options;
  const points: CrashPoint[] = [];
  const states = new Map<string, LeftState>();
  const left: LeftState[] = [];
  const played: { log?: WritablePageLog; stage?: Stage } = {};
  const onCrashPoint: CrashHook = (point) => {
    points.push(point);
    const { log, stage } = played;
    if (log === undefined) return;
    const key = [
      log.lastLsn,
      [...log.records()].length,
      log.checkpoints().length,
      stage?.attempts.length,
    ].join();
    const state = states.get(key) ?? stateOf(log, stage);
    states.set(key, state);
    state.points.push(point);
    left.push(state);
  };
  const stage = new Stage({ generation, seed, size, onCrashPoint, ...rest }, (hook) => {
    const old = keepsIds(generation) ? { checkpointIds: true, firstLsn: 1n } : {};
    played.log = new MemoryPageLog({ onCrashPoint: hook, ...old });
    return played.log;
  });
  played.stage = stage;
  scenarios[name].play(stage);
  return { log: played.log as WritablePageLog, stage, points, states: [...states.values()], left };
}

const stateOf = (log: WritablePageLog, stage: Stage | undefined): LeftState => ({
  points: [],
  log: reopened(log),
  published: stage?.published,
  open: stage?.attempts.at(-1),
});

/** The attempt whose checkpoint is the newest in the log: the one under way, when it was published just now. */
export function newestAttempt({ log, published, open }: LeftState): Attempt | undefined {
  const lsn = log.checkpoints().at(-1)?.lsn;
  return lsn === published?.published?.lsn ? published : open;
}

/** Stores counted from 1 and kept checkpoint ids while addresses had these. */
export const keepsIds = ({ cookie }: WriteGeneration): boolean => cookie === "A" || cookie === "B";

/** A log of its own with what another one holds, as a process that starts finds it. */
export const reopened = (log: PageLog): MemoryPageLog =>
  MemoryPageLog.of({
    records: () => log.records(),
    checkpoints: () => log.checkpoints(),
    globals: log.globals,
  });

/** Nothing is wrong with the log; at most it has records no checkpoint names. */
export function assertSound(log: PageLog, what: string): void {
  const run = new Run({}, 0);
  verifyPageLog(log, run, new Detected(log.path, log.kind));
  const { findings, summary } = run.report();
  // Before the first checkpoint there is no tree to check, and an export has no counters while it is being written.
  const whole =
    log.checkpoints().length > 0 && (log.kind !== "page-log-jsonl" || log.globals.lsnCounter !== undefined);
  const normal = whole ? ["record-orphans"] : ["record-orphans", "unchecked"];
  const bad = findings.filter(({ severity, code }) => severity === "error" || !normal.includes(code));
  assert.equal(
    bad.map(({ code, message }) => `${code}: ${message}`),
    [],
    what,
  );
  if (whole) assert.is(summary.complete, true, what);
}

/** The rows of all tables, as the workload counts them. */
export function contentOf(database: Database, names: Iterable<string>): DatabaseContent {
  const tables = new Set(database.tables().map(({ name }) => name));
  return new Map(
    [...names]
      .filter((name) => tables.has(`layered:${name}`))
      .map((name) => [name, rowsOf(database, name)] as const),
  );
}

const decoder = new TextDecoder();

function rowsOf(database: Database, name: string): Map<number, string> {
  const rows = new Map<number, string>();
  for (const { key, value } of database.table(name).rows()) {
    const text = decoder.decode(key as Uint8Array).slice(0, -1);
    const number = Number(text.slice(1));
    assert.is(text, keyText(number));
    rows.set(number, decoder.decode(value).slice(0, -1));
  }
  return rows;
}

/** The log shows exactly what an attempt held: its rows, and its key. */
export function assertHolds(
  log: PageLog,
  attempt: Attempt | undefined,
  generation: WriteGeneration,
  what: string,
): void {
  const keys = new ScriptedKeys(SEED, () => 1000);
  const node = DatabaseNode.open(log, { role: "follower", generation, keyProvider: keys });
  if (attempt === undefined) {
    assert.is(node.checkpointed, undefined, what);
    return;
  }
  assert.ok(node.checkpointed, what);
  assert.is(decoder.decode(keys.loaded), decoder.decode(attempt.key), `${what}: the key`);
  const database = node.reader();
  const content = contentOf(database, attempt.content.keys());
  assert.equal([...content.keys()], [...attempt.content.keys()], `${what}: the tables`);
  for (const [name, rows] of attempt.content) assertRows(content.get(name), rows, `${what}: rows of ${name}`);
}

function assertRows(
  actual: ReadonlyMap<number, string> | undefined,
  expected: ReadonlyMap<number, string>,
  what: string,
): void {
  assert.is(actual?.size, expected.size, what);
  for (const [key, value] of expected)
    if (actual?.get(key) !== value) assert.unreachable(`${what}: ${keyText(key)}`);
}
