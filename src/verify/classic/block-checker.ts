/** Checks single blocks of a classic file and collects the addresses on their pages. One a thread. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { pageTypes, TRANSFORMED_PAGE } from "../../../formats/page-header.js";
import type { FormatError } from "../../codec/error.js";
import type { AddressCell } from "../../page/walk-types.js";
import { newestRunOf, type TableConfig } from "../../tree/table-config.js";
import { classicLayout, type PageRules, PageVerifier } from "../page-verifier.js";
import type { Rule } from "../rule.js";
import { classicChecksum } from "../rules/block/classic-checksum.js";
import { classicHeader } from "../rules/block/classic-header.js";
import { pageCells } from "../rules/page/page-cells.js";
import { treeAddress } from "../rules/tree/tree-address.js";
import { treeTimes } from "../rules/tree/tree-times.js";
import type { Detected, Run } from "../run.js";
import type { AddressColumns, AddressList } from "./address-list.js";
import type { BlockRole, ClassicBlock } from "./block.js";
import type { BlockReader, BlockRun } from "./block-reader.js";
import { keyAt } from "./key-bytes.js";
import { KeyRanges } from "./key-ranges.js";
import { OverflowKeys } from "./overflow-keys.js";
import { PageChildren } from "./page-children.js";
import { PlainLeaf } from "./plain-leaf.js";
import { uncoveredTimes } from "./told-times.js";

const blockRules: readonly Rule<ClassicBlock>[] = [classicChecksum, classicHeader];

/** In the order of `childKind`. */
const roles: readonly BlockRole[] = ["leaf", "internal", "overflow"];

export class BlockChecker {
  private readonly pages: PageVerifier;
  private readonly rules: PageRules;
  private readonly children: PageChildren;
  private readonly ranges: KeyRanges;
  private readonly overflow: OverflowKeys;
  /** Undefined where only the table knows the order of its keys. */
  private readonly plain: PlainLeaf | undefined;
  /** The write generation the engine's newest run of the file began with. */
  private readonly newestRun: bigint | undefined;
  /** What the address of the block tells of times. */
  private told: Uint8Array | undefined;

  constructor(
    private readonly config: TableConfig,
    readonly reader: BlockReader,
    readonly block: ClassicBlock,
    private readonly run: Run,
    detected: Detected,
  ) {
    this.pages = new PageVerifier(run, detected);
    // Without its metadata nothing is known of a file's compressor.
    block.neverCompressed =
      config.file !== "" && config.compressor === "" && run.options.compressor === undefined;
    const bits = /^(\d*)t$/.exec(config.valueFormat);
    const anyKeyOrder = config.collator !== "";
    this.rules = { anyKeyOrder, ...(bits === null ? {} : { bitsPerRecord: Number(bits[1] || 1) }) };
    this.plain = anyKeyOrder ? undefined : new PlainLeaf((bytes) => this.inflate(bytes));
    this.newestRun = newestRunOf(config);
    this.overflow = new OverflowKeys(reader.file, block, config, run.options);
    this.ranges = new KeyRanges(block, run.findings);
    this.children = new PageChildren({
      allocationSize: block.allocationSize,
      anyKeyOrder,
      overflowKey: (cookie) => this.overflow.read(cookie),
      badAddress: (cell, error) => this.badAddress(cell, error),
      badOrder: (offset) => this.badOrder(offset),
    });
  }

  /**
   * Checks a block, whose keys are in `low..high`, and adds the addresses on its page to `found`; false when not all of
   * them can be read.
   */
  check(
    bytes: Uint8Array,
    offset: number,
    size: number,
    checksum: number,
    role: BlockRole,
    found: AddressList,
    low?: Uint8Array,
    high?: Uint8Array,
    told?: Uint8Array,
  ): boolean {
    const { block, run } = this;
    this.told = told;
    run.checked(1, bytes.length);
    block.set(bytes, offset, size, checksum, role);
    block.low = low;
    block.high = high;
    const whole = bytes.length >= CLASSIC_BLOCK.payload && this.checkBlock(found);
    if (!whole && role !== "overflow") run.unreadPages++;
    return whole;
  }

  private checkBlock(found: AddressList): boolean {
    const { block, run } = this;
    const before = run.findings.counts.error;
    run.findings.check(blockRules, block);
    // What a damaged block says of its cells would only repeat that it is damaged.
    if (run.findings.counts.error !== before) return false;
    run.countUncovered(block.uncovered);
    return block.type === pageTypes.overflow ? this.checkOverflow() : this.checkPage(found);
  }

  /** An item that was compressed has to come out whole. */
  private checkOverflow(): boolean {
    const { block, pages, config } = this;
    return (block.flags & TRANSFORMED_PAGE) === 0 || pages.classicImage(block, config) !== undefined;
  }

  /** Checks the blocks `from..to` of a list, which ascend by offset. */
  checkAll(list: AddressColumns, from: number, to: number, found: AddressList): void {
    this.reader.forEachRun(list, from, to, (blocks) => this.checkRun(list, blocks, found));
  }

