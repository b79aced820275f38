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
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept as never;
}

export const hasErrors = (issues: readonly Issue[]): boolean =>
  issues.some((issue) => issue.severity === "error");

export { joinPath };
