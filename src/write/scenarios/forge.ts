/** Stores made from scenarios. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { copyPageLog } from "../../store/copy.js";
import type { CrashHook, CrashPoint } from "../../store/crash-point.js";
import { exportPageLog } from "../../store/jsonl-writer.js";
import { MemoryPageLog, type PageLogContents } from "../../store/memory-page-log.js";
import { openWritablePageLog } from "../../store/open-writable.js";
import type { WritablePageLog } from "../../store/writable.js";
import { type WriteGeneration, type WriteGenerationName, writeGenerations } from "../generation.js";
import type { PublishedCheckpoint } from "../roles/node.js";
import { type Scenario, type ScenarioName, scenarios } from "./scenarios.js";
import { Stage } from "./stage.js";

/** Played in every generation, each in a directory of its name. */
export const ALL_GENERATIONS = "generations";
const PLAYED_IN_ALL: ScenarioName = "rotation-checkpoint";

export type ForgeName = ScenarioName | typeof ALL_GENERATIONS;
export type ForgeLayout = "palite" | "page-log-jsonl";

export interface ForgeOptions {
  readonly scenario: ForgeName;
  /** A directory that is not there or is empty. */
  readonly output: string;
  readonly generation: WriteGeneration;
  readonly seed: number;
  /** Bytes of rows of the scenario `big`. */
  readonly size: number;
  readonly layout: ForgeLayout;
  readonly onCrashPoint?: CrashHook | undefined;
}

export interface ForgedStore {
  readonly path: string;
  readonly generation: WriteGenerationName | string;
  readonly checkpoints: readonly PublishedCheckpoint[];
}

/** Why nothing is made. */
export class ForgeError extends Error {
  override readonly name = "ForgeError";
}

/** What each name makes. */
export const forgeable: Readonly<Record<ForgeName, Pick<Scenario, "summary" | "shows">>> = {
  ...scenarios,
  [ALL_GENERATIONS]: {
    summary: `${PLAYED_IN_ALL} in every generation, each in a directory of its name`,
    shows: "every layout of blocks, deltas, addresses, turtle pages, records and key pages",
  },
};

/**
 * Plays a scenario. The same options make the same records.
 * @throws ForgeError, PageLogError; a store half made stays where it is
 */
export function forge(options: ForgeOptions): ForgedStore[] {
  const { scenario, output } = options;
  checkEmpty(output);
  if (options.onCrashPoint !== undefined && scenario !== ALL_GENERATIONS && isFinished(scenario))
    throw new ForgeError(
      `${scenario} is written to the directory when it is done: no crash point is in there (delta-chains has the same writes)`,
    );
  if (scenario !== ALL_GENERATIONS) return [forgeOne(scenario, options)];
  return Object.values<WriteGeneration>(writeGenerations).map((generation) =>
    forgeOne(PLAYED_IN_ALL, { ...options, generation, output: join(output, generation.name) }),
  );
}

const isFinished = (name: ScenarioName): boolean => (scenarios[name] as Scenario).finish !== undefined;

function checkEmpty(output: string): void {
  if (!existsSync(output)) return;
  const [first] = readdirSync(output);
  if (first !== undefined)
    throw new ForgeError(`${output}: there is ${first} in it; it must be new or empty`);
}

function forgeOne(name: ScenarioName, options: ForgeOptions): ForgedStore {
  const scenario: Scenario = scenarios[name];
  const { output, generation } = options;
  if (scenario.finish !== undefined && generation.tables.turtle === 1n)
    throw new ForgeError(`generation ${generation.name} has no replacements: they came with 2026-03`);
  mkdirSync(output, { recursive: true });
  const inMemory = isFinished(name);
  const opened: { log?: WritablePageLog } = {};
  try {
    const stage = new Stage(options, (hook) => {
      opened.log = inMemory ? new MemoryPageLog({ onCrashPoint: hook }) : openLog(options, hook);
      return opened.log;
    });
    scenario.play(stage);
    const { finish } = scenario;
    if (finish !== undefined) save(finish(stage.pageLog, generation), options);
    const checkpoints = stage.attempts.flatMap(({ published }) => published ?? []);
    return { path: output, generation: generation.name, checkpoints };
  } finally {
    opened.log?.close();
  }
}

const save = (contents: PageLogContents, { layout, output }: ForgeOptions): void =>
  layout === "palite" ? copyPageLog(contents, output) : exportPageLog(contents, output);

/** Times of records, microseconds since 1970: a fixed one, so that a store is the same whenever it is made. */
const RECORD_TIME = 1_790_000_000_000_000n;

function openLog({ output, layout, generation }: ForgeOptions, onCrashPoint: CrashHook): WritablePageLog {
  const { cookie } = generation;
  return openWritablePageLog(output, {
    create: true,
    kind: layout,
    onCrashPoint,
    now: () => RECORD_TIME,
    // The stores of that time counted from 1 and kept checkpoint ids.
    ...(cookie === "A" || cookie === "B" ? { checkpointIds: true, firstLsn: 1n } : {}),
  });
}

/** Kills this process with SIGKILL at the n-th pass of a crash point. */
export function killAt(point: CrashPoint, passes: number): CrashHook {
  let left = passes;
  return (passed) => {
    if (passed !== point || --left > 0) return;
    process.kill(process.pid, "SIGKILL");
    // Nothing more is done, however long the signal takes.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}
