/** What a fuzz target is. A target takes any bytes and returns, or throws because its oracle was broken. */
import type { AnyFormat } from "./mutate/site.js";

export interface FuzzTarget {
  /** `format-page`, `walk`, …: the name on the command line, of the corpus folder and of the built file. */
  readonly name: string;
  /** What must hold for every input, in one line. */
  readonly oracle: string;
  /** Valid inputs to begin with, the smallest first. */
  seeds(): Iterable<Uint8Array>;
  /** Strings that a mutator without knowledge of the format would not guess. */
  dictionary?(): Iterable<Uint8Array>;
  /** For coverage by field: the format that is fuzzed, and what an input makes it read. */
  readonly subject?: {
    readonly format: AnyFormat;
    bytesOf(input: Uint8Array): Uint8Array;
    /** The generation they are read as; found out when undefined. */
    generationOf(input: Uint8Array): string | undefined;
  };
  /**
   * One input.
   * @throws Broken when the oracle is; anything else thrown is a defect as well.
   */
  fuzz(input: Uint8Array): void;
  /**
   * The quickest part of that: what a campaign asks of every input. All of it is asked of inputs that reach something
   * new, and of some others; a target without this part is asked for all of it every time.
   * @throws Broken as `fuzz` does for the same input.
   */
  glance?(input: Uint8Array): void;
}

/** The oracle of a target does not hold. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/**
 * The two readings of an input: its first byte chooses. Even: what follows are raw bytes (of formats: 0, the generation is
 * found out; 2 and so on, they are read as the first generation and so on). Odd: what follows are
 * decisions by which a valid input is made and changed, so that even a small input reaches a large page.
 */
export function isRaw(input: Uint8Array): boolean {
  return ((input[0] ?? 0) & 1) === 0;
}

export const RAW = 0;
export const DECIDED = 1;

export const same = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};
