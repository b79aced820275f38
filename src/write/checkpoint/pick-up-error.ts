/** Why a checkpoint cannot be gone on from. */
export type PickUpErrorCode =
  /** What leads to the tables cannot be read. */
  | "damaged"
  /** The store is of another generation, or it cannot be told of which. */
  | "generation";

export class PickUpError extends Error {
  override readonly name = "PickUpError";

  constructor(
    readonly code: PickUpErrorCode,
    message: string,
  ) {
    super(message);
  }
}
