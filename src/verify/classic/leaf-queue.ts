/** Leaves and overflow items of one file, checked many at a time: by this thread, and others where there is enough. */
import { compareKeys } from "../../tree/keys.js";
import type { Run } from "../run.js";
import { AddressList, sortedShared } from "./address-list.js";
import type { BlockChecker } from "./block-checker.js";
import { keyAt, NO_KEY } from "./key-bytes.js";
import type { LeafPool } from "./leaf-pool.js";
import { Batches } from "./leaf-task.js";

/** Blocks, and bytes, that wait before they are checked: bounds the memory of huge trees. */
const MAX_WAITING = 65_536;
const MAX_BYTES = 1024 * 1024 * 1024;
/** Bytes of separators that wait with them. */
const MAX_KEYS = 32 * 1024 * 1024;

export class LeafQueue {
  private readonly waiting = new AddressList();
  private bytes = 0;
  private lastHigh = NO_KEY;

  constructor(
    private readonly checker: BlockChecker,
    private readonly run: Run,
    private readonly pool: LeafPool | undefined,
  ) {}

  /** A block and the keys it may have. True when it is time to check what waits. */
  add(
    offset: number,
    size: number,
    checksum: number,
    kind: number,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
  ): boolean {
    const { waiting } = this;
    const { separators } = waiting;
    // The end of one child is the beginning of the next.
    const from = low === undefined ? NO_KEY : this.numberOf(low);
    const to = high === undefined ? NO_KEY : separators.push(high);
    this.lastHigh = to;
    waiting.push(offset, size, checksum, kind, 0, from, to);
    this.bytes += size;
    return waiting.length >= MAX_WAITING || this.bytes >= MAX_BYTES || separators.length >= MAX_KEYS;
  }

  private numberOf(low: Uint8Array): number {
    const { separators } = this.waiting;
    const known = this.lastHigh === NO_KEY ? undefined : keyAt(separators.bytes, this.lastHigh);
    return known !== undefined && compareKeys(known, low) === 0 ? this.lastHigh : separators.push(low);
  }

  /** Checks what waits, in the order of offsets, and gives the addresses of overflow items found on the way. */
  check(): AddressList {
    const found = new AddressList();
    if (this.waiting.length === 0) return found;
    const batches = new Batches(sortedShared(this.waiting));
    this.waiting.clear();
    this.lastHigh = NO_KEY;
    this.bytes = 0;
    if (this.pool === undefined) this.checker.checkAll(batches.list, 0, batches.list.length, found);
    else this.pool.check(batches, this.run, this.checker.block.checkpoint, found);
    return found;
  }
}
