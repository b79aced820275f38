/** Why a node refuses something. Nothing is changed then. */
export type NodeErrorCode =
  /** A follower only reads. */
  | "follower"
  /** The node is a leader already. */
  | "leader"
  /** The page log that was given cannot be written. */
  | "read-only"
  | "no-table"
  | "table-exists"
  | "table-name"
  /** The table has rows: they are changed by edits. */
  | "table-loaded"
  /** Keys do not ascend, or one comes twice. */
  | "unsorted-rows"
  /** Readers of the generation would take the value for an escaped one, or a deletion. */
  | "escaped-value"
  /** Behind the stable timestamp, or moved back. */
  | "timestamp"
  /** Somebody else has completed a checkpoint in this page log. */
  | "another-leader"
  /** The log has no completed checkpoint with that record. */
  | "no-checkpoint"
  | "closed";

export class NodeError extends Error {
  override readonly name = "NodeError";

  constructor(
    readonly code: NodeErrorCode,
    message: string,
  ) {
    super(message);
  }
}
