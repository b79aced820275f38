import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Modify, modifiesOf, modifyList } from "../../formats/history.js";
import { FormatError } from "../../src/codec/index.js";
import { applyModifies } from "../../src/page/modify.js";
import { FileAccess } from "../../src/store/file.js";
import { readLogFile } from "../../src/store/log-file.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("modify");
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const string = (value: Uint8Array): string => new TextDecoder().decode(value);
const change = (data: string, offset: number, size: number): Modify => ({
  data: bytes(data),
  offset: BigInt(offset),
  size: BigInt(size),
});

test("replaces, inserts and removes", () => {
  const apply = (...modifies: Modify[]): string => string(applyModifies(bytes("0123456789"), modifies, "u"));
  assert.is(apply(), "0123456789");
  assert.is(apply(change("ab", 2, 2)), "01ab456789");
  assert.is(apply(change("ab", 2, 0)), "01ab23456789");
  assert.is(apply(change("", 2, 3)), "0156789");
  assert.is(apply(change("abc", 2, 1)), "01abc3456789");
  assert.is(apply(change("x", 9, 100)), "012345678x");
  assert.is(apply(change("x", 10, 0)), "0123456789x");
  assert.is(apply(change("", 0, 10)), "");
  assert.is(apply(change("ab", 2, 2), change("Z", 3, 0)), "01aZb456789");
});

test("pads with NUL bytes or spaces up to a change behind the end", () => {
  assert.is(string(applyModifies(bytes("ab"), [change("x", 4, 7)], "u")), "ab\0\0x");
  assert.is(string(applyModifies(bytes("ab\0"), [change("x", 4, 0)], "S")), "ab  x\0");
});

test("the NUL that ends a string stays and does not count", () => {
  assert.is(string(applyModifies(bytes("abc\0"), [change("X", 1, 99)], "S")), "aX\0");
  assert.is(string(applyModifies(bytes("abc\0"), [change("d", 3, 0)], "S")), "abcd\0");
  assert.is(string(applyModifies(bytes("abc\0"), [change("d", 3, 1)], "u")), "abcd");
  assert.is(string(applyModifies(bytes("\0"), [change("d", 0, 0)], "S")), "d\0");
});

test("a modify in a real log makes the value the engine dumps", () => {
  const file = new FileAccess(corpusPath("logs", "operations", "WiredTigerLog.0000000001"));
  const values = new Map<string, Uint8Array>();
  for (const entry of readLogFile(file)) {
    if (entry.kind !== "record" || entry.content?.kind !== "commit") continue;
    for (const { body } of entry.content.operations) {
      if (body.kind === "rowPut") values.set(string(body.key), body.value.slice());
      else if (body.kind === "rowModify") {
        const before = values.get(string(body.key)) as Uint8Array;
        values.set(string(body.key), applyModifies(before, modifiesOf(modifyList.parse(body.modify)), "S"));
      }
    }
  }
  file.close();
  const expected = `uuuZZuuuuuinsert${"u".repeat(187)}\0`;
  assert.is(string(values.get("key020\0") as Uint8Array), expected);
});

test("agrees with splicing for any changes, and leaves the value as it was", () => {
  const anyChange = fc.record({
    data: fc.uint8Array({ maxLength: 12 }),
    offset: fc.bigInt({ min: 0n, max: 60n }),
    size: fc.bigInt({ min: 0n, max: 60n }),
  });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }),
      fc.array(anyChange, { maxLength: 6 }),
      (value, modifies) => {
        const before = value.slice();
        const expected = [...value];
        for (const { data, offset, size } of modifies) {
          while (expected.length < offset) expected.push(0);
          expected.splice(Number(offset), Number(size), ...data);
        }
        assert.equal(applyModifies(value, modifies, "u"), Uint8Array.from(expected));
        assert.equal(value, before);
      },
    ),
    { numRuns: 2000 },
  );
});

test("a change far behind the end is refused before memory is taken", () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const offset of [2 ** 32, 2 ** 53, 2 ** 64 - 2 ** 12])
    assert.throws(
      () => applyModifies(bytes("ab"), [change("", 0, 0), change("x", offset, 0)], "u"),
      isTooLong("[1]"),
    );
  assert.throws(
    () => applyModifies(bytes("ab"), [change("x", 99, 0)], "u", { maxLength: 99 }),
    isTooLong("[0]"),
  );
  assert.is(applyModifies(bytes("ab"), [change("x", 98, 0)], "u", { maxLength: 99 }).length, 99);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

const isTooLong = (path: string) => (error: unknown) =>
  error instanceof FormatError && error.code === "modify-length" && error.path === path;

test.run();
