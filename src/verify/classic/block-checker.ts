/** Checks single blocks of a classic file and collects the addresses on their pages. One a thread. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { cellTags } from "../../../formats/cell.js";
import { pageTypes } from "../../../formats/page-header.js";
import { FormatError } from "../../codec/error.js";
import { packedLength, readPackedNumber } from "../../codec/packed.js";
import type { AddressCell, PageSink } from "../../page/walk-types.js";
import type { TableConfig } from "../../tree/table-config.js";
import { type PageRules, PageVerifier } from "../page-verifier.js";
import type { Rule } from "../rule.js";
import { classicChecksum } from "../rules/block/classic-checksum.js";
import { classicHeader } from "../rules/block/classic-header.js";
import { treeAddress } from "../rules/tree/tree-address.js";
import type { Detected, Run } from "../run.js";
import type { AddressColumns, AddressList } from "./address-list.js";
import type { BlockRole, ClassicBlock } from "./block.js";
import type { BlockReader } from "./block-reader.js";

const blockRules: readonly Rule<ClassicBlock>[] = [classicChecksum, classicHeader];

export const childKind = { leaf: 0, internal: 1, overflow: 2 } as const;
const roles: readonly BlockRole[] = ["leaf", "internal", "overflow"];

export class BlockChecker {
  private readonly pages: PageVerifier;
  private readonly rules: PageRules;

  constructor(
    private readonly config: TableConfig,
    readonly reader: BlockReader,
    readonly block: ClassicBlock,
    private readonly run: Run,
    detected: Detected,
  ) {
    this.pages = new PageVerifier(run, detected);
    const bits = /^(\d*)t$/.exec(config.valueFormat);
    this.rules = {
      anyKeyOrder: config.collator !== "",
      ...(bits === null ? {} : { bitsPerRecord: Number(bits[1] || 1) }),
    };
  }

  /** Checks a block and adds the addresses on its page to `found`; false when it is damaged. */
  check(
    bytes: Uint8Array,
    offset: number,
    size: number,
    checksum: number,
    role: BlockRole,
    found: AddressList,
  ): boolean {
    const { block, run } = this;
    run.checked(1, bytes.length);
    if (bytes.length < CLASSIC_BLOCK.payload) return false;
    const before = run.findings.counts.error;
    run.findings.check(blockRules, block.set(bytes, offset, size, checksum, role));
    // What a damaged block says of its cells would only repeat that it is damaged.
    if (run.findings.counts.error !== before) return false;
    if (block.type !== pageTypes.overflow)
      this.pages.verifyClassic(block, this.config, this.rules, this.collect(found));
    return true;
  }

  /** Checks the blocks `from..to` of a list, which ascend by offset. */
  checkAll(list: AddressColumns, from: number, to: number, found: AddressList): void {
    const { offsets, sizes, checksums, kinds } = list;
    this.reader.forEach(list, from, to, (at, bytes) => {
      const role = roles[kinds[at] as number] as BlockRole;
      this.check(bytes, offsets[at] as number, sizes[at] as number, checksums[at] as number, role, found);
    });
  }

  private collect(found: AddressList): PageSink {
    const add = (cell: AddressCell, kind: number): void => {
      try {
        this.pushAddress(found, cell, kind);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.run.findings.add(treeAddress, this.block.place(), {
          field: `image[${error.offset ?? cell.start}]`,
          message: error.message,
          consequence: "the rows below this address are out of reach",
        });
      }
    };
    return {
      // A fast-deleted child may be a leaf only: internal pages are never deleted as a whole.
      child: (cell) => add(cell, cell.tag === cellTags.addressInternal ? childKind.internal : childKind.leaf),
      overflow: (cell) => add(cell, childKind.overflow),
    };
  }

  private pushAddress(found: AddressList, { cookieStart, cookieEnd }: AddressCell, kind: number): void {
    const { image } = this.pages;
    const unit = this.block.allocationSize;
    const units = readPackedNumber(image, cookieStart, cookieEnd, Number.MAX_SAFE_INTEGER);
    let at = cookieStart + packedLength(image[cookieStart] as number);
    const sizeUnits = readPackedNumber(image, at, cookieEnd, 0xffffffff);
    at += packedLength(image[at] as number);
    const checksum = readPackedNumber(image, at, cookieEnd, 0xffffffff);
    if (sizeUnits > 0) found.push((units + 1) * unit, sizeUnits * unit, checksum, kind, this.block.offset);
  }
}
