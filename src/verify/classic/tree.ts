/** The tree of one checkpoint of a classic file: every block that can be reached from the root. */
import type { FindingPlace } from "../rule.js";
import { blockPlace } from "../rules/block/block-place.js";
import { spaceOverlap } from "../rules/classic/space-overlap.js";
import { treeLoop } from "../rules/tree/tree-loop.js";
import type { Run } from "../run.js";
import { AddressList } from "./address-list.js";
import type { BlockAddress, ClassicBlock } from "./block.js";
import type { BlockChecker } from "./block-checker.js";
import type { LeafQueue } from "./leaf-queue.js";
import { rangeText } from "./lost-rows.js";
import { childKind } from "./page-children.js";
import { UnitSet } from "./unit-set.js";

/** Deeper than any tree: page sizes and fan-out allow a dozen levels at most. */
const MAX_DEPTH = 64;
const MAX_BLOCK = 512 * 1024 * 1024;

const TREE_LOST = "the tree cannot be opened: all its rows are out of reach";

const outOfReach = ({ table, range }: ClassicBlock): string =>
  `${table === undefined ? "" : `${table}: `}the rows below this address are out of reach: ${rangeText(range)}`;

export class TreeWalk {
  /** Units of all blocks any checkpoint refers to. */
  readonly referenced: UnitSet;
  /** Blocks that are checked or waiting to be, by any checkpoint. */
  private readonly verified: UnitSet;
  private reached: UnitSet;
  private readonly lists: AddressList[] = [];
  private readonly unit: number;
  private readonly fileSize: number;

  constructor(
    private readonly checker: BlockChecker,
    /** Leaves and overflow items wait here, to be checked many at a time. */
    private readonly leaves: LeafQueue,
    private readonly run: Run,
  ) {
    this.unit = checker.block.allocationSize;
    this.fileSize = checker.reader.fileSize;
    const units = this.fileSize / this.unit;
    this.verified = new UnitSet(units);
    this.referenced = new UnitSet(units);
    this.reached = this.verified;
  }

  /** Walks from a root; `holder` is where its address stands. */
  verify({ offset, size, checksum }: BlockAddress, holder: FindingPlace): void {
    this.reached = new UnitSet(this.fileSize / this.unit);
    if (!this.isInFile(offset, size)) {
      this.addPlace({ offset, size, checksum }, holder, TREE_LOST);
      this.run.complete = false;
      this.run.unreadPages++;
      return;
    }
    if (this.enter(offset, size, holder)) this.checkDeep(offset, size, checksum, "root", 0);
    this.finishLeaves();
  }

  private isInFile(offset: number, size: number): boolean {
    const { unit, fileSize } = this;
    const aligned = offset % unit === 0 && size % unit === 0;
    return aligned && offset >= unit && size > 0 && size <= MAX_BLOCK && offset + size <= fileSize;
  }

  /** An address that leads to no block. */
  private reportPlace(list: AddressList, at: number, holder: FindingPlace): void {
    const { block } = this.checker;
    const kind = list.kinds[at] as number;
    block.low = list.lowOf(at);
    block.high = list.highOf(at);
    if (kind !== childKind.overflow) this.run.unreadPages++;
    if (kind === childKind.internal) this.run.complete = false;
    this.addPlace(
      {
        offset: list.offsets[at] as number,
        size: list.sizes[at] as number,
        checksum: list.checksums[at] as number,
      },
      holder,
      kind === childKind.overflow ? "one long key or value is lost" : outOfReach(block),
    );
  }

  private addPlace(address: BlockAddress, holder: FindingPlace, lost: string): void {
    const { unit: allocationSize, fileSize } = this;
    this.run.findings.check([blockPlace], { address, allocationSize, fileSize, lost, place: () => holder });
  }

  /** Notes that a block has been reached, from an address in the block `owner`; true when it is still to be checked. */
  private enter(offset: number, size: number, holder: FindingPlace, owner = holder.offset): boolean {
    if (!this.reached.add(offset / this.unit)) {
      const place = owner === undefined ? holder : { ...holder, offset: owner };
      this.run.findings.add(treeLoop, place, {
        message: `the block at ${offset} is reached a second time`,
        actual: offset,
        consequence: "rows appear twice, or other rows are out of reach",
      });
      return false;
    }
    if (!this.verified.add(offset / this.unit)) return false;
    this.claim(offset, size);
    return true;
  }

  private claim(offset: number, size: number): void {
    const twice = this.referenced.addRange(offset / this.unit, size / this.unit);
    if (twice === 0) return;
    this.run.findings.add(
      spaceOverlap,
      { ...this.checker.block.place(), offset },
      {
        message: `${twice * this.unit} bytes of the block at ${offset} belong to another block as well`,
        consequence: "one of the two blocks has been written over the other",
      },
    );
  }

  /** Checks a root or internal page and goes down to its children. */
  private checkDeep(
    offset: number,
    size: number,
    checksum: number,
    role: "root" | "internal",
    depth: number,
    low?: Uint8Array,
    high?: Uint8Array,
    told?: Uint8Array,
  ): void {
    const { checker, run } = this;
    const children = this.listAt(depth);
    const bytes = checker.reader.read(offset, size);
    if (!checker.check(bytes, offset, size, checksum, role, children, low, high, told)) run.complete = false;
    if (depth < MAX_DEPTH) this.descend(children, depth + 1);
    else run.unchecked({ ...checker.block.place(), offset }, `the tree is deeper than ${MAX_DEPTH} levels`);
  }

  /** Memory for the children of one page of each level: the page above is not done with its own. */
  private listAt(depth: number): AddressList {
    this.lists[depth] ??= new AddressList();
    const list = this.lists[depth];
    list.clear();
    return list;
  }

  private descend(children: AddressList, depth: number): void {
    const place = this.checker.block.place();
    const deep: number[] = [];
    const shallow: number[] = [];
    for (let i = 0; i < children.length; i++) {
      const [offset, size] = [children.offsets[i] as number, children.sizes[i] as number];
      const owner = children.owners[i] as number;
      if (!this.isInFile(offset, size)) this.reportPlace(children, i, { ...place, offset: owner });
      else if (this.enter(offset, size, place, owner))
        (children.kinds[i] === childKind.internal ? deep : shallow).push(i);
    }
    this.checkLater(children, shallow);
    for (const i of deep)
      this.checkDeep(
        children.offsets[i] as number,
        children.sizes[i] as number,
        children.checksums[i] as number,
        "internal",
        depth,
        children.lowOf(i),
        children.highOf(i),
        children.timesOf(i),
      );
  }

  /** The usual page has nothing but leaves below it, which are new. */
  private checkLater(children: AddressList, which: readonly number[]): void {
    if (which.length === children.length) {
      if (this.leaves.addAll(children)) this.finishLeaves();
      return;
    }
    for (const i of which) if (this.leaves.add(children, i)) this.finishLeaves();
  }

  /** Checks the waiting leaves; the overflow items they name wait next. */
  private finishLeaves(): void {
    for (let found = this.leaves.check(); found.length > 0; found = this.leaves.check())
      this.descend(found, MAX_DEPTH);
  }
}
