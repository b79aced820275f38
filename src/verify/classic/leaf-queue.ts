/** Leaves and overflow items of one file, checked many at a time: by this thread, and others where there is enough. */
import type { Run } from "../run.js";
import { AddressList, sortedShared } from "./address-list.js";
import type { BlockChecker } from "./block-checker.js";
import type { LeafPool } from "./leaf-pool.js";
import { Batches } from "./leaf-task.js";

/** Blocks, and bytes, that wait before they are checked: bounds the memory of huge trees. */
const MAX_WAITING = 65_536;
const MAX_BYTES = 1024 * 1024 * 1024;

export class LeafQueue {
  private readonly waiting = new AddressList();
  private bytes = 0;

  constructor(
    private readonly checker: BlockChecker,
    private readonly run: Run,
    private readonly pool: LeafPool | undefined,
  ) {}

  /** True when it is time to check what waits. */
  add(offset: number, size: number, checksum: number, kind: number): boolean {
    this.waiting.push(offset, size, checksum, kind, 0);
    this.bytes += size;
    return this.waiting.length >= MAX_WAITING || this.bytes >= MAX_BYTES;
  }

  /** Checks what waits, in the order of offsets, and gives the addresses of overflow items found on the way. */
  check(): AddressList {
    const found = new AddressList();
    if (this.waiting.length === 0) return found;
    const batches = new Batches(sortedShared(this.waiting));
    this.waiting.clear();
    this.bytes = 0;
    if (this.pool === undefined) this.checker.checkAll(batches.list, 0, batches.list.length, found);
    else this.pool.check(batches, this.run, this.checker.block.checkpoint, found);
    return found;
  }
}
