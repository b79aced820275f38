/** Why a tree cannot be written. Nothing of it has been published then. */
export type TreeWriteErrorCode =
  /** Keys do not ascend, or one comes twice. */
  | "unsorted-rows"
  /** A page of the existing tree cannot be read. */
  | "tree-damaged"
  /** The existing tree is of a kind that is not written here. */
  | "tree-unsupported"
  | "bad-options";

export class TreeWriteError extends Error {
  override readonly name = "TreeWriteError";

  constructor(
    readonly code: TreeWriteErrorCode,
    message: string,
  ) {
    super(message);
  }
}
