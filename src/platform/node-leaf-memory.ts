import { CLASSIC_BLOCK, DATA_CHECKSUM } from "../../formats/block-header.js";
import { SHORT_LENGTH_SHIFT } from "../../formats/cell.js";
import { MIN_ALLOCATION_SIZE } from "../../formats/description-block.js";
import { PAGE_HEADER, pageFlags, pageTypes, pageVersions } from "../../formats/page-header.js";
import {
  LEAF_MEMORY,
  LENGTH_SIZE,
  type LeafAddresses,
  type LeafMemory,
  NOT_PLAIN,
  setLeafMemory,
  TOLD_BITS,
} from "../page/leaf-memory.js";
import { AT, END, KEY, KEY_END, ROW_LOCALS, ROWS, SLACK, takeRows } from "./node-plain-rows.js";
import {
  above,
  add,
  and,
  atLeast,
  below,
  block,
  branch,
  branchIf,
  type Code,
  differ,
  get,
  giveBack,
  isZero,
  isZero64,
  load8,
  load32,
  load64,
  loadFloat,
  loop,
  number,
  or,
  or64,
  sequence,
  set,
  shiftLeft,
  shiftRight,
  store32,
  subtract,
  subtractFloat,
  toInteger,
  type WasmFunction,
  WasmModule,
  when,
} from "./wasm.js";

/**
 * Memory of WebAssembly, and code that goes over the leaves that lie there. One function instead of a dozen: in a run
 * of half a second, what costs is that V8 compiles each of them, in each thread.
 */

/** Blocks in one memory: no file has smaller ones. */
const MAX_BLOCKS = LEAF_MEMORY / MIN_ALLOCATION_SIZE;
/** Bytes of keys there is room for. */
const MAX_KEYS = 1024 * 1024;
/** Columns, one behind the other: numbers of 8 bytes, of 4, of 1. Offset 0 of the memory has the offset in the file. */
const OFFSETS = 8;
const SIZES = OFFSETS + 8 * MAX_BLOCKS;
const CHECKSUMS = SIZES + 8 * MAX_BLOCKS;
const LOWS = CHECKSUMS + 4 * MAX_BLOCKS;
const HIGHS = LOWS + 4 * MAX_BLOCKS;
const TIMES = HIGHS + 4 * MAX_BLOCKS;
const KINDS = TIMES + 4 * MAX_BLOCKS;
/** The blocks lie behind, where copies from the kernel are fast, and the keys behind them. */
const BLOCKS = Math.ceil((KINDS + MAX_BLOCKS) / 4096) * 4096;
const KEYS = BLOCKS + LEAF_MEMORY + SLACK;

/** Which block, where they end, where the bytes of the file do. */
const [INDEX, STOP, LIMIT] = [ROW_LOCALS, ROW_LOCALS + 1, ROW_LOCALS + 2] as const;
/** The block, and its bytes. */
const [BLOCK, SIZE] = [ROW_LOCALS + 3, ROW_LOCALS + 4] as const;
/** Comparing a key: where it is, where it ends; the other, and how much of that is left. */
const [OWN, OWN_END, OTHER, LEFT] = [ROW_LOCALS + 5, ROW_LOCALS + 6, ROW_LOCALS + 7, ROW_LOCALS + 8] as const;
/** Where a key of the address is. */
const BOUND = ROW_LOCALS + 9;
const LOCALS = ROW_LOCALS + 10;

const { at: HEADER } = PAGE_HEADER;
const { payload: PAYLOAD, diskSize, checksum: CHECKSUM, flags, unused } = CLASSIC_BLOCK;
/** Bits that a byte of flags may not have. */
const BAD_PAGE_FLAGS = 0xff & ~pageFlags.emptyValuesNone;
const BAD_BLOCK_FLAGS = 0xff & ~DATA_CHECKSUM;

const field = (offset: number): Code => add(get(BLOCK), number(offset));
/** To the end of the outermost block: this one is not for here. */
const no = (condition: Code, depth = 0): Code => branchIf(depth, condition);
const memSize = load32(field(HEADER.memSize));
const step = (local: number, by: number): Code => set(local, add(get(local), number(by)));

