import { refused } from "../page/transform/faults.js";
import { checkSnappyLength, snappyStream } from "../page/transform/snappy-stream.js";
import type { StreamCodec } from "../page/transform/types.js";
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
  equal,
  get,
  giveBack,
  load8,
  load16,
  load32,
  load64,
  load128,
  loop,
  number,
  or,
  sequence,
  set,
  shiftLeft,
  shiftRight,
  store8,
  store64,
  store128,
  subtract,
  WasmModule,
  when,
} from "./wasm.js";

/**
 * Snappy's block format in WebAssembly: elements are a handful of bytes each, so moving 16 at a time with one
 * instruction is what counts. Nothing is read or written outside of its memory, whatever the bytes are.
 */

/** The most a copy writes, or reads, too much. In bytes. */
const SLACK = 64;
/** The first byte of the memory that is used: nothing in front of it is ever read. */
const INPUT = 16;
/** Larger streams are somebody else's: the memory is kept. In bytes. */
export const MAX_WASM_STREAM = 4 * 1024 * 1024;

// Parameters: bounds of the stream's elements and of the output.
const [IN, IN_END, OUT, OUT_END] = [0, 1, 2, 3] as const;
const [BASE, TAG, LENGTH, DISTANCE, FROM, TO] = [4, 5, 6, 7, 8, 9] as const;
const LOCALS = 6;

const done = giveBack(number(0));
const broken = giveBack(number(1));
const left = (at: number, end: number): Code => subtract(get(end), get(at));
const advance = (local: number, by: Code): Code => set(local, add(get(local), by));

/** From `FROM` to `TO`, up to `OUT` + `LENGTH`, in steps of some bytes: at least one. */
const copyBy = (step: number, one: Code): Code =>
  loop(
    one,
    advance(FROM, number(step)),
    advance(TO, number(step)),
    branchIf(0, below(get(TO), add(get(OUT), get(LENGTH)))),
  );
const copy16 = copyBy(16, store128(get(TO), load128(get(FROM))));
const copy8 = copyBy(8, store64(get(TO), load64(get(FROM))));
const copy1 = copyBy(1, store8(get(TO), load8(get(FROM))));

/** A length of more than 60 stands in the 1 to 4 bytes that follow; `LENGTH` is one less than the length here. */
const longLength = sequence(
  set(TAG, subtract(get(LENGTH), number(59))),
  when(above(get(TAG), left(IN, IN_END)), broken),
  set(LENGTH, load32(get(IN))),
  advance(IN, get(TAG)),
  when(
    below(get(TAG), number(4)),
    set(LENGTH, and(get(LENGTH), subtract(shiftLeft(number(1), shiftLeft(get(TAG), number(3))), number(1)))),
  ),
);

const literal = sequence(
  set(LENGTH, shiftRight(get(TAG), number(2))),
  when(atLeast(get(LENGTH), number(60)), longLength),
  when(or(atLeast(get(LENGTH), left(IN, IN_END)), atLeast(get(LENGTH), left(OUT, OUT_END))), broken),
  advance(LENGTH, number(1)),
  set(FROM, get(IN)),
  set(TO, get(OUT)),
  copy16,
  advance(IN, get(LENGTH)),
);

const farCopy = sequence(
  set(LENGTH, add(shiftRight(get(TAG), number(2)), number(1))),
  when(
    equal(and(get(TAG), number(3)), number(2)),
    sequence(set(DISTANCE, load16(get(IN))), advance(IN, number(2))),
    sequence(set(DISTANCE, load32(get(IN))), advance(IN, number(4))),
  ),
);
const nearCopy = sequence(
  set(LENGTH, add(and(shiftRight(get(TAG), number(2)), number(7)), number(4))),
  set(DISTANCE, or(shiftLeft(shiftRight(get(TAG), number(5)), number(8)), load8(get(IN)))),
  advance(IN, number(1)),
);
const copy = sequence(
  when(equal(and(get(TAG), number(3)), number(1)), nearCopy, farCopy),
  when(above(get(IN), get(IN_END)), broken),
  // A distance of 0 becomes the largest there is.
  when(atLeast(subtract(get(DISTANCE), number(1)), left(BASE, OUT)), broken),
  when(above(get(LENGTH), left(OUT, OUT_END)), broken),
  set(FROM, subtract(get(OUT), get(DISTANCE))),
  set(TO, get(OUT)),
  when(atLeast(get(DISTANCE), number(16)), copy16, when(atLeast(get(DISTANCE), number(8)), copy8, copy1)),
);

const body: Code = sequence(
  set(BASE, get(OUT)),
  block(
    loop(
      branchIf(1, atLeast(get(IN), get(IN_END))),
      set(TAG, load8(get(IN))),
      advance(IN, number(1)),
      when(and(get(TAG), number(3)), copy, literal),
      advance(OUT, get(LENGTH)),
      branch(0),
    ),
  ),
  when(equal(get(OUT), get(OUT_END)), done),
  broken,
);

/** @throws whatever the runtime throws where there is no WebAssembly with SIMD. */
export function loadWasmSnappy(larger: StreamCodec): StreamCodec {
  const code = new WasmModule(4, LOCALS, body).instance();
  return {
    implementation: "wasm",
    decode(stream, expectedLength, headroom, into) {
      if (stream.length > MAX_WASM_STREAM || expectedLength > MAX_WASM_STREAM)
        return larger.decode(stream, expectedLength, headroom, into);
      const start = checkSnappyLength(stream, expectedLength);
      const out = INPUT + stream.length + SLACK;
      const memory = code.bytes(out + expectedLength + SLACK);
      memory.set(stream, INPUT);
      if (code.run(INPUT + start, INPUT + stream.length, out, out + expectedLength) !== 0)
        throw refused("snappy", snappyStream, stream, expectedLength, "snappy cannot inflate this");
      const length = headroom + expectedLength;
      const plain = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
      plain.set(memory.subarray(out, out + expectedLength), headroom);
      return plain;
    },
    encode: (plain) => larger.encode(plain),
  };
}
