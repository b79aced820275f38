/**
 * Crash points on a PALite store. A process that is killed leaves the files as they are at that moment, so a copy of
 * the directory at a point is what one leaves that dies there: with its write-ahead logs, locks and all. It is looked at
 * by a follower and by the verifier, and a leader goes on from it.
 *
 * The scenarios with few points are enough for every day; PUGMARK_EVERY_DEATH=1 takes all of them, each in one run with
 * puts in batches and in one with every put committed, and every generation.
 */
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CrashPoint } from "../../src/store/crash-point.js";
import { InputError } from "../../src/store/input-error.js";
import { openPageLog } from "../../src/store/open.js";
import { type OpenWritableOptions, openWritablePageLog } from "../../src/store/open-writable.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import { newestGeneration, type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { type ScenarioName, scenarios } from "../../src/write/scenarios/scenarios.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { type Attempt, Stage } from "../../src/write/scenarios/stage.js";
import { keyBytes, valueBytes } from "../../src/write/scenarios/workload.js";
import { inTemporaryFolder } from "../support/directories.js";
import { watchingFiles } from "../support/file-faults.js";
import { assertHolds, assertSound, SEED } from "../support/scenario-check.js";

const test = suite("crash points of PALite stores");
const isWhole = process.env.PUGMARK_EVERY_DEATH === "1";
const names = Object.keys(scenarios) as ScenarioName[];
const SIZE = 20_000;

interface Point {
  readonly name: CrashPoint;
  /** The newest attempt that was published, and the one that was under way. */
  readonly published: Attempt | undefined;
  readonly open: Attempt | undefined;
}

/** The files at some points, between which nothing was written. */
interface FileState {
  readonly directory: string;
  readonly points: Point[];
}

interface Setting {
  readonly generation: WriteGeneration;
  readonly store: OpenWritableOptions;
}

/** Plays a scenario, and keeps the directory as it is at every crash point. */
function dieEverywhere(
  folder: string,
  name: ScenarioName,
  { generation, store }: Setting,
): { states: FileState[]; stage: Stage } {
  const live = join(folder, "live");
  const states: FileState[] = [];
  const played: { log?: WritablePageLog; stage?: Stage } = {};
  let isChanged = true;
  const onCrashPoint = (point: CrashPoint): void => {
    if (isChanged) states.push({ directory: copyOf(live, join(folder, String(states.length))), points: [] });
    isChanged = false;
    const { stage } = played;
    states.at(-1)?.points.push({ name: point, published: stage?.published, open: stage?.attempts.at(-1) });
  };
  const stage = watchingFiles(
    () => {
      isChanged = true;
    },
    () => {
      played.stage = new Stage({ generation, seed: SEED, size: SIZE, onCrashPoint }, (hook) => {
        played.log = openWritablePageLog(live, { ...store, create: true, onCrashPoint: hook });
        return played.log;
      });
      scenarios[name].play(played.stage);
      return played.stage;
    },
  );
  played.log?.close();
  return { states, stage };
}

/** The one that died is this process, which is still there. */
function copyOf(live: string, directory: string): string {
  cpSync(live, directory, { recursive: true });
  const home = join(directory, "kv_home");
  for (const file of readdirSync(home)) if (file.startsWith(".pugmark-writer-")) rmSync(join(home, file));
  return directory;
}

/** What is left is sound, shows the checkpoint before or the one under way, and can be gone on with. */
function judge(
  { directory, points }: FileState,
  stage: Stage,
  { generation, store }: Setting,
  what: string,
): void {
  const attempt = look(directory, stage, generation, what);
  for (const { name, published, open } of points)
    assert.ok(attempt === published || attempt === open, `${what}, ${name}: neither checkpoint`);
  const log = openWritablePageLog(directory, { ...store, create: true });
  const node = DatabaseNode.open(log, { generation, keyProvider: new ScriptedKeys(SEED, () => 2000) });
  const table = node.checkpointed === undefined ? node.createTable("accounts") : node.table("accounts");
  table.edit([{ key: keyBytes(1_000_001), value: valueBytes("after the crash") }]);
  const { lsn } = node.checkpoint();
  assertSound(log, `${what}, and the next checkpoint`);
  log.close();
  assert.ok(lsn > (attempt?.published?.lsn ?? 0n));
  rmSync(directory, { recursive: true });
}

/** The attempt whose checkpoint is the newest; undefined before there is one. */
function look(
  directory: string,
  stage: Stage,
  generation: WriteGeneration,
  what: string,
): Attempt | undefined {
  const log = opened(directory);
  if (log === undefined) return undefined;
  try {
    assertSound(log, what);
    const lsn = log.checkpoints().at(-1)?.lsn;
    const attempt = stage.attempts.find(({ published }) => published?.lsn === lsn);
    assert.ok(lsn === undefined || attempt !== undefined, `${what}: a checkpoint of nobody`);
    assertHolds(log, lsn === undefined ? undefined : attempt, generation, what);
    return lsn === undefined ? undefined : attempt;
  } finally {
    log.close();
  }
}

/** A store that was hardly begun is no input yet. */
function opened(directory: string): ReturnType<typeof openPageLog> | undefined {
  try {
    return openPageLog(directory);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function run(name: ScenarioName, setting: Setting, what: string): { points: number; states: number } {
  const counts = { points: 0, states: 0 };
  inTemporaryFolder((folder) => {
    const start = performance.now();
    const { states, stage } = dieEverywhere(folder, name, setting);
    for (const [index, state] of states.entries())
      judge(state, stage, setting, `${name}, ${what}, state ${index}`);
    counts.states = states.length;
    counts.points = states.reduce((sum, { points }) => sum + points.length, 0);
    const time = Math.round(performance.now() - start);
    console.log(
      `  ${name}, ${what}: ${counts.points} crash points, ${states.length} states of the files, ${time} ms`,
    );
    assert.ok(!existsSync(join(folder, "0")));
  });
  return counts;
}

const batches: Setting = { generation: newestGeneration, store: {} };
const single: Setting = { generation: newestGeneration, store: { batchBytes: 0 } };
const everyDay: readonly ScenarioName[] = [
  "rotation-checkpoint",
  "crash-restart",
  "failed-put",
  "provider-error",
];

test("every point of scenarios", () => {
  let total = 0;
  for (const name of isWhole ? names : everyDay) {
    total += run(name, batches, "puts in batches").points;
    if (isWhole) total += run(name, single, "every put committed").points;
  }
  console.log(`  ${total} crash points on PALite stores`);
  assert.ok(total > 300);
});

if (isWhole)
  test("every generation", () => {
    for (const generation of Object.values<WriteGeneration>(writeGenerations))
      run("crash-restart", { generation, store: {} }, generation.name);
  });

test.run();
