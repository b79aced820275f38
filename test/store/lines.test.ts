import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MemoryAccess } from "../../src/store/file.js";
import { readLines } from "../../src/store/lines.js";
import type { RandomAccess } from "../../src/store/types.js";

const test = suite("lines");
const bytesOf = (text: string) => new TextEncoder().encode(text);
/** Every line, with its bytes read before the next line overwrites them. */
function collect(file: RandomAccess, limit?: number) {
  const lines: { number: number; offset: number; bytes: string; length: number }[] = [];
  for (const line of readLines(file, limit))
    lines.push({ ...line, bytes: new TextDecoder().decode(line.bytes) });
  return lines;
}
const linesOf = (text: string, limit?: number) => collect(new MemoryAccess("text", bytesOf(text)), limit);

test("numbers and offsets, with and without a last line feed", () => {
  const expected = [
    { number: 1, offset: 0, bytes: "one", length: 3 },
    { number: 2, offset: 4, bytes: "", length: 0 },
    { number: 3, offset: 5, bytes: "three", length: 5 },
  ];
  assert.equal(linesOf("one\n\nthree"), expected);
  assert.equal(linesOf("one\n\nthree\n"), expected);
  assert.equal(linesOf(""), []);
});

test("a carriage return belongs to the line's end", () => {
  assert.equal(
    linesOf("a\r\nb").map(({ bytes, offset }) => [bytes, offset]),
    [
      ["a", 0],
      ["b", 3],
    ],
  );
});

test("a line above the limit is cut, its length and what follows are right", () => {
  const lines = linesOf(`ab\n${"x".repeat(50)}\ncd`, 10);
  assert.equal(
    lines.map(({ bytes, length, offset }) => [bytes, length, offset]),
    [
      ["ab", 2, 0],
      ["x".repeat(10), 50, 3],
      ["cd", 2, 54],
    ],
  );
});

test("lines longer than a block, in a file that is never whole in memory", () => {
  const sizes = [10, 3_000_000, 0, 1_048_576, 5];
  const line = (index: number) => String.fromCharCode(97 + index).repeat(sizes[index] as number);
  const lines = linesOf(sizes.map((_, index) => line(index)).join("\n"));
  assert.is(lines.length, sizes.length);
  lines.forEach(({ bytes }, index) => {
    assert.ok(bytes === line(index), `line ${index}`);
  });
});

/** Gives what is there in small pieces, as a slow file might. */
class Slow extends MemoryAccess implements RandomAccess {
  override readInto(target: Uint8Array, offset: number): number {
    return super.readInto(target.subarray(0, 3), offset);
  }
}

test("however the file is read, the lines are those of split", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "b", "é"), maxLength: 60 }), (text) => {
      const found = collect(new Slow("text", bytesOf(text))).map(({ bytes }) => bytes);
      const expected = text.split("\n");
      if (expected[expected.length - 1] === "") expected.pop();
      assert.equal(found, expected);
    }),
  );
});

test.run();
