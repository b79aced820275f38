/** Page logs as JSON lines in the generation of PALM, whose LSNs have no gaps: what is left at every crash point. */
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CrashHook } from "../../src/store/crash-point.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import type { WritablePageLog } from "../../src/store/writable.js";
import { writeGenerations } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { type ScenarioName, scenarios } from "../../src/write/scenarios/scenarios.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { Stage } from "../../src/write/scenarios/stage.js";
import { keyBytes, valueBytes } from "../../src/write/scenarios/workload.js";
import { inTemporaryFolder } from "../support/directories.js";
import { assertHolds, assertSound, SEED } from "../support/scenario-check.js";

const test = suite("JSON lines without gaps");
const generation = writeGenerations["2025-06"];
const played: readonly ScenarioName[] = ["crash-restart", "failed-put", "provider-error"];

/** Every state of the directory, by its files; returns how many crash points were passed. */
function forgeInto(folder: string, name: ScenarioName): { points: number; states: string[]; stage: Stage } {
  const live = join(folder, "live");
  const states = new Map<string, string>();
  let points = 0;
  const keep = (): void => {
    points++;
    const directory = join(folder, String(states.size));
    const state = hashOf(live);
    if (states.has(state)) return;
    cpSync(live, directory, { recursive: true });
    for (const file of readdirSync(directory))
      if (file.startsWith(".pugmark-writer-")) rmSync(join(directory, file));
    states.set(state, directory);
  };
  const opened: { log?: WritablePageLog } = {};
  const stage = new Stage({ generation, seed: SEED, size: 0, onCrashPoint: keep }, (onCrashPoint) => {
    opened.log = open(live, onCrashPoint);
    return opened.log;
  });
  scenarios[name].play(stage);
  opened.log?.close();
  keep();
  return { points, states: [...states.values()], stage };
}

const open = (path: string, onCrashPoint: CrashHook = () => {}): WritablePageLog =>
  openWritablePageLog(path, {
    create: true,
    kind: "page-log-jsonl",
    checkpointIds: true,
    firstLsn: 1n,
    onCrashPoint,
  });

function hashOf(directory: string): string {
  const hash = createHash("md5");
  for (const name of readdirSync(directory).sort())
    if (name.endsWith(".jsonl")) hash.update(name).update(readFileSync(join(directory, name)));
  return hash.digest("hex");
}

/** As a process that starts finds it: sound, and as an attempt left it. */
function check(directory: string, stage: Stage, what: string): void {
  const log = openPageLog(directory);
  assertSound(log, what);
  const lsn = log.checkpoints().at(-1)?.lsn;
  const attempt = stage.attempts.find(({ published }) => published?.lsn === lsn);
  assertHolds(log, lsn === undefined ? undefined : attempt, generation, what);
  log.close();
}

function goOn(directory: string, what: string): void {
  const log = open(directory);
  const node = DatabaseNode.open(log, { generation, keyProvider: new ScriptedKeys(SEED, () => 2000) });
  const table = node.checkpointed === undefined ? node.createTable("accounts") : node.table("accounts");
  table.edit([{ key: keyBytes(1_000_001), value: valueBytes("after the crash") }]);
  node.checkpoint();
  log.close();
  const left = openPageLog(directory);
  assertSound(left, `${what}, and the next checkpoint`);
  const lsns = [...left.records(), ...left.checkpoints()].map((one) => one.lsn).sort((a, b) => Number(a - b));
  assert.equal(
    lsns,
    Array.from(lsns, (_, index) => BigInt(index + 1)),
    what,
  );
  assert.is(left.globals.lsnCounter, BigInt(lsns.length + 1), what);
  left.close();
}

for (const name of played)
  test(`${name}: every state at a crash point, and the next checkpoint`, () => {
    inTemporaryFolder((folder) => {
      const { points, states, stage } = forgeInto(folder, name);
      console.log(`  ${name}: ${points} crash points, ${states.length} states of the files`);
      assert.ok(states.length > 3);
      for (const [index, directory] of states.entries()) {
        const what = `${name}, state ${index}`;
        // Before anything is published it is no input yet.
        if (statSync(join(directory, "pages.jsonl")).size > 0) check(directory, stage, what);
        goOn(directory, what);
      }
    });
  });

test.run();
