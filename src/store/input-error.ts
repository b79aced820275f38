/** Why an input cannot be opened at all; what is wrong inside an opened one is a `StoreIssue`. */
export type InputErrorCode =
  /** Nothing is at the path. */
  | "input-missing"
  /** The system does not let us read it. */
  | "input-unreadable"
  | "input-empty"
  /** Nothing we know, or not what it was said to be. */
  | "input-unknown"
  /** Known, but of a generation newer (or older) than what is understood. */
  | "input-unsupported";

export class InputError extends Error {
  override readonly name = "InputError";

  constructor(
    readonly code: InputErrorCode,
    /** As the user gave it. */
    readonly path: string,
    /** What is the matter, without the path. */
    readonly reason: string,
  ) {
    super(`${path === "-" ? "standard input" : path}: ${reason}`);
  }
}

/** The input error behind what opening or reading a path threw; a bug is thrown on. */
export function inputErrorOf(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  if (error instanceof Error && "syscall" in error) return systemError(path, error);
  throw error;
}

/** What errors of the file system mean. */
const REASONS: Readonly<Record<string, string>> = {
  EIO: "the device cannot read it (EIO)",
  EISDIR: "a directory, not a file",
  ELOOP: "a symbolic link that leads back to itself",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
};

/** The input error behind an error of the file system. */
export function systemError(path: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR")
    return new InputError("input-missing", path, "no such file or directory");
  if (code === "EACCES" || code === "EPERM")
    return new InputError("input-unreadable", path, "permission denied");
  return new InputError("input-unreadable", path, (code && REASONS[code]) ?? code ?? message);
}
