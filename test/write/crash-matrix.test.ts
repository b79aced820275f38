/** Every crash point of every scenario: what a process leaves that dies there. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CrashPoint, crashPoints } from "../../src/store/crash-point.js";
import type { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { newestGeneration, type WriteGeneration, writeGenerations } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { type ScenarioName, scenarios } from "../../src/write/scenarios/scenarios.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { keyBytes, valueBytes } from "../../src/write/scenarios/workload.js";
import { assertHolds, assertSound, newestAttempt, play, SEED } from "../support/scenario-check.js";

const test = suite("crash matrix");
const names = Object.keys(scenarios) as ScenarioName[];
const passed = new Map<CrashPoint, number>();

/** Looks at what is left at every point; returns how many points and states there are. */
function dieEverywhere(name: ScenarioName, generation: WriteGeneration): { points: number; states: number } {
  const { points, states } = play(name, { generation });
  for (const [index, state] of states.entries()) {
    const what = `${name}, ${generation.name}, state ${index}: ${state.points.join(", ")}`;
    assertSound(state.log, what);
    assertHolds(state.log, newestAttempt(state), generation, what);
    goOn(state.log, generation, what);
    for (const point of state.points) passed.set(point, (passed.get(point) ?? 0) + 1);
  }
  return { points: points.length, states: states.length };
}

/** A leader that starts there writes another checkpoint. */
function goOn(log: MemoryPageLog, generation: WriteGeneration, what: string): void {
  const keyProvider = new ScriptedKeys(SEED, () => 2000);
  const node = DatabaseNode.open(log, { generation, keyProvider });
  const count = log.checkpoints().length;
  const table = count === 0 ? node.createTable("accounts") : node.table("accounts");
  table.edit([{ key: keyBytes(1_000_001), value: valueBytes("after the crash") }]);
  node.checkpoint();
  assert.is(log.checkpoints().length, count + 1);
  assertSound(log, `${what}, and the next checkpoint`);
}

test("every point of every scenario", () => {
  let total = 0;
  for (const name of names) {
    const start = performance.now();
    const { points, states } = dieEverywhere(name, newestGeneration);
    total += points;
    const time = Math.round(performance.now() - start);
    console.log(`  ${name}: ${points} crash points, ${states} states of the store, ${time} ms`);
  }
  console.log(`  ${total} crash points in ${names.length} scenarios`);
  for (const point of Object.keys(crashPoints) as CrashPoint[])
    assert.ok((passed.get(point) ?? 0) > 0, `${point} is reached`);
});

test("every point of a crash and restart in every generation", () => {
  const all = Object.values(writeGenerations).map((one) => dieEverywhere("crash-restart", one).points);
  console.log(`  ${all.reduce((sum, points) => sum + points)} crash points in ${all.length} generations`);
});

test.run();
