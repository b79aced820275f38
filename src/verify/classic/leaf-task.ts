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
/** Cells of the shared control words, in front of one for each batch. */
const NEXT = 0;
const DONE = 1;
const FIRST_STATE = 2;
/** A batch is still to be done, done, or no longer waited for. */
const [OPEN, FINISHED, GIVEN_UP] = [0, 1, 2] as const;
/**
 * A thread that has finished no batch for so long is taken for dead: others do what it took. In milliseconds; a batch
 * takes some.
 */
const PATIENCE = 10_000;

/** Blocks `from..to` of a list. */
export interface Batch {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

/** What another thread needs to take batches. */
export interface SharedBatches {
  readonly id: number;
  readonly list: AddressColumns;
  readonly starts: Uint32Array;
  readonly control: Int32Array;
}

let lists = 0;

/** A sorted list cut into batches, in memory that threads share. */
export class Batches {
  /** Tells lists of this process apart. */
  readonly id: number;
  /** Where each batch begins, and the end of the last. */
  readonly starts: Uint32Array;
  private readonly control: Int32Array;

  constructor(
    readonly list: AddressColumns,
    shared?: SharedBatches,
  ) {
    this.id = shared?.id ?? lists++;
    this.starts = shared?.starts ?? cut(list);
    this.control =
      shared?.control ?? new Int32Array(new SharedArrayBuffer(4 * (FIRST_STATE + this.starts.length)));
  }

  get shared(): SharedBatches {
    const { id, list, starts, control } = this;
    const { length, offsets, sizes, checksums, kinds, lows, highs, times, keys } = list;
    const columns = { length, offsets, sizes, checksums, kinds, lows, highs, times, keys };
    return { id, list: columns, starts, control };
  }

  get count(): number {
    return this.starts.length - 1;
  }

  /** The next batch nobody has taken; undefined when all are. */
  take(): Batch | undefined {
    const index = Atomics.add(this.control, NEXT, 1);
    return index >= this.count ? undefined : this.batch(index);
  }

  private batch(index: number): Batch {
    return { index, from: this.starts[index] as number, to: this.starts[index + 1] as number };
  }

  /** To be said once the result of a batch has been handed over. */
  done({ index }: Batch): void {
    if (Atomics.compareExchange(this.control, FIRST_STATE + index, OPEN, FINISHED) !== OPEN) return;
    Atomics.add(this.control, DONE, 1);
    Atomics.notify(this.control, DONE);
  }

  /**
   * Waits until every batch is done, by whichever thread took it. Gives those that a thread took and did not finish;
   * what it may still say of them does not count.
   */
  wait(patience = PATIENCE): Batch[] {
    for (;;) {
      const done = Atomics.load(this.control, DONE);
      if (done >= this.count) return [];
      if (Atomics.wait(this.control, DONE, done, patience) === "timed-out") return this.giveUp();
    }
  }

  private giveUp(): Batch[] {
    const all = Array.from({ length: this.count }, (_, index) => this.batch(index));
    return all.filter(
      ({ index }) => Atomics.compareExchange(this.control, FIRST_STATE + index, OPEN, GIVEN_UP) === OPEN,
    );
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
  /** The list, and which of its batches. */
  readonly list: number;
  readonly batch: number;
  readonly compressors: readonly string[];
  readonly encryptors: readonly string[];
  /** Overflow items: `ADDRESS_FIELDS` numbers of each. There can be a dozen a leaf, so they make no objects. */
  readonly addresses: Float64Array;
}

/** Offset, size, checksum, kind, owner. */
const ADDRESS_FIELDS = 5;

function packed({ length, offsets, sizes, checksums, kinds, owners }: AddressList): Float64Array {
  const addresses = new Float64Array(ADDRESS_FIELDS * length);
  for (let at = 0, to = 0; at < length; at++) {
    addresses[to++] = offsets[at] as number;
    addresses[to++] = sizes[at] as number;
    addresses[to++] = checksums[at] as number;
    addresses[to++] = kinds[at] as number;
    addresses[to++] = owners[at] as number;
  }
  return addresses;
}

/** Adds the addresses of a result to a list. */
export function addAddresses(addresses: Float64Array, list: AddressList): void {
  for (let at = 0; at < addresses.length; at += ADDRESS_FIELDS) {
    const [offset, size, checksum] = [addresses[at], addresses[at + 1], addresses[at + 2]];
    const [kind, owner] = [addresses[at + 3], addresses[at + 4]];
    list.push(offset as number, size as number, checksum as number, kind as number, owner as number);
  }
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

  /** Checks the blocks of one batch. */
  check({ id, list }: Batches, batch: Batch, checkpoint: string | undefined): LeafResult {
    this.checker.block.checkpoint = checkpoint;
    this.checker.checkAll(list, batch.from, batch.to, this.found);
    return this.takeResult(id, batch.index);
  }

  private takeResult(list: number, batch: number): LeafResult {
    const { found, detected } = this;
    const addresses = packed(found);
    found.clear();
    return {
      list,
      batch,
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
