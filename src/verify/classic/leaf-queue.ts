/** Leaves and overflow items of one file, checked many at a time: by this thread, and others where there is enough. */
import type { Run } from "../run.js";
import { AddressList, sortedShared } from "./address-list.js";
import type { BlockChecker } from "./block-checker.js";
import { NO_KEY } from "./key-bytes.js";
import type { LeafPool } from "./leaf-pool.js";
import { Batches } from "./leaf-task.js";
import { childKind } from "./page-children.js";

/**
 * Blocks, and bytes, that wait before they are checked: bounds the memory of huge trees. Each leaf may lead to hundreds of
 * overflow items, which wait next: so they are few at first, and more where few were found.
 */
const FIRST_WAITING = 2048;
const MAX_WAITING = 65_536;
const MANY_FOUND = 65_536;
const MAX_BYTES = 1024 * 1024 * 1024;
/** Bytes of separators that wait with them. */
const MAX_KEYS = 32 * 1024 * 1024;
/**
 * Bytes of blocks that other threads are given while this one still looks for more: few at first, so that they begin
 * early, then twice as many each time, so that most are read in the order of their offsets.
 */
const FIRST_PART = 16 * 1024 * 1024;

export class LeafQueue {
  private readonly waiting = new AddressList();
  /** Of the blocks that were added since the last check, handed over or not. */
  private blocks = 0;
  private hasLeaves = false;
  private limit = FIRST_WAITING;
  private bytes = 0;
  private keys = 0;
  /** Bytes that wait, and how many are to be handed over. */
  private waitingBytes = 0;
  private part = FIRST_PART;
  /** The key at the end of the block added last: its number here. */
  private lastHigh = NO_KEY;
  /** The times told last: their number here. */
  private lastTold = NO_KEY;

  constructor(
    private readonly checker: BlockChecker,
    private readonly run: Run,
    private readonly pool: LeafPool | undefined,
  ) {}

  /** Takes the blocks of a list. True when it is time to check what waits. */
  addAll(list: AddressList): boolean {
    const { waiting } = this;
    const before = waiting.separators.length;
    waiting.append(list);
    this.lastHigh = this.lastTold = NO_KEY;
    this.hasLeaves = true;
    let bytes = 0;
    for (let at = 0; at < list.length; at++) bytes += list.sizes[at] as number;
    return this.added(list.length, bytes, waiting.separators.length - before);
  }

  /** Takes a block of a list. True when it is time to check what waits. */
  add(list: AddressList, at: number): boolean {
    const { waiting } = this;
    const { separators } = waiting;
    const [low, high] = [list.lows[at] as number, list.highs[at] as number];
    const size = list.sizes[at] as number;
    const before = separators.length;
    const from = low === NO_KEY ? NO_KEY : this.numberOf(list.keys, low);
    const to = high === NO_KEY ? NO_KEY : separators.pushFrom(list.keys, high);
    this.lastHigh = to;
    if (list.kinds[at] === childKind.leaf) this.hasLeaves = true;
    waiting.push(list.offsets[at] as number, size, list.checksums[at] as number, list.kinds[at] as number, 0);
    waiting.lows[waiting.length - 1] = from;
    waiting.highs[waiting.length - 1] = to;
    waiting.times[waiting.length - 1] = this.toldOf(list, list.times[at] as number);
    return this.added(1, size, separators.length - before);
  }

  /** Counts what waits now, and hands it over when it is enough for other threads to begin. */
  private added(blocks: number, bytes: number, keys: number): boolean {
    this.blocks += blocks;
    this.bytes += bytes;
    this.keys += keys;
    this.waitingBytes += bytes;
    if (this.blocks >= this.limit || this.bytes >= MAX_BYTES || this.keys >= MAX_KEYS) return true;
    if (this.pool !== undefined && this.waitingBytes >= this.part) {
      this.pool.begin(this.cut(), this.checker.block.checkpoint);
      this.part *= 2;
    }
    return false;
  }

  /** The end of one child is the beginning of the next. */
  private numberOf(keys: Uint8Array, low: number): number {
    const { separators } = this.waiting;
    if (this.lastHigh !== NO_KEY && separators.equals(this.lastHigh, keys, low)) return this.lastHigh;
    return separators.pushFrom(keys, low);
  }

  /** Neighbours are often told the same. */
  private toldOf({ keys }: AddressList, told: number): number {
    const { separators } = this.waiting;
    if (told === NO_KEY) return NO_KEY;
    if (this.lastTold === NO_KEY || !separators.equals(this.lastTold, keys, told))
      this.lastTold = separators.pushFrom(keys, told);
    return this.lastTold;
  }

  /** What waits, in the order of offsets; nothing waits then. */
  private cut(): Batches {
    const batches = new Batches(sortedShared(this.waiting));
    this.waiting.clear();
    this.lastHigh = this.lastTold = NO_KEY;
    this.waitingBytes = 0;
    return batches;
  }

  /** Checks what was added, and gives the addresses of overflow items found on the way. */
  check(): AddressList {
    const found = new AddressList();
    if (this.blocks === 0) return found;
    const { checkpoint } = this.checker.block;
    const batches = this.cut();
    this.blocks = this.bytes = this.keys = 0;
    this.part = FIRST_PART;
    if (this.pool === undefined) this.checker.checkAll(batches.list, 0, batches.list.length, found);
    else {
      this.pool.begin(batches, checkpoint);
      this.pool.finish(this.run, checkpoint, found);
    }
    if (this.hasLeaves) this.setLimit(found.length);
    this.hasLeaves = false;
    return found;
  }

  /** How many blocks may wait, when so many led to so many overflow items. */
  private setLimit(found: number): void {
    if (found > MANY_FOUND) this.limit = Math.max(Math.floor(this.limit / 4), 1);
    else if (found < MANY_FOUND / 8) this.limit = Math.min(4 * this.limit, MAX_WAITING);
  }
}
