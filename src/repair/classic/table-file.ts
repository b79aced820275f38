/** A new classic file: its description block alone, or a row store with all its rows and one checkpoint. */
import {
  addressOf,
  type ClassicCheckpointCookie,
  classicCheckpointCookie,
} from "../../../formats/classic-cookie.js";
import { newDescriptionBlock } from "../../../formats/description-block.js";
import { pageVersions } from "../../../formats/page-header.js";
import { bytesToHex } from "../../codec/json.js";
import { BlockAppender } from "./block-appender.js";
import { ListWriter } from "./list-writer.js";
import { RangeSet } from "./range-set.js";
import { newRow, PageCutter } from "./tree-edit.js";

export interface TableFileForm {
  /** Bytes of an allocation unit, and of a page's image at most. */
  readonly unit: number;
  readonly leafPageMax: number;
  readonly internalPageMax: number;
  /** Btree version 2. */
  readonly modern: boolean;
  readonly wholeChecksum: boolean;
}

export interface FileRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What the metadata has to say of the new file's checkpoint. */
export interface TableCheckpoint {
  /** Hex of the cookie. */
  readonly address: string;
  /** Bytes of the tree's blocks. */
  readonly size: number;
  readonly writeGen: bigint;
}

export interface TableFile {
  readonly bytes: Uint8Array;
  /** Undefined without rows: such a file has no checkpoint. */
  readonly checkpoint: TableCheckpoint | undefined;
}

/**
 * Rows must ascend by key, none twice. `texts` gives the settings and the checkpoint list that are kept in the file
 * itself, from the checkpoint with a cookie that does not name the list they are in.
 */
export function buildTableFile(
  form: TableFileForm,
  rows: readonly FileRow[],
  texts: (checkpoint: TableCheckpoint) => { metadata: string; checkpoints: string },
): TableFile {
  const { unit, modern, wholeChecksum } = form;
  const description = newDescriptionBlock(unit);
  if (rows.length === 0) return { bytes: description, checkpoint: undefined };
  const appender = new BlockAppender(unit, unit, 0n);
  const version = modern ? pageVersions.timeWindows : pageVersions.original;
  const model = { flags: 0, version, wholeChecksum };
  const pages = new PageCutter({ ...form, version }, appender);
  const leaves = pages.leaves(
    rows.map(({ key, value }) => newRow(key, value)),
    model,
  );
  const root = pages.rootOver(leaves, model);
  const tree = RangeSet.of(appender.blocks);
  const lists = new ListWriter(appender);
  const alloc = lists.plain("alloc list", tree);
  const partial: ClassicCheckpointCookie = {
    version: 1,
    root: addressOf(root, unit),
    alloc: addressOf(alloc, unit),
    avail: addressOf(undefined),
    discard: addressOf(undefined),
    fileSize: BigInt(appender.fileSize),
    ckptSize: BigInt(tree.bytes - root.size),
  };
  const checkpointOf = (cookie: ClassicCheckpointCookie): TableCheckpoint => ({
    address: bytesToHex(classicCheckpointCookie.build(cookie)),
    size: tree.bytes,
    writeGen: appender.writeGen,
  });
  const avail = lists.avail(RangeSet.of([]), { ...texts(checkpointOf(partial)), cookie: partial });
  const bytes = new Uint8Array(appender.fileSize);
  bytes.set(description);
  for (const block of appender.blocks) bytes.set(block.bytes, block.offset);
  const cookie = { ...partial, avail: addressOf(avail, unit), fileSize: BigInt(bytes.length) };
  return { bytes, checkpoint: checkpointOf(cookie) };
}