/** What stands in a column for this block. */
const place = (column: number, shift: number): Code =>
  add(number(column), shiftLeft(get(INDEX), number(shift)));
const checksum = load32(place(CHECKSUMS, 2));

/** A key of an address, or so many bytes behind its beginning. */
function key(at: Code, behind: number): Code {
  return add(at, number(KEYS + behind));
}

/** Its address leads to a leaf that lies in memory, and has its checksum; nothing is told of times that needs a look. */
const address: Code = sequence(
  no(load8(place(KINDS, 0))),
  set(BOUND, load32(place(TIMES, 2))),
  when(
    get(BOUND),
    sequence(
      no(below(load32(key(get(BOUND), 0)), number(TOLD_BITS + 1)), 1),
      no(and(load8(key(get(BOUND), LENGTH_SIZE + TOLD_BITS)), number(NOT_PLAIN)), 1),
    ),
  ),
  set(BLOCK, toInteger(subtractFloat(loadFloat(place(OFFSETS, 3)), loadFloat(number(0))))),
  set(SIZE, toInteger(loadFloat(place(SIZES, 3)))),
  no(below(get(LIMIT), get(SIZE))),
  no(above(get(BLOCK), subtract(get(LIMIT), get(SIZE)))),
  step(BLOCK, BLOCKS),
  no(differ(load32(field(CHECKSUM)), checksum)),
);

const header: Code = sequence(
  no(below(get(SIZE), number(PAYLOAD))),
  no(differ(load8(field(HEADER.type)), number(pageTypes.rowLeaf))),
  no(and(load8(field(HEADER.flags)), number(BAD_PAGE_FLAGS))),
  no(load8(field(HEADER.reserved))),
  no(above(load8(field(HEADER.version)), number(pageVersions.timeWindows))),
  no(and(load8(field(flags)), number(BAD_BLOCK_FLAGS))),
  no(differ(load32(field(diskSize)), get(SIZE))),
  no(or(load32(field(HEADER.recno)), load32(field(HEADER.recno + 4)))),
  ...Array.from({ length: PAYLOAD - unused }, (_, at) => no(load8(field(unused + at)))),
  no(above(memSize, get(SIZE))),
  no(below(memSize, number(PAYLOAD + 1))),
);

/** Sixteen bytes of zeros at a time; in front of them, one at a time. */
const zerosBehind: Code = sequence(
  set(AT, add(get(BLOCK), memSize)),
  set(END, add(get(BLOCK), get(SIZE))),
  block(
    loop(
      no(isZero(and(subtract(get(END), get(AT)), number(15))), 1),
      no(load8(get(AT)), 2),
      set(AT, add(get(AT), number(1))),
      branch(0),
    ),
  ),
  block(
    loop(
      no(isZero(below(get(AT), get(END))), 1),
      no(isZero(isZero64(or64(load64(get(AT)), load64(add(get(AT), number(8)))))), 2),
      set(AT, add(get(AT), number(16))),
      branch(0),
    ),
  ),
);

const rows: Code = sequence(
  set(AT, add(get(BLOCK), number(PAYLOAD))),
  set(END, add(get(BLOCK), memSize)),
  set(ROWS, number(0)),
  takeRows,
  no(differ(get(AT), get(END))),
  no(differ(shiftLeft(get(ROWS), number(1)), load32(field(HEADER.entries)))),
);

/** Leaves OWN and OTHER where the key `from..to` of the page and that of the address differ, or one of them ends. */
const passEqual = (from: Code, to: Code): Code =>
  sequence(
    set(OWN, from),
    set(OWN_END, to),
    set(OTHER, key(get(BOUND), LENGTH_SIZE)),
    set(LEFT, load32(key(get(BOUND), 0))),
    block(
      loop(
        branchIf(1, isZero(get(LEFT))),
        branchIf(1, atLeast(get(OWN), get(OWN_END))),
        branchIf(1, differ(load8(get(OWN)), load8(get(OTHER)))),
        step(OWN, 1),
        step(OTHER, 1),
        step(LEFT, -1),
        branch(0),
      ),
    ),
  );
/** The key of the page is below that of the address. */
const isBelow: Code = and(
  differ(get(LEFT), number(0)),
  or(atLeast(get(OWN), get(OWN_END)), below(load8(get(OWN)), load8(get(OTHER)))),
);

