import {
  CELL_TYPE_SHIFT,
  cellTypes,
  LENGTH_ADJUST,
  SHORT_LENGTH_SHIFT,
  SHORT_MASK,
  shortCells,
} from "../../formats/cell.js";
import { PACKED_ONE_BYTE, PACKED_TWO_BYTES, PACKED_ZERO } from "../codec/packed.js";
import { type RowScanner, type ScannedRows, setRowScanner } from "../page/plain-rows.js";
import { setWindowMemory } from "../store/window-memory.js";
import {
  add,
  and,
  atLeast,
  below,
  block,
  branch,
  branchIf,
  type Code,
  differ,
  differ64,
  equal,
  exclusive64,
  get,
  giveBack,
  load8,
  load64,
  loop,
  lowestBit64,
  number,
  or,
  sequence,
  set,
  shiftLeft,
  shiftRight,
  store32,
  subtract,
  type WasmFunction,
  WasmModule,
  when,
} from "./wasm.js";

/**
 * Pages of nothing but plain rows in WebAssembly: rows of some 40 bytes are a handful of instructions each, which pays
 * for the copy into its memory; windows of files lie there already. Nothing is read outside of that, whatever the bytes are.
 */

/** Where the results are: rows, beginning and end of the last key. The page lies behind them. */
const RESULTS = 12;
const PAGE = 16;
/** Windows begin where copies from the kernel are fast. Smaller ones are not worth a memory, larger ones are rare. */
const WINDOW = 4096;
const MIN_WINDOW = 64 * 1024;
const MAX_WINDOW = 4 * 1024 * 1024;
/** Comparing reads up to so many bytes too much. */
export const SLACK = 16;

/** Locals of `takeRows`: where it is, and where the page ends. */
export const [AT, END] = [0, 1] as const;
/** How many rows it took, and the last of their keys. */
export const [ROWS, KEY, KEY_END] = [2, 3, 4] as const;
const [START, STOP, NEXT, BYTE, LEAST, SAME] = [5, 6, 7, 8, 9, 10] as const;
/** One past the last of them. */
export const ROW_LOCALS = 11;

const advance = (local: number, by: number): Code => set(local, add(get(local), number(by)));
const length = (from: number, to: number): Code => subtract(get(to), get(from));
const short = (first: number): Code => shiftRight(get(first), number(SHORT_LENGTH_SHIFT));
const isShort = (kind: number): Code => equal(and(get(BYTE), number(SHORT_MASK)), number(kind));
/** To the end of the outermost block: the row is of another shape, or not above the one before. */
const stopIf = (condition: Code, depth: number): Code => branchIf(depth, condition);

/** Behind a long value whose length takes one byte or two; longer ones are not for here. */
const longValue = (depth: number): Code =>
  sequence(
    stopIf(differ(get(BYTE), number(cellTypes.value << CELL_TYPE_SHIFT)), depth),
    set(BYTE, load8(get(NEXT))),
    stopIf(below(get(BYTE), number(PACKED_ZERO)), depth),
    when(
      below(get(BYTE), number(PACKED_ONE_BYTE.end)),
      set(NEXT, add(add(get(NEXT), number(1 + LENGTH_ADJUST)), and(get(BYTE), number(PACKED_ONE_BYTE.mask)))),
      sequence(
        stopIf(atLeast(get(BYTE), number(PACKED_TWO_BYTES.end)), depth + 1),
        set(
          BYTE,
          or(
            shiftLeft(and(get(BYTE), number(PACKED_TWO_BYTES.mask)), number(8)),
            load8(add(get(NEXT), number(1))),
          ),
        ),
        set(
          NEXT,
          add(add(get(NEXT), number(2 + LENGTH_ADJUST)), add(get(BYTE), number(PACKED_TWO_BYTES.bias))),
        ),
      ),
    ),
  );

const mine = load64(add(get(START), get(SAME)));
const other = load64(add(get(KEY), get(SAME)));

