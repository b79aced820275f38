/** What a campaign tells the processes that run a target. */

/** The environment variable that holds `TargetSettings` as JSON. */
export const SETTINGS_VARIABLE = "PUGMARK_FUZZ_TARGET";
/** The environment variable that holds the seed of jsfuzz's choices. */
export const SEED_VARIABLE = "PUGMARK_FUZZ_SEED";

export interface TargetSettings {
  readonly target: string;
  /** The instrumented bundle of all targets. */
  readonly bundle: string;
  /** Where inputs that break the target are kept, one file an input and one beside it with what happened. */
  readonly findings: string;
  /** Signatures that are not reported again. */
  readonly known: readonly string[];
  /** One input may take this much processor time, seconds. */
  readonly inputSeconds: number;
  /** Go on behind a finding that left the process whole. */
  readonly keepGoing: boolean;
}

/** Beside each input that broke a target, as JSON. */
export interface FindingNote {
  readonly target: string;
  readonly signature: string;
  readonly message: string;
  readonly stack: string;
  /** Inputs its process had run by then, this one included; of a lost process nobody knows. */
  readonly inputs?: number;
}

/** What is there before jsfuzz hooks into loading. */
export interface LoaderKept {
  readonly global: { __nodeLoader__?: unknown };
  readonly module: { readonly _extensions: Record<string, unknown> };
}
