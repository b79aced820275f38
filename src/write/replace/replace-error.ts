/** Why no chain is replaced; nothing was written. */
export class ReplaceError extends Error {
  override readonly name = "ReplaceError";
}