const firstKey = field(PAYLOAD + 1);
const firstLength = shiftRight(load8(field(PAYLOAD)), number(SHORT_LENGTH_SHIFT));
const range: Code = sequence(
  set(BOUND, load32(place(LOWS, 2))),
  when(get(BOUND), sequence(passEqual(firstKey, add(firstKey, firstLength)), no(isBelow, 1))),
  set(BOUND, load32(place(HIGHS, 2))),
  when(get(BOUND), sequence(passEqual(get(KEY), get(KEY_END)), no(isZero(isBelow), 1))),
);

/** From the block with the index of the first parameter on: gives back that of the first one that is not for here. */
const body: Code = sequence(
  set(INDEX, get(0)),
  set(STOP, get(1)),
  set(LIMIT, get(2)),
  loop(
    block(
      // Not the loop: the way out of a block that does not fit.
      branchIf(0, atLeast(get(INDEX), get(STOP))),
      address,
      header,
      zerosBehind,
      rows,
      range,
      store32(field(CHECKSUM), number(0)),
      step(INDEX, 1),
      branch(1),
    ),
  ),
  giveBack(get(INDEX)),
);

/** Installs the WebAssembly where the runtime has it; otherwise nothing changes. */
export function installWasmLeafMemory(): void {
  try {
    const module = new WasmModule(PARAMETERS, LOCALS - PARAMETERS, body);
    setLeafMemory((size) => new WasmLeafMemory(module, size));
  } catch {
    // no WebAssembly here: the portable code serves
  }
}
const PARAMETERS = 3;

class WasmLeafMemory implements LeafMemory {
  readonly bytes: Uint8Array;
  private readonly code: WasmFunction;
  private readonly base: Float64Array;
  private readonly offsets: Float64Array;
  private readonly sizes: Float64Array;
  private readonly checksums: Uint32Array;
  private readonly lows: Uint32Array;
  private readonly highs: Uint32Array;
  private readonly times: Uint32Array;
  private readonly kinds: Uint8Array;
  private readonly keys: Uint8Array;
  /** The keys that were copied last. */
  private copied: Uint8Array | undefined;
  private from = 0;
  private count = 0;
  private length = 0;

  constructor(module: WasmModule, size: number) {
    this.code = module.instance();
    const memory = this.code.bytes(KEYS + MAX_KEYS);
    const { buffer } = memory;
    this.base = new Float64Array(buffer, 0, 1);
    this.offsets = new Float64Array(buffer, OFFSETS, MAX_BLOCKS);
    this.sizes = new Float64Array(buffer, SIZES, MAX_BLOCKS);
    this.checksums = new Uint32Array(buffer, CHECKSUMS, MAX_BLOCKS);
    this.lows = new Uint32Array(buffer, LOWS, MAX_BLOCKS);
    this.highs = new Uint32Array(buffer, HIGHS, MAX_BLOCKS);
    this.times = new Uint32Array(buffer, TIMES, MAX_BLOCKS);
    this.kinds = new Uint8Array(buffer, KINDS, MAX_BLOCKS);
    this.keys = memory.subarray(KEYS, KEYS + MAX_KEYS);
    this.bytes = memory.subarray(BLOCKS, BLOCKS + size);
  }

  begin(list: LeafAddresses, from: number, to: number, offset: number, length: number): void {
    this.from = from;
    this.length = length;
    this.count = to - from <= MAX_BLOCKS && list.keys.length <= MAX_KEYS ? to - from : 0;
    if (this.count === 0) return;
    if (list.keys !== this.copied) this.keys.set(list.keys);
    this.copied = list.keys;
    this.base[0] = offset;
    this.offsets.set(list.offsets.subarray(from, to));
    this.sizes.set(list.sizes.subarray(from, to));
    this.checksums.set(list.checksums.subarray(from, to));
    this.lows.set(list.lows.subarray(from, to));
    this.highs.set(list.highs.subarray(from, to));
    this.times.set(list.times.subarray(from, to));
    this.kinds.set(list.kinds.subarray(from, to));
  }

  fitting(at: number): number {
    const { from, count } = this;
    return at - from < count ? from + this.code.run(at - from, count, this.length) : at;
  }
}
