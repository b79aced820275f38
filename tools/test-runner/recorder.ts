/**
 * Keeps the outcome of every test of one process. It does not trust uvu's own totals: those leave out tests
 * whose suite was never run and forget the rest of a suite whose hook failed.
 */
import { inspect } from "node:util";
import type { Need, TestEvent } from "./protocol.js";

type State = "registered" | "queued" | "done";

export interface Case {
  readonly name: string;
  state: State;
}

type Handler<A extends unknown[]> = (...args: A) => unknown;

export class Recorder {
  readonly #cases: Case[] = [];
  #running: { skipped: boolean; name: string } | undefined;
  /** Why the tests after it did not run, for their message. */
  #hookFailure: string | undefined;

  constructor(readonly emit: (event: TestEvent) => void) {}

  register(name: string): Case {
    const added: Case = { name, state: "registered" };
    this.#cases.push(added);
    return added;
  }

  /** A test's handler which reports its outcome; whatever it throws reaches uvu as an Error. */
  watchTest<A extends unknown[]>(test: Case, handler: Handler<A>): (...args: A) => Promise<void> {
    return async (...args) => {
      const running = { skipped: false, name: test.name };
      this.#running = running;
      this.emit({ kind: "start", name: test.name });
      try {
        await handler(...args);
        if (!running.skipped) this.emit({ kind: "pass", name: test.name });
      } catch (thrown) {
        this.emit({ kind: "fail", name: test.name, detail: describeThrown(thrown) });
        throw asError(thrown);
      } finally {
        test.state = "done";
        this.#running = undefined;
      }
    };
  }

  watchHook<A extends unknown[]>(name: string, handler: Handler<A>): (...args: A) => Promise<void> {
    return async (...args) => {
      try {
        await handler(...args);
      } catch (thrown) {
        this.#hookFailure = name;
        this.emit({ kind: "fail", name, detail: describeThrown(thrown) });
        throw asError(thrown);
      }
    };
  }

  skip(name: string, reason: string, needs: Need): void {
    if (this.#running) this.#running.skipped = true;
    this.emit({ kind: "skip", name: this.#running?.name ?? name, reason, needs });
  }

  /** Call when nothing is left to run: every test without an outcome becomes a failure. */
  finish(): void {
    for (const test of this.#cases) {
      if (test.state === "done") continue;
      this.emit({ kind: "fail", name: test.name, detail: this.#whyNotRun(test) });
    }
    this.emit({ kind: "finished", registered: this.#cases.length });
  }

  #whyNotRun(test: Case): string {
    if (test.state === "registered") return "never ran: its suite's .run() was not called after it";
    if (this.#hookFailure !== undefined) return `did not run: ${this.#hookFailure} failed`;
    return "did not run: another test is marked .only";
  }
}

/** uvu itself trips over anything that is not an Error. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`threw ${inspect(thrown)}, which is not an Error`);
}

function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return asError(thrown).message;
  const details = "details" in thrown && typeof thrown.details === "string" ? `\n${thrown.details}` : "";
  const heading = thrown.name === "Assertion" ? thrown.message : `${thrown.name}: ${thrown.message}`;
  const cause = thrown.cause === undefined ? "" : `\ncaused by ${describeThrown(thrown.cause)}`;
  return heading + details + usefulFrames(thrown) + cause;
}

const FOREIGN_FRAME = /node:internal|[\\/]node_modules[\\/]uvu[\\/]|[\\/]tools[\\/]test-runner[\\/]/;

function usefulFrames(error: Error): string {
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const own = frames.filter((line) => !FOREIGN_FRAME.test(line)).slice(0, 12);
  return own.map((line) => `\n${line}`).join("");
}
