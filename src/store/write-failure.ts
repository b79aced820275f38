import { InputError } from "./input-error.js";
import { PageLogError, type PageLogPlace } from "./page-log-error.js";
import { SqliteError } from "./sqlite-connection.js";

/** What the system and SQLite say, as an error of the page log; other errors stay what they are. */
export function failure(error: unknown, place: PageLogPlace): unknown {
  if (error instanceof SqliteError) return new PageLogError("io", error.message, place, { cause: error });
  if (error instanceof InputError)
    return new PageLogError("unsupported", error.reason, place, { cause: error });
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return new PageLogError(isMissing ? "missing" : "io", error.message, place, { cause: error });
}
