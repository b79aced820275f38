import { createRequire } from "node:module";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FormatError } from "../../src/codec/error.js";
import { frameChecksum } from "../../src/page/transform/zstd/checksum.js";
import { zstdStream } from "../../src/page/transform/zstd-stream.js";
import { loadNodeZstd } from "../../src/platform/node-zstd.js";

interface Package {
  init(): Promise<void>;
  compress(plain: Uint8Array, level: number): Uint8Array;
}

const libzstd = createRequire(import.meta.url)("@bokuweb/zstd-wasm") as Package;
const native = loadNodeZstd();
const test = suite("page: zstd");

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const concat = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

/** Both decoders, which must agree. */
function decode(stream: Uint8Array, length: number): Uint8Array {
  const plain = zstdStream.decode(stream, length, 0);
  assert.is(Buffer.compare(plain, native.decode(stream, length, 0)), 0);
  return plain;
}

function refuses(stream: Uint8Array, length: number, why: RegExp): void {
  for (const decoder of [zstdStream, native]) {
    assert.throws(
      () => decoder.decode(stream, length, 0),
      (error: unknown) => error instanceof FormatError && why.test(error.message),
      `${decoder.implementation}: ${why}`,
    );
  }
}

/** A text that is different enough from start to end that each of its blocks gets tables of its own or repeats them. */
function drifting(length: number): Uint8Array {
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const out = new Uint8Array(length);
  for (let i = 0; i < length; ) {
    const alphabet = 4 + Math.floor(i / 20_000) * 9;
    if (i > 600 && random(3) > 0) {
      const [from, run] = [i - 1 - random(600), 3 + random(40)];
      for (let k = 0; k < run && i < length; k++) out[i++] = out[from + k]!;
    } else for (let k = random(12); k >= 0 && i < length; k--) out[i++] = 32 + random(alphabet);
  }
  return out;
}

test("XXH64 of known inputs", () => {
  const hash = (text: string) => frameChecksum(new TextEncoder().encode(text), 0, text.length);
  assert.is(hash(""), 0x51d8e999);
  assert.is(hash("a"), 0xa98c6e5b);
  assert.is(hash("abc"), 0xad770999);
});

test("streams of many blocks, at every kind of level", async () => {
  await libzstd.init();
  for (const length of [1000, 131_072, 131_073, 400_000]) {
    const plain = drifting(length);
    for (const level of [-5, 1, 3, 6, 12]) {
      const stream = libzstd.compress(plain, level);
      assert.is(Buffer.compare(decode(stream, length), plain), 0, `${length} bytes at level ${level}`);
    }
  }
});

test("the shortest frames of each block type, by hand", () => {
  const magic = "28b52ffd";
  // Single segment, one byte of content size; block headers are size << 3 | type << 1 | last.
  assert.equal(decode(bytesOf(`${magic} 20 03 190000 616263`), 3), bytesOf("616263"));
  assert.equal(decode(bytesOf(`${magic} 20 05 2b0000 7a`), 5), bytesOf("7a7a7a7a7a"));
  // A compressed block with raw literals and no sequences.
  assert.equal(decode(bytesOf(`${magic} 00 00 250000 10 6869 00`), 2), bytesOf("6869"));
  // The same with a window instead of a content size, and in two blocks.
  assert.equal(decode(bytesOf(`${magic} 00 58 080000 61 110000 6263`), 3), bytesOf("616263"));
});

test("a frame's checksum is checked", () => {
  const body = "190000 616263";
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(frameChecksum(bytesOf("616263"), 0, 3));
  const frame = bytesOf(`28b52ffd 24 03 ${body} ${sum.toString("hex")}`);
  assert.equal(decode(frame, 3), bytesOf("616263"));
  for (let bit = 0; bit < 32; bit++) {
    const flipped = frame.slice();
    flipped[frame.length - 4 + (bit >> 3)]! ^= 1 << (bit & 7);
    refuses(flipped, 3, /checksum mismatch/);
  }
  refuses(frame.slice(0, -1), 3, /checksum is cut off/);
});

test("what follows the frame must be a frame", () => {
  const frame = bytesOf("28b52ffd 20 03 190000 616263");
  const skippable = bytesOf("5a2a4d18 02000000 ffff");
  const empty = bytesOf("28b52ffd 20 00 010000");
  assert.equal(decode(concat(frame, skippable), 3), bytesOf("616263"));
  assert.equal(decode(concat(frame, empty), 3), bytesOf("616263"));
  refuses(concat(frame, bytesOf("00")), 3, /cut off|no frame/);
  refuses(concat(frame, frame), 3, /more output/);
  refuses(concat(skippable, frame), 3, /skippable frame in front/);
});

test("frames that cannot be", () => {
  const cases: [hex: string, length: number, why: RegExp][] = [
    ["", 3, /cut off/],
    ["28b52ffd", 3, /cut off/],
    ["28b52ffe 20 03 190000 616263", 3, /no frame/],
    ["28b52ffd 28 03 190000 616263", 3, /reserved frame flag/],
    ["28b52ffd 21 07 03 190000 616263", 3, /dictionary/],
    ["28b52ffd 00 f8 190000 616263", 3, /window is too large/],
    ["28b52ffd 20 04 190000 616263", 3, /inflates to 4/],
    ["28b52ffd 20 04 190000 616263", 4, /at most 3/],
    ["28b52ffd 20 03 1f0000 616263", 3, /reserved block type/],
    ["28b52ffd 20 03 210000 61626364", 3, /larger than allowed/],
    ["28b52ffd 20 03 180000 616263", 3, /block header is cut off/],
    ["28b52ffd 20 02 350000 10 6869 00 0000", 2, /larger than allowed/],
    ["28b52ffd 60 0000 350000 10 6869 00 0000", 256, /behind a block/],
    ["28b52ffd 60 0000 2d0000 10 6869 01 00", 256, /no end mark/],
    ["28b52ffd 60 0000 2d0000 10 6869 01 01", 256, /reserved sequence modes/],
    // One sequence of predefined tables whose bits end before the first states are read.
    ["28b52ffd 60 0000 350000 10 6869 01 00 01", 256, /sequences are cut off/],
    // Runs of the codes "2 literals", "offset 1 bit" and "match 3": the second recent offset, 4, reaches too far.
    ["28b52ffd 60 0000 4d0000 10 6869 01 54 02 01 00 02", 256, /before the start/],
  ];
  for (const [hex, length, why] of cases) refuses(bytesOf(hex), length, why);
});

test("libzstd started anew by somebody else does not disturb ours", async () => {
  const plain = drifting(5000);
  const stream = native.encode(plain);
  await libzstd.init();
  assert.equal(native.decode(stream, plain.length, 0), plain);
});

test.run();
