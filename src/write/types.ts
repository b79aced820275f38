/** What the parts of the writer hand to one another. */
import type { TimeAggregate, TimeWindow } from "../../formats/time-window.js";
import type { TransformHint } from "../page/images.js";
import type { Encryptor } from "../page/transform/index.js";
import type { WriteGeneration } from "./generation.js";

/** A row as it is to be stored: key and value packed by the table's formats. */
export interface WriteRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Undefined = visible to everybody. */
  readonly window?: TimeWindow | undefined;
}

/** A change of a row of an existing tree; without a value the key is removed. */
export interface RowEdit {
  readonly key: Uint8Array;
  readonly value?: Uint8Array | undefined;
  readonly window?: TimeWindow | undefined;
}

/** How pages of a tree are cut, packed and chained: the engine's settings of the same names. */
export interface TreeOptions extends Pick<TransformHint, "compressor"> {
  readonly generation: WriteGeneration;
  readonly tableId: bigint;
  /** Bytes of a page's uncompressed image. Default 4 KB internal, 32 KB leaf. */
  readonly internalPageMax?: number;
  readonly leafPageMax?: number;
  /** Prefix compression of leaf keys (default false). */
  readonly prefixCompression?: boolean;
  /** A delta is written when it is at most this percentage of the full image (default 20). */
  readonly deltaPct?: number;
  /** Deltas on one image before a full image is due (default 32; 0 = no deltas). */
  readonly maxConsecutiveDelta?: number;
  /** The checkpoint that is being built, for cookies A and B; the one the log has begun when absent. */
  readonly checkpointId?: bigint;
  /** Encrypts every block. */
  readonly encryptor?: Encryptor;
}

/** A tree as a checkpoint leaves it: what its metadata row says of it. */
export interface TreeState {
  /** Address cookie of the root; empty for a tree without rows. */
  readonly root: Uint8Array;
  /** The next page id to be given out; 100 in a new tree. */
  readonly nextPageId: bigint;
  /** Highest write generation of its pages. */
  readonly writeGen: bigint;
  /** Bytes of the records that serve reads of its pages, deltas included. */
  readonly liveBytes: bigint;
  /** Of all its rows; that of rows everybody sees when absent. */
  readonly aggregate?: TimeAggregate | undefined;
}
