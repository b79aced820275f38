/** The tree of one checkpoint of a classic file: every block that can be reached from the root. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { cellTags } from "../../../formats/cell.js";
import { pageTypes } from "../../../formats/page-header.js";
import { FormatError } from "../../codec/error.js";
import { packedLength, readPackedNumber } from "../../codec/packed.js";
import type { AddressCell, PageSink } from "../../page/walk-types.js";
import type { TableConfig } from "../../tree/table-config.js";
import { type PageRules, PageVerifier } from "../page-verifier.js";
import type { FindingPlace, Rule } from "../rule.js";
import { blockPlace } from "../rules/block/block-place.js";
import { classicChecksum } from "../rules/block/classic-checksum.js";
import { classicHeader } from "../rules/block/classic-header.js";
import { spaceOverlap } from "../rules/classic/space-overlap.js";
import { treeAddress } from "../rules/tree/tree-address.js";
import { treeLoop } from "../rules/tree/tree-loop.js";
import type { Detected, Run } from "../run.js";
import { AddressList } from "./address-list.js";
import type { BlockAddress, BlockRole, ClassicBlock } from "./block.js";
import type { BlockReader } from "./block-reader.js";
import { UnitSet } from "./unit-set.js";

/** Deeper than any tree: page sizes and fan-out allow a dozen levels at most. */
const MAX_DEPTH = 64;
const MAX_BLOCK = 512 * 1024 * 1024;
const blockRules: readonly Rule<ClassicBlock>[] = [classicChecksum, classicHeader];

const childKind = { leaf: 0, internal: 1, overflow: 2 } as const;
const roles: readonly BlockRole[] = ["leaf", "internal", "overflow"];

export class TreeWalk {
  /** Blocks found sound or reported, by any checkpoint. */
  private readonly verified: UnitSet;
  /** False once a page could not be read: what is below it was not seen. */
  whole = true;
  /** Units of all blocks any checkpoint refers to. */
  readonly referenced: UnitSet;
  private reached: UnitSet;
  private readonly pages: PageVerifier;
  private readonly rules: PageRules;
  private readonly unit: number;

  constructor(
    private readonly config: TableConfig,
    private readonly reader: BlockReader,
    private readonly block: ClassicBlock,
    private readonly run: Run,
    detected: Detected,
  ) {
    this.unit = block.allocationSize;
    this.verified = new UnitSet(reader.fileSize / this.unit);
    this.referenced = new UnitSet(reader.fileSize / this.unit);
    this.reached = this.verified;
    this.pages = new PageVerifier(run, detected);
    const bits = /^(\d*)t$/.exec(config.valueFormat);
    this.rules = {
      anyKeyOrder: config.collator !== "",
      ...(bits === null ? {} : { bitsPerRecord: Number(bits[1] || 1) }),
    };
  }

  /** Walks from a root; `holder` is where its address stands. */
  verify(root: BlockAddress, holder: FindingPlace): void {
    this.reached = new UnitSet(this.reader.fileSize / this.unit);
    if (!this.inFile(root.offset, root.size, root.checksum, holder)) {
      this.run.complete = this.whole = false;
      return;
    }
    this.reach(root.offset, holder);
    if (this.verified.has(root.offset / this.unit)) return;
    const bytes = this.reader.read(root.offset, root.size);
    const children = new AddressList();
    this.check(bytes, root.offset, root.size, root.checksum, "root", children);
    this.descend(children, root.offset, 1);
  }

  private inFile(offset: number, size: number, checksum: number, holder: FindingPlace): boolean {
    const { unit } = this;
    const { fileSize } = this.reader;
    if (
      offset % unit === 0 &&
      size % unit === 0 &&
      offset >= unit &&
      size > 0 &&
      size <= MAX_BLOCK &&
      offset + size <= fileSize
    )
      return true;
    const subject = {
      address: { offset, size, checksum },
      allocationSize: unit,
      fileSize,
      place: () => holder,
    };
    this.run.findings.check([blockPlace], subject);
    return false;
  }

