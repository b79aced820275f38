/** What each thread does with leaves: takes batches of a shared list until there are none, and says what it found. */
import { FileAccess } from "../../store/file.js";
import type { InputKind } from "../../store/types.js";
import type { TableConfig } from "../../tree/table-config.js";
import { Detected, Run, type Taken } from "../run.js";
import type { VerifyOptions } from "../types.js";
import { type AddressColumns, AddressList } from "./address-list.js";
import { ClassicBlock, keysOf } from "./block.js";
import { BlockChecker } from "./block-checker.js";
import { BlockReader } from "./block-reader.js";

const BATCH_BYTES = 4 * 1024 * 1024;
/** Cells of the shared control words. */
const NEXT = 0;
const DONE = 1;

/** A sorted list cut into batches, in memory that threads share. */
export class Batches {
  /** Where each batch begins, and the end of the last. */
  readonly starts: Uint32Array;
  private readonly control: Int32Array;

  constructor(
    readonly list: AddressColumns,
    shared?: { starts: Uint32Array; control: Int32Array },
  ) {
    this.starts = shared?.starts ?? cut(list);
    this.control = shared?.control ?? new Int32Array(new SharedArrayBuffer(8));
  }

  /** What another thread needs to make its own. */
  get shared(): { list: AddressColumns; starts: Uint32Array; control: Int32Array } {
    const { list, starts, control } = this;
    const { length, offsets, sizes, checksums, kinds, lows, highs, keys } = list;
    return { list: { length, offsets, sizes, checksums, kinds, lows, highs, keys }, starts, control };
  }

  get count(): number {
    return this.starts.length - 1;
  }

  /** The next batch nobody has taken; undefined when all are. */
  take(): { from: number; to: number } | undefined {
    const index = Atomics.add(this.control, NEXT, 1);
    if (index >= this.count) return undefined;
    return { from: this.starts[index] as number, to: this.starts[index + 1] as number };
  }

  /** To be said once the result of a batch has been handed over. */
  done(): void {
    Atomics.add(this.control, DONE, 1);
    Atomics.notify(this.control, DONE);
  }

  /** Waits until every batch is done, by whichever thread took it. */
  wait(): void {
    for (;;) {
      const done = Atomics.load(this.control, DONE);
      if (done >= this.count) return;
      Atomics.wait(this.control, DONE, done, 1000);
    }
  }
}

function cut({ length, sizes }: AddressColumns): Uint32Array {
  const starts = [0];
  for (let at = 0, bytes = 0; at < length; at++) {
    bytes += sizes[at] as number;
    if (bytes < BATCH_BYTES && at + 1 < length) continue;
    starts.push(at + 1);
    bytes = 0;
  }
  const shared = new Uint32Array(new SharedArrayBuffer(4 * starts.length));
  shared.set(starts);
  return shared;
}

/** Everything a thread needs to know of the file; can be sent to another thread. */
export interface LeafFile {
  readonly path: string;
  readonly table: string | undefined;
  readonly allocationSize: number;
  readonly config: TableConfig;
  readonly kind: InputKind;
  readonly options: Pick<VerifyOptions, "compressor" | "rotnKeyId" | "maxFindingsPerCode" | "showKeys">;
}

export interface LeafResult extends Taken {
  readonly compressors: readonly string[];
  readonly encryptors: readonly string[];
  /** Overflow items: offset, size, checksum, kind, owner of each. */
  readonly addresses: ReadonlyArray<readonly [number, number, number, number, number]>;
}

export class LeafTask {
  private readonly access: FileAccess;
  private readonly run: Run;
  private readonly detected: Detected;
  private readonly checker: BlockChecker;
  private readonly found = new AddressList();

  constructor({ path, table, allocationSize, config, kind, options }: LeafFile) {
    this.access = new FileAccess(path);
    this.run = new Run(options, 0);
    this.detected = new Detected(path, kind);
    const block = new ClassicBlock(path, table, allocationSize, keysOf(config, options));
    this.checker = new BlockChecker(config, new BlockReader(this.access), block, this.run, this.detected);
  }

  /** Checks batches until there are none left; `report` gets the result of each before it counts as done. */
  check(batches: Batches, checkpoint: string | undefined, report: (result: LeafResult) => void): void {
    this.checker.block.checkpoint = checkpoint;
    for (let batch = batches.take(); batch !== undefined; batch = batches.take()) {
      this.checker.checkAll(batches.list, batch.from, batch.to, this.found);
      report(this.takeResult());
      batches.done();
    }
  }

  private takeResult(): LeafResult {
    const { found, detected } = this;
    const addresses = Array.from({ length: found.length }, (_, at): LeafResult["addresses"][number] => [
      found.offsets[at] as number,
      found.sizes[at] as number,
      found.checksums[at] as number,
      found.kinds[at] as number,
      found.owners[at] as number,
    ]);
    found.clear();
    return {
      ...this.run.take(),
      compressors: [...detected.compressors],
      encryptors: [...detected.encryptors],
      addresses,
    };
  }

  close(): void {
    this.access.close();
  }
}
