/** Processes that are killed while they write a SQLite store, and what a restarted follower and leader find. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CrashPoint, crashPoints } from "../../src/store/crash-point.js";
import { openPageLog } from "../../src/store/open.js";
import { openWritablePageLog } from "../../src/store/open-writable.js";
import type { PageLog } from "../../src/store/types.js";
import { newestGeneration } from "../../src/write/generation.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import type { ScenarioName } from "../../src/write/scenarios/scenarios.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import type { Attempt } from "../../src/write/scenarios/stage.js";
import { keyBytes, valueBytes } from "../../src/write/scenarios/workload.js";
import { runCli } from "../support/cli.js";
import { inTemporaryFolder } from "../support/directories.js";
import { assertHolds, assertSound, type Played, play, SEED } from "../support/scenario-check.js";

const test = suite("killed processes");
const { tables } = newestGeneration;

/** Runs a scenario in a process of its own; with a point it is killed there. */
function forge(scenario: ScenarioName, output: string, crash?: string): void {
  const run = runCli(
    "forge",
    scenario,
    "--output",
    output,
    "--seed",
    String(SEED),
    ...(crash === undefined ? [] : ["--crash", crash]),
  );
  assert.is(run.status, crash === undefined ? 0 : null, `${scenario} ${crash}: ${run.stderr}`);
  assert.is(run.stderr.includes("KEK"), false, "no key reaches the output");
  assert.is(run.stdout.includes("KEK"), false, "no key reaches the output");
}

function withLog<T>(path: string, use: (log: PageLog) => T): T {
  const log = openPageLog(path);
  try {
    return use(log);
  } finally {
    log.close();
  }
}

/** Sound, and as the attempt left it that was published last; also for a leader, which then goes on. */
function checkStore(path: string, { stage }: Played, what: string): Attempt | undefined {
  const attempt = withLog(path, (log) => {
    assertSound(log, what);
    const lsn = log.checkpoints().at(-1)?.lsn;
    const found = stage.attempts.find(({ published }) => published?.lsn === lsn);
    assertHolds(log, lsn === undefined ? undefined : found, newestGeneration, what);
    return found;
  });
  const keys = goOn(path);
  assert.equal([...keys.loaded], [...(attempt?.key ?? [])], `${what}: a leader's key`);
  withLog(path, (log) => assertSound(log, `${what}, and the next checkpoint`));
  return attempt;
}

function goOn(path: string): ScriptedKeys {
  const log = openWritablePageLog(path, { create: true });
  try {
    const keyProvider = new ScriptedKeys(SEED, () => 2000);
    const node = DatabaseNode.open(log, { keyProvider });
    const table = node.checkpointed === undefined ? node.createTable("accounts") : node.table("accounts");
    table.edit([{ key: keyBytes(1_000_001), value: valueBytes("after the kill") }]);
    node.checkpoint();
    return keyProvider;
  } finally {
    log.close();
  }
}

const rotation = play("rotation-checkpoint");

for (const point of Object.keys(crashPoints) as CrashPoint[])
  test(`killed at ${point}`, () => {
    const index = rotation.points.lastIndexOf(point);
    const passes = rotation.points.slice(0, index + 1).filter((passed) => passed === point).length;
    const { published, open } = rotation.left[index] as Played["left"][number];
    inTemporaryFolder((folder) => {
      const path = `${folder}/store`;
      forge("rotation-checkpoint", path, `${point}:${passes}`);
      if (point === "inside-publish") assert.is(runCli("verify", path).status, 0);
      const attempt = checkStore(path, rotation, point);
      assert.ok(attempt === published || attempt === open, "the checkpoint before, or the one under way");
      if (point === "after-publish") assert.is(attempt, open);
      else assert.is(attempt, published);
    });
  });

/** LSNs of the key pages of a store. */
const keyPages = (log: PageLog): bigint[] =>
  [...log.records()].filter(({ tableId }) => tableId === tables.keyProvider).map(({ lsn }) => lsn);

test("a fresh start persists a key", () => {
  inTemporaryFolder((folder) => {
    forge("fresh-start", `${folder}/store`);
    withLog(`${folder}/store`, (log) => assert.is(keyPages(log).length, 1));
    const attempt = checkStore(`${folder}/store`, play("fresh-start"), "fresh start");
    assert.ok((attempt?.key.length ?? 0) > 0);
  });
});

test("a rotation, then death: the old reference stands, and nothing names the new key", () => {
  inTemporaryFolder((folder) => {
    const played = play("rotation-checkpoint");
    forge("rotation-checkpoint", `${folder}/store`, "after-turtle:2");
    withLog(`${folder}/store`, (log) => assert.is(log.checkpoints().length, 1));
    const attempt = checkStore(`${folder}/store`, played, "rotation, then death");
    assert.is(attempt, played.stage.attempts[0]);
    assert.is.not(String(attempt?.key), String(played.stage.attempts[1]?.key), "it is another key");
  });
});

test("a rotation, then a checkpoint: a restarted follower and leader load exactly the new key", () => {
  inTemporaryFolder((folder) => {
    forge("rotation-checkpoint", `${folder}/store`);
    withLog(`${folder}/store`, (log) => assert.is(keyPages(log).length, 2));
    const attempt = checkStore(`${folder}/store`, rotation, "rotation, then checkpoint");
    assert.is(attempt, rotation.stage.attempts.at(-1));
  });
});

test("no change: no key page, and the same LSN in the turtle page", () => {
  inTemporaryFolder((folder) => {
    forge("no-change", `${folder}/store`);
    const played = play("no-change");
    const [first, second] = played.stage.attempts;
    withLog(`${folder}/store`, (log) => {
      assert.is(log.checkpoints().length, 2);
      assert.equal(keyPages(log), [first?.published?.keyLsn]);
    });
    assert.is(first?.published?.keyLsn, second?.published?.keyLsn);
    checkStore(`${folder}/store`, played, "no change");
  });
});

for (const scenario of ["provider-error", "failed-put"] as const)
  test(`${scenario}: checkpoints fail cleanly, the next one works`, () => {
    inTemporaryFolder((folder) => {
      forge(scenario, `${folder}/store`);
      const played = play(scenario);
      withLog(`${folder}/store`, (log) => assert.is(log.checkpoints().length, 2));
      const attempt = checkStore(`${folder}/store`, played, scenario);
      assert.is(attempt, played.stage.attempts.at(-1));
      const updates = played.stage.keys.updates.map(({ lsn }) => (lsn === undefined ? "error" : "LSN"));
      if (scenario === "provider-error")
        // The first checkpoint's; three failures in getKey; an LSN it refuses; the LSN that counts.
        assert.equal(updates, ["LSN", "error", "error", "error", "LSN", "LSN"]);
      else assert.ok(updates.includes("error") && updates.at(-1) === "LSN");
    });
  });

test.run();
