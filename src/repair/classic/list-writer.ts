/** Extent lists written behind the tree they belong to. */
import type { BlockLocation, ClassicCheckpointCookie } from "../../../formats/classic-cookie.js";
import {
  type CheckpointInfo,
  EXTENT_LIST_MAGIC,
  extentList,
  extentListVersions,
  FILE_SIZE_RESERVED,
  pairsLength,
} from "../../../formats/extent-list.js";
import { pageTypes, pageVersions } from "../../../formats/page-header.js";
import { packedSize } from "../../codec/packed.js";
import type { BlockAppender, BlockRole } from "./block-appender.js";
import type { RangeSet } from "./range-set.js";

/** What makes an avail list enough to find its checkpoint without the metadata. */
export interface ListInfo {
  /** Encryption settings, and the file's configuration before this checkpoint. */
  readonly metadata: string;
  /** `checkpoint=(…)` with all checkpoints, this one last, its cookie without the avail list. */
  readonly checkpoints: string;
  /** Without the avail list. */
  readonly cookie: ClassicCheckpointCookie;
}

export class ListWriter {
  constructor(private readonly appender: BlockAppender) {}

  /** A list without ranges has no block. */
  plain(role: BlockRole, set: RangeSet, version?: number): BlockLocation | undefined {
    return set.ranges.length === 0 ? undefined : this.add(role, set, undefined, version);
  }

  avail(set: RangeSet, info: ListInfo, version?: number): BlockLocation {
    const { appender } = this;
    // The size is kept in a field of fixed length: the list's own length does not depend on it.
    const length = payloadOf(set, this.info(info, appender.fileSize)).bytes.length;
    const fileSize = appender.fileSize + appender.sizeFor(length);
    return this.add("avail list", set, this.info(info, fileSize), version);
  }

  private info({ metadata, checkpoints, cookie }: ListInfo, fileSize: number): PartialInfo {
    const size = BigInt(fileSize);
    const fileSizeFill = new Uint8Array(FILE_SIZE_RESERVED - packedSize(size));
    const writeGen = this.appender.writeGen + 1n;
    return { writeGen, fileSize: size, fileSizeFill, metadata, checkpointList: checkpoints, cookie };
  }

  private add(
    role: BlockRole,
    set: RangeSet,
    info: PartialInfo | undefined,
    version?: number,
  ): BlockLocation {
    const { bytes, pairs } = payloadOf(set, info);
    return this.appender.add({
      role,
      type: pageTypes.blockManager,
      flags: 0,
      version: version ?? pageVersions.timeWindows,
      entries: pairs,
      counted: pairs,
      wholeChecksum: true,
      payload: bytes,
    });
  }
}

/** Lengths are left to building. */
type PartialInfo = Omit<CheckpointInfo, "metadataLength" | "checkpointListLength" | "cookieLength">;

function payloadOf(set: RangeSet, info: PartialInfo | undefined): { bytes: Uint8Array; pairs: number } {
  const list = {
    magic: BigInt(EXTENT_LIST_MAGIC),
    magicSize: 0n,
    extents: set.extents(),
    end: 0n,
    version: info === undefined ? extentListVersions.original : extentListVersions.checkpointInfo,
    ...(info && { info: info as CheckpointInfo }),
  };
  return { bytes: extentList.build(list), pairs: pairsLength(list) };
}
