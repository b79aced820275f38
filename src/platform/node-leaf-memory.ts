import { CLASSIC_BLOCK, DATA_CHECKSUM } from "../../formats/block-header.js";
import { SHORT_LENGTH_SHIFT } from "../../formats/cell.js";
import { PAGE_HEADER, pageFlags, pageTypes, pageVersions } from "../../formats/page-header.js";
import { type LeafMemory, setLeafMemory } from "../page/leaf-memory.js";
import { AT, END, KEY, KEY_END, ROW_LOCALS, ROWS, SLACK, takeRows } from "./node-plain-rows.js";
import {
  above,
  add,
  and,
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
  loop,
  number,
  or,
  or64,
  sequence,
  set,
  shiftLeft,
  store32,
  subtract,
  WasmModule,
} from "./wasm.js";

/**
 * Memory of WebAssembly, and code that tells of an uncompressed leaf that lies there whether it is nothing but plain
 * rows. One function instead of a dozen: in a run of half a second, what costs is that V8 compiles each of them, in each
 * thread.
 */

/** Where the last key is left: beginning and end. The blocks lie behind, where copies from the kernel are fast. */
const RESULTS = 8;
const BLOCKS = 4096;

/** The block, and its bytes. */
const [BLOCK, SIZE] = [ROW_LOCALS, ROW_LOCALS + 1] as const;
const LOCALS = ROW_LOCALS + 2;

const { at: HEADER } = PAGE_HEADER;
const { payload: PAYLOAD, diskSize, flags, unused } = CLASSIC_BLOCK;
/** Bits that a byte of flags may not have. */
const BAD_PAGE_FLAGS = 0xff & ~pageFlags.emptyValuesNone;
const BAD_BLOCK_FLAGS = 0xff & ~DATA_CHECKSUM;

const field = (offset: number): Code => add(get(BLOCK), number(offset));
/** To the end of the outermost block: this one is not for here. */
const no = (condition: Code, depth = 0): Code => branchIf(depth, condition);
const memSize = load32(field(HEADER.memSize));

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
  takeRows,
  no(differ(get(AT), get(END))),
  no(differ(shiftLeft(get(ROWS), number(1)), load32(field(HEADER.entries)))),
);

/** How many rows there are; 0 where the answer is no. */
const body: Code = sequence(
  set(BLOCK, get(AT)),
  set(SIZE, get(END)),
  block(
    header,
    zerosBehind,
    rows,
    store32(number(0), get(KEY)),
    store32(number(4), get(KEY_END)),
    giveBack(get(ROWS)),
  ),
  giveBack(number(0)),
);

/** Installs the WebAssembly where the runtime has it; otherwise nothing changes. */
export function installWasmLeafMemory(): void {
  try {
    const module = new WasmModule(2, LOCALS - 2, body);
    setLeafMemory((size) => newMemory(module, size));
  } catch {
    // no WebAssembly here: the portable code serves
  }
}

function newMemory(module: WasmModule, size: number): LeafMemory {
  const code = module.instance();
  const memory = code.bytes(BLOCKS + size + SLACK);
  const bytes = memory.subarray(BLOCKS, BLOCKS + size);
  const results = new Uint32Array(memory.buffer, 0, RESULTS / 4);
  return {
    bytes,
    scan(start, size, found) {
      const rows = code.run(BLOCKS + start, size);
      if (rows === 0) return false;
      found.rows = rows;
      found.firstStart = start + PAYLOAD + 1;
      found.firstEnd = found.firstStart + ((bytes[start + PAYLOAD] as number) >> SHORT_LENGTH_SHIFT);
      found.keyStart = (results[0] as number) - BLOCKS;
      found.keyEnd = (results[1] as number) - BLOCKS;
      return true;
    },
  };
}
