/** A campaign: targets in turn, each in slices of time, until the time is over; findings deduplicated and noted. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { corpusSeeds } from "../corpus.js";
import type { FuzzTarget } from "../target.js";
import { RAW } from "../target.js";
import { instrumentedBundle } from "./bundle.js";
import type { FindingNote } from "./settings.js";
import { runSlice, type SliceResult } from "./slice.js";

export interface CampaignOptions {
  readonly targets: readonly FuzzTarget[];
  /** Wall time of the whole campaign, seconds. */
  readonly seconds: number;
  readonly seed: number;
  /** Targets at the same time. */
  readonly jobs: number;
  readonly keepGoing: boolean;
  /** Signatures of defects that are known. */
  readonly known: readonly string[];
  /** Corpora and findings are kept here. */
  readonly folder: string;
  readonly inputSeconds?: number;
  readonly memoryMiB?: number;
  /** No slice is shorter (default 2): shorter ones would mostly start processes, seconds. */
  readonly shortestSlice?: number;
  /** Goes on until every target had a slice, however long starting takes. */
  readonly everyTarget?: boolean;
  /** Another instrumented bundle than that of the build. */
  readonly bundle?: string;
  readonly onStatus?: (status: CampaignStatus) => void;
}

export interface TargetStatus {
  readonly target: FuzzTarget;
  executions: number;
  /** Time spent in it, seconds. */
  seconds: number;
  /** Processor time of that, seconds. */
  processorSeconds: number;
  discoveries: number;
  slices: number;
  /** Why its last slice ran no input; the inputs of a target that was lost are findings. */
  failure?: string;
}

export interface CampaignFinding extends FindingNote {
  /** The input that showed it. */
  readonly file: string;
}

/** Where a campaign stood at the end of a slice, all targets together. */
export interface Moment {
  readonly elapsed: number;
  readonly executions: number;
  readonly discoveries: number;
  readonly findings: number;
}

export interface CampaignStatus {
  readonly elapsed: number;
  readonly history: readonly Moment[];
  readonly targets: readonly TargetStatus[];
  readonly running: readonly string[];
  /** Executions of these, not counted among the targets' yet. */
  readonly underway: number;
  readonly findings: readonly CampaignFinding[];
}

/** No slice is longer, so that a long campaign comes back to every target, seconds. */
const LONGEST_SLICE = 60;
const SHORTEST_SLICE = 2;
const MAX_DICTIONARY = 64;
/** Slices without an input, from the beginning, before it is given up. */
const MAX_FAILURES = 3;
/** How often the status is told while nothing ends, milliseconds. */
const TELL_EVERY = 1000;

export function runCampaign(options: CampaignOptions, signal: AbortSignal): Promise<CampaignStatus> {
  return new Campaign(options).run(signal);
}

class Campaign {
  private started = performance.now();
  private readonly statuses: TargetStatus[];
  /** By target, the executions of its slice so far. */
  private readonly running = new Map<string, number>();
  private readonly known: Set<string>;
  private readonly findingsFolder: string;
  private found: CampaignFinding[] = [];
  private bundle = "";
  private turn = 0;
  /** What starting the last slice took, seconds. */
  private startSeconds = 1;
  private stopped = false;
  private readonly history: Moment[] = [];

  constructor(private readonly options: CampaignOptions) {
    this.statuses = options.targets.map((target) => ({
      target,
      executions: 0,
      seconds: 0,
      processorSeconds: 0,
      discoveries: 0,
      slices: 0,
    }));
    this.known = new Set(options.known);
    this.findingsFolder = join(options.folder, "findings");
  }

  async run(signal: AbortSignal): Promise<CampaignStatus> {
    mkdirSync(this.findingsFolder, { recursive: true });
    this.bundle = this.options.bundle ?? instrumentedBundle();
    for (const { target } of this.statuses) writeSeeds(target, this.corpusOf(target));
    // Making the bundle takes seconds, and is no part of the campaign's time.
    this.started = performance.now();
    const jobs = Math.min(this.options.jobs, this.statuses.length);
    const timer = setInterval(() => this.tell(), TELL_EVERY);
    try {
      await Promise.all(Array.from({ length: jobs }, () => this.work(signal)));
    } finally {
      clearInterval(timer);
    }
    return this.status();
  }

  private corpusOf = ({ name }: FuzzTarget): string => join(this.options.folder, "corpus", name);

