/** Exit codes of the command line, and the errors that lead to them. */

export const EXIT = {
  clean: 0,
  /** Findings at or above `--fail-on`, or lines that could not be decoded. */
  findings: 1,
  /** Usage or I/O. */
  usage: 2,
  /** Input not recognised, or of a generation that is not supported. */
  unrecognised: 3,
  /** Repaired but not clean. */
  notClean: 4,
  /** A bug in pugmark. */
  bug: 5,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something the caller can put right: one line on stderr, exit code 2 unless another is given. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.usage,
  ) {
    super(message);
  }
}

/** The exit code and the one line for an error that is no bug; undefined for a bug. */
export function explainError(error: unknown): { exitCode: ExitCode; line: string } | undefined {
  if (error instanceof CommandError) return { exitCode: error.exitCode, line: error.message };
  if (!(error instanceof Error)) return undefined;
  if (error.name === "InputError") return { exitCode: inputExitCode(error), line: error.message };
  const { syscall, code, path } = error as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return undefined;
  return { exitCode: EXIT.usage, line: `${path === undefined ? "" : `${path}: `}${systemReason(code)}` };
}

/** Inputs that are there but are nothing pugmark knows; every other input error is one of I/O. */
const UNRECOGNISED = new Set(["input-unknown", "input-unsupported"]);

const inputExitCode = (error: Error): ExitCode =>
  UNRECOGNISED.has(String((error as { code?: unknown }).code)) ? EXIT.unrecognised : EXIT.usage;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  EEXIST: "exists already",
  ENOSPC: "no space left on the device",
  EMFILE: "too many open files",
  EIO: "the device reports an I/O error",
  ELOOP: "too many symbolic links",
  EROFS: "the file system is read-only",
};

const systemReason = (code: string): string => REASONS[code] ?? `system error ${code}`;
