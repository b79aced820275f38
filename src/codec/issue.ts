import { type FormatError, joinPath } from "./error.js";
import type { Severity } from "./schema.js";

/** A value that was read but is not what the format asks for. */
export interface Issue {
  readonly code: string;
  readonly severity: Severity;
  readonly path: string;
  readonly offset?: number;
  readonly message: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly generation?: string;
}

/** A reading that could not be finished, as an issue. */
export function issueOf(error: FormatError): Issue {
  const { code, path, offset, message, expected, actual, generation } = error;
  return { code, severity: "error", path, message, ...defined({ offset, expected, actual, generation }) };
}

export function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

export const hasErrors = (issues: readonly Issue[]): boolean =>
  issues.some((issue) => issue.severity === "error");

export { joinPath };