/** Stops unless the key is above the one before. */
const compareKeys = (depth: number): Code =>
  sequence(
    set(LEAST, length(START, STOP)),
    when(below(length(KEY, KEY_END), get(LEAST)), set(LEAST, length(KEY, KEY_END))),
    set(SAME, number(0)),
    // Eight bytes at a time; the lowest bit that differs tells which byte does.
    block(
      loop(
        branchIf(1, atLeast(get(SAME), get(LEAST))),
        when(
          differ64(mine, other),
          sequence(
            set(SAME, add(get(SAME), shiftRight(lowestBit64(exclusive64(mine, other)), number(3)))),
            branch(2),
          ),
        ),
        advance(SAME, 8),
        branch(0),
      ),
    ),
    when(
      atLeast(get(SAME), get(LEAST)),
      stopIf(atLeast(length(KEY, KEY_END), length(START, STOP)), depth + 1),
      stopIf(below(load8(add(get(START), get(SAME))), load8(add(get(KEY), get(SAME)))), depth + 1),
    ),
  );

/** Takes plain rows with ascending keys from AT on, until there is another one or END is reached. */
export const takeRows: Code = block(
  loop(
    stopIf(atLeast(get(AT), get(END)), 1),
    set(BYTE, load8(get(AT))),
    stopIf(equal(isShort(shortCells.keyShort), number(0)), 1),
    set(START, add(get(AT), number(1))),
    set(STOP, add(get(START), short(BYTE))),
    stopIf(atLeast(get(STOP), get(END)), 1),
    set(BYTE, load8(get(STOP))),
    set(NEXT, add(get(STOP), number(1))),
    when(isShort(shortCells.valueShort), set(NEXT, add(get(NEXT), short(BYTE))), longValue(2)),
    stopIf(below(get(END), get(NEXT)), 1),
    when(get(ROWS), compareKeys(2)),
    set(KEY, get(START)),
    set(KEY_END, get(STOP)),
    set(AT, get(NEXT)),
    advance(ROWS, 1),
    branch(0),
  ),
);

const body: Code = sequence(
  takeRows,
  store32(number(0), get(ROWS)),
  store32(number(4), get(KEY)),
  store32(number(8), get(KEY_END)),
  giveBack(get(AT)),
);

/** Installs the WebAssembly where the runtime has it; otherwise nothing changes. */
export function installWasmRows(): void {
  try {
    const scanner = new WasmRows();
    setRowScanner(scanner);
    setWindowMemory((size) => scanner.window(size));
  } catch {
    // no WebAssembly here: the portable code serves
  }
}

/** A memory of WebAssembly with the code for it, and what that left there. */
interface Place {
  readonly code: WasmFunction;
  readonly words: Int32Array;
}

class WasmRows implements RowScanner {
  private readonly module = new WasmModule(2, ROW_LOCALS - 2, body);
  /** Where pages are copied to that do not lie in one of the windows. */
  private copies = this.place(PAGE);
  private readonly windows = new WeakMap<ArrayBufferLike, Place>();

  private place(size: number): Place {
    const code = this.module.instance();
    const { buffer } = code.bytes(size);
    return { code, words: new Int32Array(buffer, 0, RESULTS / 4) };
  }

  /** Memory for a window of a file, in whose pages nothing has to be copied. */
  window(size: number): Uint8Array {
    if (size < MIN_WINDOW || size > MAX_WINDOW) return new Uint8Array(size);
    const place = this.place(WINDOW + size + SLACK);
    this.windows.set(place.words.buffer, place);
    return new Uint8Array(place.words.buffer, WINDOW, size);
  }

  scan(image: Uint8Array, from: number, to: number, found: ScannedRows): boolean {
    const window = this.windows.get(image.buffer);
    const place = window ?? this.copied(image, from, to);
    const start = window === undefined ? PAGE : image.byteOffset + from;
    const end = start + to - from;
    if (place.code.run(start, end) !== end) return false;
    const { words } = place;
    found.rows = words[0] as number;
    found.firstStart = from + 1;
    found.firstEnd = found.firstStart + ((image[from] as number) >> SHORT_LENGTH_SHIFT);
    found.keyStart = (words[1] as number) - start + from;
    found.keyEnd = (words[2] as number) - start + from;
    return true;
  }

  private copied(image: Uint8Array, from: number, to: number): Place {
    const { code, words } = this.copies;
    const memory = code.bytes(PAGE + to - from + SLACK);
    // Memory that grows is another one.
    if (memory.buffer !== words.buffer)
      this.copies = { code, words: new Int32Array(memory.buffer, 0, RESULTS / 4) };
    memory.set(image.subarray(from, to), PAGE);
    return this.copies;
  }
}
