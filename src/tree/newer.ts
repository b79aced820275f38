/** Parts of a generation too new: nothing is known of what is in them, so nothing is guessed. */
import type { Issue } from "../codec/index.js";
import { InputError } from "../store/input-error.js";

/** `of a generation too new (version 9)`; undefined where nothing asks for a newer reader. */
export function newerVersion(issues: readonly Issue[]): string | undefined {
  const found = issues.find(({ code }) => code === "unsupported-version");
  if (found === undefined) return undefined;
  const version = found.actual === undefined ? found.message : `version ${found.actual}`;
  return `of a generation too new (${version})`;
}

/**
 * What is asked for by bytes that fit their checksum, or have none, is no damage.
 * @throws InputError `input-unsupported`
 */
export function refuseNewer(issues: readonly Issue[], path: string, what: string): void {
  const newer = newerVersion(issues);
  if (newer !== undefined && !issues.some(({ code }) => code === "checksum"))
    throw new InputError("input-unsupported", path, `${what} is ${newer}`);
}
