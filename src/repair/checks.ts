/** Checks one by one: what was found, and of those that failed what is wrong. */
import { RepairRefusal } from "./error.js";

export type CheckState = "passed" | "failed" | "skipped";

export interface RepairCheck {
  readonly name: string;
  readonly state: CheckState;
  /** What was found; of a failure what is wrong; of a skipped one why. */
  readonly detail: string;
}

/** Why a check failed. */
export class CheckFailure extends Error {}

export interface CheckResult<T = unknown> {
  readonly detail: string;
  readonly value?: T;
  readonly skipped?: boolean;
}

export class Checks {
  readonly list: RepairCheck[] = [];

  get ok(): boolean {
    return this.list.every(({ state }) => state !== "failed");
  }

  /** A check that throws a failure or a refusal has failed; undefined then. */
  run<T>(name: string, work: () => CheckResult<T>): T | undefined {
    try {
      const { detail, value, skipped } = work();
      this.list.push({ name, state: skipped === true ? "skipped" : "passed", detail });
      return value;
    } catch (error) {
      if (!(error instanceof RepairRefusal) && !(error instanceof CheckFailure)) throw error;
      this.list.push({ name, state: "failed", detail: error.message });
      return undefined;
    }
  }

  skip(name: string, detail: string): void {
    this.list.push({ name, state: "skipped", detail });
  }
}