  private async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.stopped) {
      const status = this.next();
      const seconds = this.sliceSeconds();
      if (status === undefined || seconds === undefined) return;
      await this.slice(status, seconds, signal);
    }
  }

  /** The target with the fewest slices that nobody is at. */
  private next(): TargetStatus | undefined {
    const idle = this.statuses.filter(({ target }) => !this.running.has(target.name));
    return idle.reduce<TargetStatus | undefined>(
      (least, status) => (least === undefined || status.slices < least.slices ? status : least),
      undefined,
    );
  }

  /** What is left, shared among the targets nobody has been at; nothing when that is too little to start with. */
  private sliceSeconds(): number | undefined {
    const { seconds, jobs, everyTarget = false, shortestSlice = SHORTEST_SLICE } = this.options;
    const left = seconds - this.elapsed();
    const waiting = this.statuses.filter(({ slices }) => slices === 0).length;
    const share = Math.min(LONGEST_SLICE, (left * Math.min(jobs, waiting || 1)) / (waiting || 1));
    const slice = Math.max(share - this.startSeconds, shortestSlice);
    if (everyTarget && waiting > 0) return slice;
    return left < shortestSlice / 2 ? undefined : Math.min(slice, left);
  }

  private async slice(status: TargetStatus, seconds: number, signal: AbortSignal): Promise<void> {
    const { target } = status;
    const { seed, keepGoing, inputSeconds = 10, memoryMiB = 1024 } = this.options;
    status.slices++;
    this.running.set(target.name, 0);
    this.tell();
    const result = await runSlice(
      {
        target: target.name,
        bundle: this.bundle,
        findings: this.findingsFolder,
        known: [...this.known],
        keepGoing,
        corpus: this.corpusOf(target),
        seconds,
        seed: seed + this.turn++,
        inputSeconds,
        memoryMiB,
        onProgress: (executions) => this.running.set(target.name, executions),
      },
      signal,
    );
    this.running.delete(target.name);
    this.startSeconds = result.startSeconds;
    this.add(status, result);
    if (result.ended === undefined) return;
    status.failure = result.ended;
    // Where nothing has run so often, nothing will.
    const nothing = this.found.length === 0 && this.statuses.every(({ executions }) => executions === 0);
    if (nothing && this.turn >= MAX_FAILURES) this.stopped = true;
  }

  private add(
    status: TargetStatus,
    { executions, seconds, processorSeconds, discoveries }: SliceResult,
  ): void {
    status.executions += executions;
    status.seconds += seconds;
    status.processorSeconds += processorSeconds;
    status.discoveries += discoveries;
    this.found = readFindings(this.findingsFolder);
    for (const { signature } of this.found) this.known.add(signature);
    if (this.found.length > 0 && !this.options.keepGoing) this.stopped = true;
    this.history.push({
      elapsed: this.elapsed(),
      executions: this.statuses.reduce((sum, one) => sum + one.executions, 0),
      discoveries: this.statuses.reduce((sum, one) => sum + one.discoveries, 0),
      findings: this.found.length,
    });
    this.tell();
  }

  private elapsed = (): number => (performance.now() - this.started) / 1000;

  private status(): CampaignStatus {
    return {
      elapsed: this.elapsed(),
      history: this.history,
      targets: this.statuses,
      running: [...this.running.keys()],
      underway: [...this.running.values()].reduce((sum, executions) => sum + executions, 0),
      findings: this.found,
    };
  }

  private tell(): void {
    this.options.onStatus?.(this.status());
  }
}

/** Inputs to begin with; words of the dictionary are inputs too, since jsfuzz splices its inputs. */
function writeSeeds(target: FuzzTarget, folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) return;
  const words = [...(target.dictionary?.() ?? [])]
    .slice(0, MAX_DICTIONARY)
    .map((word) => Uint8Array.of(RAW, ...word));
  const inputs = [...target.seeds(), ...corpusSeeds(target.name), ...words];
  for (const [index, input] of inputs.entries())
    writeFileSync(join(folder, `seed-${String(index).padStart(4, "0")}`), input);
}

/** One finding a signature: the smallest input that showed it. */
export function readFindings(folder: string): CampaignFinding[] {
  const best = new Map<string, CampaignFinding & { readonly size: number }>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".json")) continue;
    const file = join(folder, name.slice(0, -".json".length));
    const note = JSON.parse(readFileSync(join(folder, name), "utf8")) as FindingNote;
    const key = `${note.target} ${note.signature}`;
    const { length: size } = readFileSync(file);
    const known = best.get(key);
    if (known === undefined || size < known.size) best.set(key, { ...note, file, size });
  }
  return [...best.values()].map(({ size: _, ...finding }) => finding);
}
