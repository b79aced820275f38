/**
 * What a test process tells the runner: one JSON object a line on file descriptor 3, written synchronously,
 * so that everything up to a crash, a `process.exit()` or a kill has arrived.
 */
export type TestEvent =
  | { kind: "start"; name: string }
  | { kind: "pass"; name: string }
  | { kind: "fail"; name: string; detail: string }
  | { kind: "skip"; name: string; reason: string; needs: Need }
  /** Every registered test has an outcome. A process that ends without it was cut short. */
  | { kind: "finished"; registered: number };

/** What a skipped test would have needed: skips of `engine` and `browser` can be forbidden in CI. */
export type Need = "engine" | "browser" | "other";

export const EVENT_FD = 3;

/** Under the runner, the place where `test/support/skip.ts` finds who wants to hear about a skip. */
export const SKIP_LISTENER = Symbol.for("pugmark.test.skip");

export type SkipListener = (reason: string, needs: Need) => void;