  private reach(offset: number, holder: FindingPlace): boolean {
    if (this.reached.add(offset / this.unit)) return true;
    this.run.findings.add(treeLoop, holder, {
      message: `the block at ${offset} is reached a second time`,
      actual: offset,
      consequence: "rows appear twice, or other rows are out of reach",
    });
    return false;
  }

  /** Checks the blocks of a page's addresses: leaves and overflow items at once, internal pages one by one. */
  private descend(children: AddressList, parent: number, depth: number): void {
    if (children.length === 0) return;
    const flat = new AddressList();
    const deep = new AddressList();
    const holder: FindingPlace = { ...this.block.place(), offset: parent };
    for (let i = 0; i < children.length; i++) {
      const [offset, size] = [children.offsets[i] as number, children.sizes[i] as number];
      const [checksum, kind] = [children.checksums[i] as number, children.kinds[i] as number];
      if (!this.inFile(offset, size, checksum, holder) || !this.reach(offset, holder)) continue;
      if (!this.verified.has(offset / this.unit))
        (kind === childKind.internal ? deep : flat).push(offset, size, checksum, kind);
    }
    this.verifyFlat(flat);
    this.verifyDeep(deep, depth);
  }

  private verifyFlat(list: AddressList): void {
    const overflow = new AddressList();
    this.reader.forEach(list, (index, bytes) => {
      const role = roles[list.kinds[index] as number] as BlockRole;
      this.check(
        bytes,
        list.offsets[index] as number,
        list.sizes[index] as number,
        list.checksums[index] as number,
        role,
        overflow,
      );
    });
    if (overflow.length > 0) this.descend(overflow, this.block.offset, MAX_DEPTH);
  }

  private verifyDeep(list: AddressList, depth: number): void {
    for (let i = 0; i < list.length; i++) {
      const [offset, size] = [list.offsets[i] as number, list.sizes[i] as number];
      const children = new AddressList();
      this.check(
        this.reader.read(offset, size),
        offset,
        size,
        list.checksums[i] as number,
        "internal",
        children,
      );
      if (depth < MAX_DEPTH) this.descend(children, offset, depth + 1);
      else
        this.run.unchecked({ ...this.block.place(), offset }, `the tree is deeper than ${MAX_DEPTH} levels`);
    }
  }

  /** Checks one block and collects the addresses on its page. */
  private check(
    bytes: Uint8Array,
    offset: number,
    size: number,
    checksum: number,
    role: BlockRole,
    found: AddressList,
  ): void {
    const { block, run } = this;
    this.verified.add(offset / this.unit);
    this.claim(offset, size);
    run.checked(1, bytes.length);
    if (bytes.length < CLASSIC_BLOCK.payload) return;
    const before = run.findings.counts.error;
    run.findings.check(blockRules, block.set(bytes, offset, size, checksum, role));
    // What a damaged block says of its cells would only repeat that it is damaged.
    if (run.findings.counts.error !== before) {
      if (role === "root" || role === "internal") run.complete = this.whole = false;
      return;
    }
    if (block.type === pageTypes.overflow) return;
    this.pages.verifyClassic(block, this.config, this.rules, this.collect(found));
  }

  private claim(offset: number, size: number): void {
    const twice = this.referenced.addRange(offset / this.unit, size / this.unit);
    if (twice === 0) return;
    this.run.findings.add(
      spaceOverlap,
      { ...this.block.place(), offset },
      {
        message: `${twice * this.unit} bytes of the block at ${offset} belong to another block as well`,
        consequence: "one of the two blocks has been written over the other",
      },
    );
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
    const units = readPackedNumber(image, cookieStart, cookieEnd, Number.MAX_SAFE_INTEGER);
    let at = cookieStart + packedLength(image[cookieStart] as number);
    const sizeUnits = readPackedNumber(image, at, cookieEnd, 0xffffffff);
    at += packedLength(image[at] as number);
    const checksum = readPackedNumber(image, at, cookieEnd, 0xffffffff);
    if (sizeUnits > 0) found.push((units + 1) * this.unit, sizeUnits * this.unit, checksum, kind);
  }
}
