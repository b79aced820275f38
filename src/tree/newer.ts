/** Parts of a generation too new: nothing is known of what is in them, so nothing is guessed. */
import type { Issue } from "../codec/index.js";
import { InputError } from "../store/input-error.js";

/**
 * What is asked for by bytes that fit their checksum, or have none, is no damage.
 * @throws InputError `input-unsupported`
 */
export function refuseNewer(issues: readonly Issue[], path: string, what: string): void {
  const found = issues.find(({ code }) => code === "unsupported-version");
  if (found === undefined || issues.some(({ code }) => code === "checksum")) return;
  const version = found.actual === undefined ? found.message : `version ${found.actual}`;
  throw new InputError("input-unsupported", path, `${what} is of a generation too new (${version})`);
}
