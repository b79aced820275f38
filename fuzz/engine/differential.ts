/**
 * The verifier beside the real engine: small databases made by its own program, damaged, then judged by `wt verify`,
 * `wt dump` and `wt salvage` and by us. Nothing the engine rejects may pass here.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/codec/index.js";
import { CampaignError } from "../campaign/bundle.js";
import { DamagedHome, SoundHome } from "../damage/classic-home.js";
import type { Judgement } from "./judge.js";
import { JudgeRunner } from "./judge-runner.js";
import { quickStart } from "./quick-start.js";
import { LIBRARIES, missingEngine, RandomDatabase, type RandomTable } from "./random-database.js";
import { runWt, type WtLimits, type WtOutcome } from "./run-wt.js";

/** Verdicts of both sides on one case. */
export const verdicts = [
  "both reject",
  "both accept",
  /** Defects of ours: the engine rejects what we accept, rows differ, or something was thrown. */
  "we miss",
  "rows differ",
  "we fail",
  "engine misses",
] as const;
export type Verdict = (typeof verdicts)[number];
export const ourDefects: ReadonlySet<Verdict> = new Set(["we miss", "rows differ", "we fail"]);

export interface EngineOptions {
  readonly cases: number;
  /** The number of the first case: a case is the same whatever was run before it. */
  readonly first: number;
  readonly seed: number;
  readonly jobs: number;
  /** Ends earlier, seconds. */
  readonly seconds: number;
  /** Where homes of findings are kept. */
  readonly folder: string;
  readonly limits?: WtLimits;
  readonly onStatus?: (status: EngineReport) => void;
}

export interface EngineFinding {
  readonly number: number;
  readonly verdict: Verdict;
  /** `verify hang`, `dump crash SIGSEGV`, … */
  readonly died: readonly string[];
  readonly damage: string;
  readonly uri: string;
  readonly config: string;
  readonly codes: readonly string[];
  /** The damaged home and a report, where it was kept. */
  readonly folder?: string;
}

export interface EngineReport {
  readonly seed: number;
  readonly cases: number;
  readonly databases: number;
  readonly seconds: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Cases in which a command of the engine had to be ended, or died of a signal. */
  readonly hangs: number;
  readonly crashes: number;
  readonly salvaged: number;
  /** Codes of what the engine did not notice, with the number of cases. */
  readonly engineMissed: Readonly<Record<string, number>>;
  /** Commands that hung or crashed, with the number of cases. */
  readonly engineDied: Readonly<Record<string, number>>;
  readonly findings: readonly EngineFinding[];
}

/** Cases that are made from one database. */
const CASES_A_DATABASE = 25;
const MAX_ROWS = 300;
/** In one case of so many, every command is run; in the others, what the verdict takes: starting one is slow. */
const ALL_COMMANDS = 4;
/** Homes kept of one kind. */
const KEPT = 3;

/** @throws CampaignError where the engine is not installed. */
export async function runEngineCampaign(options: EngineOptions, signal: AbortSignal): Promise<EngineReport> {
  const missing = missingEngine();
  if (missing !== undefined) throw new CampaignError(missing);
  const campaign = new EngineCampaign(options);
  try {
    return await campaign.run(signal);
  } finally {
    campaign.remove();
  }
}

/** The engine syncs every file it makes: in memory that costs nothing. */
const IN_MEMORY = "/dev/shm";
const scratchRoot = (): string => (existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir());

interface Made {
  readonly database: RandomDatabase;
  readonly sound: SoundHome;
}

class EngineCampaign {
  private readonly started = performance.now();
  private readonly scratch = mkdtempSync(join(scratchRoot(), "pugmark-engine-"));
  /** Where the engine starts at once. */
  private readonly quick = quickStart(this.scratch, LIBRARIES);
  private readonly counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<
    Verdict,
    number
  >;
  private readonly engineMissed: Record<string, number> = {};
  private readonly engineDied: Record<string, number> = {};
  private readonly findings: EngineFinding[] = [];
  private readonly kept = new Map<string, number>();
  private nextBlock: number;
  private done = 0;
  private databases = 0;
  private hangs = 0;
  private crashes = 0;
  private salvaged = 0;

  constructor(private readonly options: EngineOptions) {
    this.nextBlock = Math.floor(options.first / CASES_A_DATABASE);
  }