  private checkRun(list: AddressColumns, blocks: BlockRun, found: AddressList): void {
    const { plain, run } = this;
    plain?.begin(list, blocks);
    for (let at = blocks.from; at < blocks.to; at++) {
      if (plain !== undefined) at = plain.pass(at);
      if (at < blocks.to) this.checkOne(list, at, bytesOf(list, at, blocks), found);
    }
    if (plain === undefined) return;
    run.countUncovered(plain.uncovered);
    run.checked(plain.pages, plain.bytes);
  }

  private checkOne(list: AddressColumns, at: number, bytes: Uint8Array, found: AddressList): void {
    const { offsets, sizes, checksums, kinds, lows, highs, times, keys } = list;
    const role = roles[kinds[at] as number] as BlockRole;
    const low = keyAt(keys, lows[at] as number);
    const high = keyAt(keys, highs[at] as number);
    const [offset, size] = [offsets[at] as number, sizes[at] as number];
    const told = keyAt(keys, times[at] as number);
    this.check(bytes, offset, size, checksums[at] as number, role, found, low, high, told);
  }

  /** False when its cells cannot all be read. */
  private checkPage(found: AddressList): boolean {
    const { block, pages, children, rules } = this;
    children.begin(found, block.offset, this.imageOf, block.low, block.high, this.isOfNewestRun());
    const sound = pages.verifyClassic(block, this.config, rules, children);
    children.end();
    if (sound && block.role !== "root") this.checkTimes(found);
    if (sound && !rules.anyKeyOrder) this.checkRange();
    return sound;
  }

  private isOfNewestRun(): boolean {
    return this.newestRun !== undefined && this.block.writeGen > this.newestRun;
  }

  /** What the address of the page tells of times covers what is on the page. */
  private checkTimes(found: AddressList): void {
    const { told, block, pages, children, rules } = this;
    const { allPlain } = pages;
    // The usual page: nothing is told, and nothing is to be told.
    if (told === undefined && (allPlain || !block.mayHaveWindows)) return;
    const { bitsPerRecord } = rules;
    const layout = { ...classicLayout(block), ...(bitsPerRecord === undefined ? {} : { bitsPerRecord }) };
    const { first } = children;
    const page = {
      told,
      image: pages.image,
      layout,
      allPlain,
      ofNewestRun: this.isOfNewestRun(),
      found,
      first,
    };
    for (const wrong of uncoveredTimes(page))
      this.run.findings.add(treeTimes, block.place(), {
        ...wrong,
        message: `${wrong.field} in the address of this page does not cover what is on it`,
      });
  }

  private checkRange(): void {
    const { block, pages, children } = this;
    if (block.type === pageTypes.rowLeaf) this.checkRowLeaf();
    else if (block.type === pageTypes.rowInternal) {
      const { first, last } = children.separators;
      this.ranges.checkKeys(first, last);
    } else if (block.type === pageTypes.columnInternal) this.ranges.checkRecords(undefined);
    else if (block.type === pageTypes.columnVariable) this.ranges.checkRecords(pages.records);
    else this.ranges.checkRecords(BigInt(block.entries));
  }

  private inflate(bytes: Uint8Array): Uint8Array | undefined {
    if (this.block.neverCompressed) return undefined;
    return this.pages.classicImageIfAny(this.block.set(bytes, 0, bytes.length, 0, "leaf"), this.config);
  }

  private readonly imageOf = (): Uint8Array => this.pages.image;

  private checkRowLeaf(): void {
    const { pages, children, block } = this;
    if (children.overflowKeys === 0) {
      const { low, high } = block;
      if (low === undefined && high === undefined) return;
      const { first, last } = pages.keysOf(false);
      this.ranges.checkKeys(first, last);
      return;
    }
    const { first, last } = this.overflow.walkLeaf(pages.image, block, (offset) => this.badOrder(offset));
    this.ranges.checkKeys(first, last);
  }

  private badOrder(offset: number): void {
    this.run.findings.add(pageCells, this.block.place(), {
      field: `image[${offset}]`,
      message: `not above the key before it, one of them on an overflow page (key-order, byte ${offset} of the image)`,
      consequence: "rows are not found by their keys",
    });
  }

  private badAddress(cell: AddressCell, error: FormatError): void {
    this.run.findings.add(treeAddress, this.block.place(), {
      field: `image[${error.offset ?? cell.start}]`,
      message: error.message,
      consequence: "the rows below this address are out of reach",
    });
  }
}

/** The bytes of a block, as far as they have been read. */
function bytesOf(list: AddressColumns, at: number, { memory, offset, length }: BlockRun): Uint8Array {
  const start = (list.offsets[at] as number) - offset;
  return memory.bytes.subarray(Math.min(start, length), Math.min(start + (list.sizes[at] as number), length));
}
