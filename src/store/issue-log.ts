/** What is wrong with a container, each thing once, and never more than can be kept. */
import type { Severity } from "../codec/schema.js";
import type { Place, StoreIssue } from "./types.js";

const MAX_ISSUES = 10_000;

export interface IssueDetails {
  readonly severity?: Severity;
  /** Field inside the structure at the place. */
  readonly path?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

export class IssueLog {
  readonly list: StoreIssue[] = [];
  private readonly seen = new Set<string>();

  add(code: string, place: Place, message: string, details: IssueDetails = {}): void {
    const key = `${code} ${place.file} ${place.offset ?? ""} ${place.line ?? ""} ${details.path ?? ""}`;
    if (this.seen.size > MAX_ISSUES || this.seen.has(key)) return;
    this.seen.add(key);
    const full = this.seen.size > MAX_ISSUES;
    this.list.push(
      full ? suppressed(place) : { code, severity: "error", path: "", message, place, ...details },
    );
  }
}

const suppressed = (place: Place): StoreIssue => ({
  code: "issues-suppressed",
  severity: "error",
  path: "",
  message: `more than ${MAX_ISSUES} problems; later ones are not listed`,
  place,
});