  async run(signal: AbortSignal): Promise<EngineReport> {
    const jobs = Array.from({ length: this.options.jobs }, (_, job) => this.work(job, signal));
    await Promise.all(jobs);
    return this.report();
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private get isOver(): boolean {
    return (performance.now() - this.started) / 1000 > this.options.seconds;
  }

  /** One database after the other, with all of its cases. */
  private async work(job: number, signal: AbortSignal): Promise<void> {
    const judge = new JudgeRunner();
    const { first, cases } = this.options;
    for (let block = this.nextBlock++; block * CASES_A_DATABASE < first + cases; block = this.nextBlock++) {
      const made = this.make(block);
      const end = Math.min(first + cases, (block + 1) * CASES_A_DATABASE);
      for (let number = Math.max(first, block * CASES_A_DATABASE); number < end; number++) {
        if (signal.aborted || this.isOver) break;
        await this.runCase(number, made, join(this.scratch, `job${job}`), judge);
        this.options.onStatus?.(this.report());
      }
      if (signal.aborted || this.isOver) break;
    }
    await judge.close();
  }

  private make(block: number): Made {
    const home = join(this.scratch, `database${block}`);
    mkdirSync(home);
    const random = seededRandom(this.options.seed * 100_003 + block);
    const database = new RandomDatabase(home, random, {
      maxRows: MAX_ROWS,
      logFile: "100KB",
      ...(this.quick === undefined ? {} : { env: this.quick }),
    });
    database.make();
    this.databases++;
    const names = readdirSync(home).sort();
    const files = names.map((name) => [name, new Uint8Array(readFileSync(join(home, name)))] as const);
    rmSync(home, { recursive: true });
    return { database, sound: new SoundHome(files) };
  }

  private async runCase(
    number: number,
    { database, sound }: Made,
    home: string,
    judge: JudgeRunner,
  ): Promise<void> {
    const random = seededRandom(this.options.seed * 1_000_003 + number);
    const damaged = new DamagedHome(sound);
    const damage = Array.from({ length: random.below(4) === 0 ? 2 : 1 }, () => damaged.change(random));
    const changed = damaged.changed();
    const table = tableOf(database.tables, changed.keys());
    writeHome(home, sound, changed);
    const ours = await judge.judge({ home, uri: table.uri });
    const commands = commandsOf(table);
    const all = random.below(ALL_COMMANDS) === 0;
    const judged = async (env: NodeJS.ProcessEnv | undefined): Promise<Record<string, WtOutcome>> => {
      const outcomes: Record<string, WtOutcome> = {};
      for (const [name, args] of commands) {
        const decided = ours.rejects > 0 && outcomes.verify !== undefined && outcomes.verify.status !== 0;
        if (!all && (name === "salvage" || (name === "dump" && decided))) continue;
        writeHome(home, sound, changed);
        const limits = { ...this.options.limits, ...(env === undefined ? {} : { env }) };
        outcomes[name] = await runWt(["-h", home, "-C", database.open, ...args], limits);
      }
      return outcomes;
    };
    let outcomes = await judged(this.quick);
    // What is told of the engine is told of the engine as it is installed.
    if (this.quick !== undefined && isNotable(ours, outcomes)) outcomes = await judged(undefined);
    if (outcomes.salvage?.status === 0) this.salvaged++;
    const verdict = verdictOf(ours, outcomes.verify as WtOutcome, outcomes.dump);
    const died = diedOf(outcomes);
    this.count(verdict, died, ours);
    if (!isNotable(ours, outcomes)) return;
    const finding = {
      number,
      verdict,
      died,
      damage: damage.join("; "),
      uri: table.uri,
      config: table.config,
    };
    const folder = this.keep(
      { ...finding, codes: ours.codes },
      ours,
      outcomes,
      sound,
      changed,
      database.open,
    );
    this.findings.push({ ...finding, codes: ours.codes, ...(folder === undefined ? {} : { folder }) });
  }

  private count(verdict: Verdict, died: readonly string[], { codes }: Judgement): void {
    this.done++;
    this.counts[verdict]++;
    if (died.some((what) => what.includes("hang"))) this.hangs++;
    if (died.some((what) => what.includes("crash"))) this.crashes++;
    for (const what of died) this.engineDied[what] = (this.engineDied[what] ?? 0) + 1;
    if (verdict !== "engine misses") return;
    for (const code of codes) this.engineMissed[code] = (this.engineMissed[code] ?? 0) + 1;
  }

  /** The damaged home with everything a maintainer needs to see it again; a few of each kind. */
  private keep(
    finding: EngineFinding,
    ours: Judgement,
    outcomes: Readonly<Record<string, WtOutcome>>,
    sound: SoundHome,
    changed: ReadonlyMap<string, Uint8Array | undefined>,
    open: string,
  ): string | undefined {
    const kind = [finding.verdict, ...finding.died, ...finding.codes.slice(0, 1)]
      .join(" ")
      .replaceAll(/\W+/g, "-");
    const count = (this.kept.get(kind) ?? 0) + 1;
    this.kept.set(kind, count);
    if (count > KEPT) return undefined;
    const folder = join(this.options.folder, `${kind}-${finding.number}`);
    writeHome(join(folder, "home"), sound, changed);
    writeFileSync(join(folder, "report.txt"), reportText(finding, ours, outcomes, open, this.options.seed));
    return folder;
  }

  private report(): EngineReport {
    const { done, databases, counts, hangs, crashes, salvaged, engineMissed, engineDied, findings } = this;
    const seconds = (performance.now() - this.started) / 1000;
    const { seed } = this.options;
    return {
      seed,
      cases: done,
      databases,
      seconds,
      counts,
      hangs,
      crashes,
      salvaged,
      engineMissed,
      engineDied,
      findings,
    };
  }
}

const commandsOf = ({ uri }: RandomTable): ReadonlyArray<readonly [string, readonly string[]]> => [
  ["verify", ["verify", uri]],
  ["dump", ["dump", "-x", uri]],
  ["salvage", ["salvage", uri.replace(/^table:(.*)$/, "file:$1.wt")]],
];

/** The table whose file was damaged; where it was the metadata, any. */
function tableOf(tables: readonly RandomTable[], changed: Iterable<string>): RandomTable {
  const files = new Set(changed);
  const damaged = tables.find(({ uri }) => files.has(`${uri.replace(/^\w+:|\.wt$/g, "")}.wt`));
  return damaged ?? (tables[0] as RandomTable);
}

function writeHome(
  home: string,
  sound: SoundHome,
  changed: ReadonlyMap<string, Uint8Array | undefined>,
): void {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  for (const [name, bytes] of new Map<string, Uint8Array | undefined>([...sound.files, ...changed]))
    if (bytes !== undefined) writeFileSync(join(home, name), bytes);
}

function verdictOf(ours: Judgement, verify: WtOutcome, dump: WtOutcome | undefined): Verdict {
  if (ours.thrown !== undefined) return "we fail";
  const engineRejects = verify.status !== 0 || dump?.status !== 0;
  if (engineRejects) return ours.rejects > 0 ? "both reject" : "we miss";
  if (ours.rejects > 0) return "engine misses";
  return ours.rows === dump?.rows ? "both accept" : "rows differ";
}

/** Worth a finding. */
function isNotable(ours: Judgement, outcomes: Readonly<Record<string, WtOutcome>>): boolean {
  const verdict = verdictOf(ours, outcomes.verify as WtOutcome, outcomes.dump);
  return ourDefects.has(verdict) || verdict === "engine misses" || diedOf(outcomes).length > 0;
}

const diedOf = (outcomes: Readonly<Record<string, WtOutcome>>): string[] =>
  Object.entries(outcomes).flatMap(([name, { died, signal }]) =>
    died === undefined ? [] : [`${name} ${died === "hang" ? died : `${died} ${signal}`}`],
  );

function reportText(
  { number, verdict, died, damage, uri, config }: EngineFinding,
  ours: Judgement,
  outcomes: Readonly<Record<string, WtOutcome>>,
  open: string,
  seed: number,
): string {
  const engine = Object.entries(outcomes).flatMap(([name, { status, signal, message }]) => [
    `wt -h home -C '${open}' ${name} ${uri}`,
    `  exit ${status ?? signal}`,
    ...message
      .split("\n")
      .filter(Boolean)
      .slice(0, 12)
      .map((line) => `  ${line}`),
  ]);
  return [
    `${[verdict, ...died].join(", ")}: case ${number} of seed ${seed}`,
    `damage: ${damage}`,
    `table: ${uri} ${config}`,
    "",
    "The engine, each command on a copy of home/:",
    ...engine,
    "",
    "pugmark verify home:",
    ...(ours.thrown === undefined ? ours.findings : [ours.thrown]).map((line) => `  ${line}`),
    "",
    `Again: npx pugmark fuzz engine --seed ${seed} --first ${number} --cases 1`,
    "",
  ].join("\n");
}
