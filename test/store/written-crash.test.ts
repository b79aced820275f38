/**
 * What a process leaves that dies while it writes a page log. A killed process leaves the files as they are at that
 * moment, so a copy of the directory right before each change of a file stands for one death; some processes are
 * really killed. Whatever is left opens, shows every completed checkpoint whole, and can be written on.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CrashPoint, crashPoints } from "../../src/store/crash-point.js";
import { InputError } from "../../src/store/input-error.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import { type OpenWritableOptions, openWritablePageLog } from "../../src/store/open-writable.js";
import { PageLogError } from "../../src/store/page-log-error.js";
import type { PageLog } from "../../src/store/types.js";
import { inTemporaryFolder } from "../support/directories.js";
import { watchingFiles } from "../support/file-faults.js";
import { checkpointLines, perform, recordLine } from "../support/written-logs.js";
import { crashScript, crashStores, openCrashStore } from "./crash-script.js";

const test = suite("page logs of processes that died");
const child = fileURLToPath(new URL(`./crash-child${extname(import.meta.url)}`, import.meta.url));

/** Of the writes every so many-th one is a death; all of them with PUGMARK_EVERY_DEATH=1, which takes minutes. */
const EVERY = process.env.PUGMARK_EVERY_DEATH === "1" ? 1 : 37;

/** What the log has to show after so many checkpoints. */
interface Expected {
  readonly checkpoints: readonly string[];
  readonly records: readonly string[];
}

function begun(): MemoryPageLog {
  const model = new MemoryPageLog();
  model.beginCheckpoint();
  return model;
}

const newestOf = (log: PageLog): bigint => log.checkpoints().at(-1)?.lsn ?? 0n;
function shown(log: PageLog): Expected {
  const newest = newestOf(log);
  const records = Array.from(log.records(), (record) => (record.lsn > newest ? "" : recordLine(record)));
  return { checkpoints: checkpointLines(log), records: records.filter((line) => line !== "") };
}

/** State after each checkpoint of the script, and the highest LSN given before each of its steps. */
function expectations(): { states: Expected[]; given: bigint[] } {
  const model = begun();
  const states = [shown(model)];
  const given: bigint[] = [];
  for (const operation of crashScript) {
    given.push(model.lastLsn);
    perform(operation, model, []);
    if (operation.what === "complete") states.push(shown(model));
  }
  given.push(model.lastLsn);
  return { states, given };
}
const { states, given } = expectations();

/** `completed`: checkpoints whose completion returned; `step`: the operation that was under way. */
function check(
  directory: string,
  completed: number,
  step: number,
  what: string,
  options: OpenWritableOptions = {},
): void {
  let found: Expected = { checkpoints: [], records: [] };
  const log = opened(directory);
  if (log !== undefined) {
    found = shown(log);
    assert.equal(
      log.issues.filter(({ severity }) => severity === "error"),
      [],
      what,
    );
    log.close();
  }
  const at = found.checkpoints.length;
  assert.ok(
    at === completed || at === completed + 1,
    `${what}: ${at} checkpoints, ${completed} were completed`,
  );
  assert.equal(found, states[at], what);
  const writer = openWritablePageLog(directory, { ...options, create: true });
  assert.equal(shown(writer), states[at], what);
  assert.is(writer.beginCheckpoint(), BigInt(at + 1));
  assert.equal(
    Array.from(writer.records(), recordLine),
    states[at]?.records,
    `${what}: what was not completed is gone`,
  );
  const page = { tableId: 77n, pageId: 5n, isDelta: false, backlinkLsn: 0n, baseLsn: 0n };
  const lsn = writer.put({ ...page, data: Uint8Array.of(1) });
  assert.ok(lsn > (given[step] ?? 0n), `${what}: LSN ${lsn} was given before`);
  writer.completeCheckpoint({ metadata: Uint8Array.of(65), timestamp: 99n });
  writer.close();
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  assert.equal(
    names.filter((name) => /pugmark|\.lock|-wal|-shm|-journal|\.new/.test(name)),
    [],
    what,
  );
}

/** A store that was hardly begun is no input yet. */
function opened(directory: string): PageLog | undefined {
  try {
    return openPageLog(directory);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

for (const [name, options] of Object.entries(crashStores))
  test(`${name}: right before every change of a file`, () => {
    inTemporaryFolder((folder) => {
      const live = join(folder, "live");
      const model = begun();
      const deaths: Array<{ directory: string; completed: number; step: number; what: string }> = [];
      let [completed, step, writes] = [0, 0, 0];
      watchingFiles(
        (change) => {
          if (!existsSync(live) || (change === "writeSync" && ++writes % EVERY !== 0)) return;
          const directory = join(folder, String(deaths.length));
          cpSync(live, directory, { recursive: true });
          deaths.push({
            directory,
            completed,
            step,
            what: `before ${change} ${deaths.length}, step ${step}`,
          });
        },
        () => {
          const log = openCrashStore(live, options);
          for (const operation of crashScript) {
            perform(operation, model, [log]);
            step++;
            if (operation.what === "complete") completed++;
          }
          log.close();
        },
      );
      assert.ok(deaths.length > 20, `${deaths.length} changes`);
      for (const { directory, what, ...death } of deaths) {
        // The one that died is this process, which is still there.
        for (const path of [directory, join(directory, "kv_home")])
          for (const file of existsSync(path) ? readdirSync(path) : [])
            if (file.startsWith(".pugmark-writer-")) rmSync(join(path, file));
        check(directory, death.completed, death.step, what, options);
      }
    });
  });

const atStore: readonly CrashPoint[] = [
  "before-put",
  "inside-put",
  "after-put",
  "before-publish",
  "inside-publish",
  "after-publish",
];

for (const point of atStore)
  test(`killed: ${point} (${crashPoints[point]})`, () => {
    inTemporaryFolder((folder) => {
      const directory = join(folder, "store");
      // In the second checkpoint.
      const { signal, stdout, stderr } = spawnSync(
        process.execPath,
        [...process.execArgv, child, directory, point],
        { encoding: "utf8" },
      );
      assert.is(signal, "SIGKILL", stderr);
      const [completed = 0, step = 0] = stdout.split(" ").map(Number);
      assert.ok(
        readdirSync(join(directory, "kv_home")).some((file) => file.endsWith(".db.lock")),
        "locks of the dead process",
      );
      check(directory, completed, step + (point.startsWith("after") ? 1 : 0), point);
    });
  });

test("a second writer is told who the first one is, and leaves nothing behind", () => {
  inTemporaryFolder((folder) => {
    for (const kind of ["palite", "page-log-jsonl"] as const) {
      const directory = join(folder, kind);
      const log = openWritablePageLog(directory, { create: true, kind });
      log.beginCheckpoint();
      const before = readdirSync(directory, { recursive: true });
      assert.throws(
        () => openWritablePageLog(directory, { create: true, kind }),
        (error: unknown) =>
          error instanceof PageLogError &&
          error.code === "locked" &&
          error.message.includes(`process ${process.pid}`),
      );
      const other = spawnSync(process.execPath, [...process.execArgv, child, directory, "hold"], {
        encoding: "utf8",
      });
      assert.is(other.stdout, `locked ${process.pid}`, other.stderr);
      assert.equal(readdirSync(directory, { recursive: true }), before);
      log.close();
      openWritablePageLog(directory, { create: true, kind }).close();
    }
  });
});

test.run();
