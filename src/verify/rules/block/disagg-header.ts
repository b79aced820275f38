import { blockFlags, combinedHeaderSizes } from "../../../../formats/block-header.js";
import { pageFlags, pageTypes } from "../../../../formats/page-header.js";
import { pageLogFlags } from "../../../../formats/page-log.js";
import type { DisaggBlock } from "../../page-log/block.js";
import type { Rule } from "../../rule.js";

const types: readonly number[] = [pageTypes.rowLeaf, pageTypes.rowInternal];
const knownFlags = {
  D0: blockFlags.dataChecksum | blockFlags.encrypted | blockFlags.compressed,
  D1: blockFlags.dataChecksum | blockFlags.encrypted | blockFlags.compressed,
  modified: blockFlags.dataChecksum | blockFlags.encrypted | blockFlags.compressed | blockFlags.modified,
  extended: blockFlags.dataChecksum | blockFlags.encrypted | blockFlags.compressed | blockFlags.replacement,
};

/** Sizes, versions and flags of a block, against each other and against the record's attributes. */
export const disaggHeader: Rule<DisaggBlock> = {
  code: "block-header",
  severity: "error",
  title: "the headers of a page log's block fit each other and the record that holds it",
  doc: "Page logs: header size 44 to 64 and inside the block, a version this reader knows, delta magic exactly on deltas, flags as in the record, reserved bytes zero (page and block headers §1, §3; page-log stores §3).",
  check(block, found) {
    if (block.tooNew) return;
    const { bytes, combinedHeaderSize: size, generation, flags, type, memSize, record } = block;
    const least = block.oldDelta
      ? combinedHeaderSizes.oldDelta
      : generation === "extended"
        ? combinedHeaderSizes.extended
        : combinedHeaderSizes.base;
    const most = Math.min(bytes.length, combinedHeaderSizes.max);
    if (size < least || size > most)
      found({
        field: "combinedHeaderSize",
        message: "the header size is impossible",
        expected: `${least}..${most}`,
        actual: size,
      });
    if (block.compatibleVersion > block.readerVersion)
      found({
        field: "compatibleVersion",
        message: "the block needs a newer reader",
        expected: `at most ${block.readerVersion}`,
        actual: block.compatibleVersion,
      });
    if (block.isDelta !== record.record.isDelta)
      found({
        field: "magic",
        message: "the record's delta mark and the block's magic disagree",
        expected: record.record.isDelta ? "delta" : "base",
        actual: block.isDelta ? "delta" : "base",
      });
    if (!types.includes(type))
      found({
        field: "type",
        message: `page type ${type} is not written to page logs`,
        expected: types.join(", "),
        actual: type,
      });
    const transformed = block.compressed || block.encrypted;
    if (memSize < least || (!transformed && memSize !== bytes.length))
      found({
        field: "memSize",
        message: "the image size does not fit the record",
        expected: transformed ? `at least ${least}` : bytes.length,
        actual: memSize,
      });
    checkFlags(block, found);
    if ((flags & ~knownFlags[generation]) !== 0)
      found({ field: "flags", severity: "warning", message: "block flags without a meaning", actual: flags });
    if (block.pageVersion > 1)
      found({
        field: "pageVersion",
        message: "page version is too new",
        expected: "0 or 1",
        actual: block.pageVersion,
      });
    if (block.pageReserved !== 0 || block.hasReserved)
      found({ field: "reserved", severity: "warning", message: "reserved header bytes are not zero" });
  },
};

type Found = Parameters<Rule<DisaggBlock>["check"]>[1];

function checkFlags(block: DisaggBlock, found: Found): void {
  const { compressed, encrypted, pageFlags: page } = block;
  const record = block.record.record.flags;
  checkFlag("compressed", compressed, page & pageFlags.compressed, record & pageLogFlags.compressed, found);
  checkFlag("encrypted", encrypted, page & pageFlags.encrypted, record & pageLogFlags.encrypted, found);
}

function checkFlag(name: string, inBlock: boolean, page: number, record: number, found: Found): void {
  const [inPage, inRecord] = [page !== 0, record !== 0];
  if (inBlock !== inPage)
    found({
      field: "flags",
      message: `page header and block header disagree on ${name}`,
      expected: inBlock,
      actual: inPage,
    });
  if (inBlock !== inRecord)
    found({
      field: "flags",
      message: `the record's flags and the block header disagree on ${name}`,
      expected: inBlock,
      actual: inRecord,
    });
}
