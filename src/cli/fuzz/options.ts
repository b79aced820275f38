import { CommandError } from "../exit.js";
import type { Terminal } from "../terminal.js";
import type { FuzzKit } from "./kit.js";

/** Options of `pugmark fuzz`; each action uses some. */
export interface FuzzOptions {
  readonly action: FuzzAction;
  /** Targets or paths. */
  readonly words: readonly string[];
  readonly all: boolean;
  readonly seconds: number;
  readonly seed: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly known: string | undefined;
  readonly output: string | undefined;
  readonly inputSeconds: number;
  readonly memoryMiB: number;
  readonly target: string | undefined;
  readonly apply: boolean;
  /** `engine`: how many, and the number of the first. */
  readonly cases: number;
  readonly first: number;
  readonly json: boolean;
  readonly html: string | undefined;
}

/** Resolves to whether nothing was found. */
export type FuzzAction = (kit: FuzzKit, options: FuzzOptions, terminal: Terminal) => Promise<boolean>;

/** @throws CommandError unless it is the name of a target. */
export function knownTarget(kit: FuzzKit, name: string): string {
  if (kit.targetByName(name) !== undefined) return name;
  throw new CommandError(`no target ${JSON.stringify(name)} (pugmark fuzz list has them)`);
}

/** @throws CommandError unless there are `least` words. */
export function needWords({ words }: FuzzOptions, least: number, usage: string): readonly string[] {
  if (words.length >= least) return words;
  throw new CommandError(`usage: pugmark fuzz ${usage}`);
}
