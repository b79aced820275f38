import { CLASSIC_BLOCK, DATA_CHECKSUM } from "../../../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes, TRANSFORMED_PAGE } from "../../../../formats/page-header.js";
import { isZero } from "../../../page/zeros.js";
import type { BlockRole, ClassicBlock } from "../../classic/block.js";
import type { Rule } from "../../rule.js";

const internal: readonly number[] = [pageTypes.rowInternal, pageTypes.columnInternal];
const leaf: readonly number[] = [pageTypes.rowLeaf, pageTypes.columnFixed, pageTypes.columnVariable];
const allowed: Record<BlockRole, readonly number[]> = {
  root: [...internal, ...leaf],
  internal,
  leaf,
  overflow: [pageTypes.overflow],
  "extent list": [pageTypes.blockManager],
};
/** Their records are numbered. */
const numbered: readonly number[] = [
  pageTypes.columnInternal,
  pageTypes.columnFixed,
  pageTypes.columnVariable,
];
const EMPTY_VALUES = pageFlags.emptyValuesAll | pageFlags.emptyValuesNone;
const knownFlags = Object.values(pageFlags).reduce((all, mask) => all | mask, 0);

/** Sizes, type and flags of a block. */
export const classicHeader: Rule<ClassicBlock> = {
  code: "block-header",
  severity: "error",
  title: "a classic block's headers fit its address, its place in the tree and each other",
  doc: "Classic files: disk_size is the size in the address, the page type is what the parent says, mem_size fits, reserved bytes are zero (page and block headers §1, §2).",
  check(block, found) {
    const { bytes, size, diskSize, type, role, memSize, entries, flags, blockFlags } = block;
    if (diskSize !== size)
      found({
        field: "diskSize",
        message: "the block's own size is not the one in its address",
        expected: size,
        actual: diskSize,
      });
    const typeFits = allowed[role].includes(type);
    if (!typeFits)
      found({
        field: "type",
        message: `no ${role} block has page type ${type}`,
        expected: allowed[role].join(", "),
        actual: type,
      });
    const least = CLASSIC_BLOCK.payload;
    if (memSize < least || ((flags & TRANSFORMED_PAGE) === 0 && memSize > size))
      found({
        field: "memSize",
        message: "the image size does not fit the block",
        expected: `${least}..${size}`,
        actual: memSize,
      });
    if ((flags & ~knownFlags) !== 0)
      found({
        field: "flags",
        message: "page flags without a meaning: no engine reads the page",
        actual: flags,
      });
    if ((flags & pageFlags.compressed) !== 0 && block.neverCompressed)
      found({
        field: "flags",
        message: "the block is compressed and its file has no compressor: no engine reads the page",
        actual: flags,
      });
    if ((flags & pageFlags.fastTruncate) !== 0 && !internal.includes(type))
      found({ field: "flags", message: "only internal pages have truncated children", actual: flags });
    if (typeFits && (flags & EMPTY_VALUES) !== 0 && type !== pageTypes.rowLeaf)
      found({ field: "flags", message: "only row leaves tell of empty values", actual: flags });
    if ((flags & EMPTY_VALUES) === EMPTY_VALUES)
      found({
        field: "flags",
        message: "a page cannot have both no values and nothing but values",
        actual: flags,
      });
    if ((blockFlags & ~DATA_CHECKSUM) !== 0)
      found({
        field: "blockFlags",
        severity: "warning",
        message: "block flags without a meaning",
        actual: blockFlags,
      });
    const version = bytes[PAGE_HEADER.at.version] as number;
    if (version > 1)
      found({ field: "version", message: "page version is too new", expected: "0 or 1", actual: version });
    if (bytes[PAGE_HEADER.at.reserved] !== 0)
      found({
        field: "reserved",
        message: "the page header's reserved byte is not zero: no engine reads the page",
      });
    if (hasBytes(bytes, CLASSIC_BLOCK.unused, least))
      found({
        field: "reserved",
        severity: "warning",
        message: "reserved bytes of the block header are not zero",
      });
    if (type === pageTypes.overflow && (entries === 0 || least + entries !== memSize))
      found({
        field: "entries",
        message: "an overflow page holds one item, which ends with the image",
        expected: memSize - least,
        actual: entries,
      });
    // Behind an extent list's image stands its checkpoint's information, behind a compressed one its stream.
    if (role !== "extent list" && (flags & TRANSFORMED_PAGE) === 0 && hasBytes(bytes, memSize, bytes.length))
      found({ field: "tail", message: "bytes behind the image are not zero" });
    if (!numbered.includes(type) && block.recno !== 0n)
      found({
        field: "recno",
        message: "only pages of column stores have a record number",
        expected: 0n,
        actual: block.recno,
      });
  },
};

const hasBytes = (bytes: Uint8Array, from: number, to: number): boolean =>
  !isZero(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), from, Math.min(to, bytes.length));
