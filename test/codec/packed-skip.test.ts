import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  FormatError,
  peekPackedNumber,
  randomU64,
  readPackedUnsigned,
  seededRandom,
  skipPackedUnsigned,
  writePackedUnsigned,
} from "../../src/codec/index.js";

const test = suite("packed integers without errors");

/** The length of the integer by the reader that explains itself; −1 when it refuses. */
function reference(bytes: Uint8Array, end: number): { next: number; value: number } {
  try {
    const value = readPackedUnsigned(bytes, 0, end);
    const out: number[] = [];
    writePackedUnsigned(out, value);
    return { next: out.length, value: value > BigInt(Number.MAX_SAFE_INTEGER) ? -1 : Number(value) };
  } catch (error) {
    assert.instance(error, FormatError);
    return { next: -1, value: -1 };
  }
}

function agree(bytes: Uint8Array, end: number): void {
  const expected = reference(bytes, end);
  assert.is(skipPackedUnsigned(bytes, 0, end), expected.next, `skip ${bytes} to ${end}`);
  assert.is(peekPackedNumber(bytes, 0, end), expected.value, `peek ${bytes} to ${end}`);
}

test("skipping and peeking agree with reading, whatever the bytes", () => {
  const random = seededRandom(1);
  for (let first = 0; first < 256; first++) {
    for (let round = 0; round < 60; round++) {
      const bytes = random.bytes(10);
      bytes[0] = first;
      if (round < 20) bytes.fill(round % 2 === 0 ? 0 : 0xff, 1, 1 + random.below(9));
      for (let end = 0; end <= bytes.length; end++) agree(bytes, end);
    }
  }
});

test("every written integer is skipped to its end, and only as a whole", () => {
  const random = seededRandom(2);
  for (let round = 0; round < 5000; round++) {
    const value = randomU64(random);
    const out: number[] = [];
    writePackedUnsigned(out, value);
    const bytes = Uint8Array.from(out);
    assert.is(skipPackedUnsigned(bytes, 0, bytes.length), bytes.length);
    assert.is(skipPackedUnsigned(bytes, 0, bytes.length - 1), -1);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER))
      assert.is(peekPackedNumber(bytes, 0, bytes.length), Number(value));
  }
});

test("the highest integer, and the first bytes beyond it", () => {
  const bytes = (low: number): Uint8Array => Uint8Array.of(0xe8, 255, 255, 255, 255, 255, 255, 0xdf, low);
  assert.is(skipPackedUnsigned(bytes(0xbf), 0, 9), 9);
  assert.is(skipPackedUnsigned(bytes(0xc0), 0, 9), -1);
});

test.run();
