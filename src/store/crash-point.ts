/** Points at which a process that writes may die. They are values, so that tests can name, enumerate and reach each. */

export const crashPoints = {
  "before-put": "nothing of the put is in the log",
  "inside-put": "inside the store's transaction, before it is committed",
  "after-put": "the put has its LSN",
  "before-get-key-size": "before the key provider is asked for the size of a new key blob",
  "between-get-key": "the size is known, the bytes are not",
  "after-get-key": "the key blob is in our buffer, not in the log",
  "before-key-update": "the key page is in the log, the provider does not know its LSN",
  "after-key-update": "the provider knows the LSN, the turtle page is not composed",
  "before-turtle": "all pages are in the log but the turtle page",
  "after-turtle": "the turtle page is in the log, nothing names it",
  "before-publish": "right before the checkpoint record",
  "inside-publish": "inside the store's transaction that publishes, before it is committed",
  "after-publish": "the checkpoint is complete",
} as const;
export type CrashPoint = keyof typeof crashPoints;

/** Told of every point as it is passed. */
export type CrashHook = (point: CrashPoint) => void;

/**
 * Thrown by a hook in place of killing the process, to go on in the same process with what a killed one would have
 * left. It is passed on as it is: nothing is undone, and nobody is told.
 */
export class CrashReached extends Error {
  override readonly name = "CrashReached";

  constructor(readonly point: CrashPoint) {
    super(`stopped at the crash point ${point}`);
  }
}
