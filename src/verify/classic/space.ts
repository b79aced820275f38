/** Space accounting of one classic file: every unit belongs to exactly one thing (classic file format §3). */
import { blockOf, type ClassicCheckpointCookie, type UnitAddress } from "../../../formats/classic-cookie.js";
import type { Extent } from "../../../formats/extent-list.js";
import type { FindingPlace, Findings } from "../rule.js";
import { spaceLeak } from "../rules/classic/space-leak.js";
import { spaceLive } from "../rules/classic/space-live.js";
import { spaceOverlap } from "../rules/classic/space-overlap.js";
import { UnitSet } from "./unit-set.js";

/** The ranges of a checkpoint's lists; undefined where a list could not be read. */
export interface CheckpointLists {
  readonly alloc: readonly Extent[] | undefined;
  readonly avail: readonly Extent[] | undefined;
  readonly discard: readonly Extent[] | undefined;
}

interface Range {
  readonly offset: number;
  readonly size: number;
}

export class SpaceAccounting {
  /** What the alloc and discard lists say is live at the newest checkpoint. */
  private readonly live: UnitSet;
  private newestTree: UnitSet;
  private readonly listBlocks: Range[] = [];
  private roots: Range[] = [];
  private avail: readonly Extent[] | undefined = [];
  private availBlock: Range | undefined;
  /** Every list could be read: only then can anything be said. */
  private readable = true;
  private readonly units: number;

  constructor(
    fileSize: number,
    private readonly unit: number,
    /** Units of the blocks of all trees. */
    private readonly claimed: UnitSet,
  ) {
    this.units = Math.floor(fileSize / unit);
    this.live = new UnitSet(this.units);
    this.newestTree = claimed;
  }

  /** Takes the checkpoints, oldest first. */
  add({ alloc, avail, discard }: CheckpointLists, cookie: ClassicCheckpointCookie): void {
    if (alloc === undefined || avail === undefined || discard === undefined) this.readable = false;
    for (const root of this.roots) this.live.removeRange(root.offset / this.unit, root.size / this.unit);
    for (const range of alloc ?? []) this.live.addRange(...this.unitsOf(range));
    for (const range of discard ?? []) this.live.removeRange(...this.unitsOf(range));
    const root = this.rangeOf(cookie.root);
    this.roots = root === undefined ? [] : [root];
    this.avail = avail;
    this.availBlock = this.rangeOf(cookie.avail);
    for (const address of [cookie.alloc, cookie.avail, cookie.discard]) {
      const block = this.rangeOf(address);
      if (block !== undefined) this.listBlocks.push(block);
    }
  }

  /** The newest tree is walked first: what is claimed then is its blocks. */
  setNewestTree(claimed: UnitSet): void {
    this.newestTree = claimed.copy();
  }

  /** The lists' own blocks belong to nothing else. */
  claimLists(findings: Findings, place: FindingPlace): void {
    for (const { offset, size } of this.listBlocks)
      this.claim(findings, place, offset, size, "an extent list");
  }

  /** A checkpoint whose lists cannot be found. */
  unknown(): void {
    this.readable = false;
  }

  /**
   * To be asked once the trees and lists have claimed their blocks. Returns what could not be told: without every list
   * nothing can, and without every page of the trees (`seenWhole`) not what other space is for.
   */
  report(findings: Findings, place: FindingPlace, fileSize: number, seenWhole: boolean): string | undefined {
    if (!this.readable)
      return "the space of the file is not accounted for: the extent lists cannot all be read";
    this.checkAllocated(findings, place);
    this.claimFree(findings, place);
    if (!seenWhole) return this.unseen();
    this.reportLost(findings, place);
    this.reportLeaks(findings, place, fileSize);
    return undefined;
  }

  /** Space that pages which cannot be read may refer to. */
  private unseen(): string | undefined {
    let units = 0;
    for (const { count } of this.live.runsWithout(this.newestTree, this.units)) units += count;
    return units === 0
      ? undefined
      : `${units * this.unit} bytes belong to the newest checkpoint, and no page that can be read refers to them`;
  }

  private reportLeaks(findings: Findings, place: FindingPlace, fileSize: number): void {
    const end = Math.min(this.units, Math.floor(fileSize / this.unit));
    const all = new UnitSet(end);
    all.addRange(1, end - 1);
    for (const { unit, count } of all.runsWithout(this.claimed, end))
      findings.add(
        spaceLeak,
        { ...place, offset: unit * this.unit },
        {
          message: `${count * this.unit} bytes belong to no block and are not free`,
          actual: count * this.unit,
        },
      );
  }

  private checkAllocated(findings: Findings, place: FindingPlace): void {
    for (const { unit, count } of this.newestTree.runsWithout(this.live, this.units))
      findings.add(
        spaceLive,
        { ...place, offset: unit * this.unit },
        {
          message: `${count * this.unit} bytes of the newest tree are in no alloc list`,
          consequence: "the engine may write over them",
        },
      );
  }

  private reportLost(findings: Findings, place: FindingPlace): void {
    for (const { unit, count } of this.live.runsWithout(this.newestTree, this.units))
      findings.add(
        spaceLive,
        { ...place, offset: unit * this.unit },
        {
          message: `${count * this.unit} bytes are allocated to the newest checkpoint, but not part of its tree`,
          consequence: "the engine's verify fails, and the space is lost",
        },
      );
  }

  /** The list's own block may be on it. */
  private claimFree(findings: Findings, place: FindingPlace): void {
    const own = this.availBlock;
    for (const extent of this.avail ?? []) {
      const [offset, size] = [Number(extent.offset), Number(extent.size)];
      const holdsOwn = own !== undefined && own.offset >= offset && own.offset + own.size <= offset + size;
      if (!holdsOwn) this.claim(findings, place, offset, size, "the free space");
      else {
        this.claim(findings, place, offset, own.offset - offset, "the free space");
        this.claim(
          findings,
          place,
          own.offset + own.size,
          offset + size - own.offset - own.size,
          "the free space",
        );
      }
    }
  }

  private claim(findings: Findings, place: FindingPlace, offset: number, size: number, what: string): void {
    const twice = this.claimed.addRange(
      offset / this.unit,
      Math.min(size, this.units * this.unit - offset) / this.unit,
    );
    if (twice > 0)
      findings.add(
        spaceOverlap,
        { ...place, offset },
        {
          message: `${twice * this.unit} bytes of ${what} at ${offset} belong to a block as well`,
          consequence: "the engine will write over live data",
        },
      );
  }

  private unitsOf({ offset, size }: Extent): [number, number] {
    const unit = Number(offset) / this.unit;
    return [unit, Math.min(Number(size) / this.unit, Math.max(0, this.units - unit))];
  }

  private rangeOf(address: UnitAddress): Range | undefined {
    const range = blockOf(address, this.unit);
    return range === undefined || range.offset + range.size > this.units * this.unit ? undefined : range;
  }
}
