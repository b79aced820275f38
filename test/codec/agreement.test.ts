/** Random declarations and random bytes: what is derived from one declaration must agree, whatever it is given. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { binaryParserFor } from "../../src/codec/fixed/binary-parser.js";
import {
  array,
  bytesToHex,
  custom,
  type Format,
  FormatError,
  format,
  hasErrors,
  type Node,
  nibble,
  optional,
  type RandomSource,
  remaining,
  type Span,
  struct,
  type Type,
  u8,
} from "../../src/codec/index.js";
import { madeFrom } from "../support/arbitrary.js";
import { anyDeclaration } from "../support/declarations.js";

const test = suite("codec: agreement");
const info = { name: "any", title: "", source: "" };

interface Case {
  readonly node: Type<unknown>;
  readonly whole: Format<unknown>;
  readonly bytes: Uint8Array;
}

const declared = (random: RandomSource): Pick<Case, "node" | "whole"> => {
  const node = anyDeclaration(random) as Type<unknown>;
  return { node, whole: format(info, node) };
};
const randomBytes = madeFrom<Case>((random) => ({
  ...declared(random),
  bytes: random.bytes(random.below(random.below(4) === 0 ? 300 : 40)),
}));
/** Valid bytes of the declaration; cut, or with some bytes changed, or as they are. */
const nearlyValid = madeFrom<Case>((random) => {
  const { node, whole } = declared(random);
  const valid = whole.build(whole.generate(random));
  const kind = random.below(3);
  if (kind === 0) return { node, whole, bytes: valid.subarray(0, random.below(valid.length + 1)) };
  for (let changes = kind * random.below(4); changes > 0; changes--)
    valid[random.below(valid.length)] = pickByte(random);
  return { node, whole, bytes: valid };
});
const pickByte = (random: RandomSource): number =>
  [0, 1, 0x7f, 0x80, 0xe8, 0xff, random.below(256), random.below(256)][random.below(8)] as number;

const any = fc.oneof(randomBytes, nearlyValid);

/** The code of a FormatError; anything else is thrown on. */
function codeOf(call: () => unknown): string {
  try {
    call();
    return "no error";
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
}

test("generated values are valid, and come back from their bytes and from JSON", () => {
  fc.assert(
    fc.property(
      madeFrom((random) => {
        const { whole } = declared(random);
        return { whole, value: whole.generate(random) };
      }),
      ({ whole, value }) => {
        const built = whole.build(value);
        const reading = whole.read(built);
        assert.ok(reading.ok && !hasErrors(reading.issues), JSON.stringify(reading.issues));
        assert.equal(whole.build(reading.value), built);
        const json = JSON.parse(JSON.stringify(whole.toJson(reading.value)));
        assert.equal(whole.build(whole.fromJson(json)), built);
      },
    ),
    { numRuns: 1500 },
  );
});

test("whatever can be read is written back byte for byte", () => {
  let read = 0;
  fc.assert(
    fc.property(any, ({ whole, bytes }) => {
      const reading = whole.read(bytes);
      if (!reading.ok) return;
      read++;
      assert.is(bytesToHex(whole.build(reading.value)), bytesToHex(bytes));
      const part = whole.read(Uint8Array.of(...bytes, 0xff), { partial: true });
      if (part.ok && part.length === bytes.length) assert.equal(part.value, reading.value);
    }),
    { numRuns: 4000 },
  );
  assert.ok(read > 800, `only ${read} could be read`);
});

test("parse, read, validate and annotate tell the same error and the same issues", () => {
  fc.assert(
    fc.property(any, fc.nat({ max: 5000 }), ({ whole, bytes }, base) => {
      const reading = whole.read(bytes, { base });
      const root = whole.annotate(bytes, { base });
      assert.equal(whole.validate(bytes, { base }), reading.issues);
      assert.equal(issuesOf(root), sorted(reading.issues));
      const expected = reading.ok
        ? (reading.issues.find(({ severity }) => severity === "error")?.code ?? "no error")
        : reading.error.code;
      assert.is(
        codeOf(() => whole.parse(bytes, { base })),
        expected,
      );
      for (const { offset } of reading.issues) assert.ok(isWithin(offset, base, bytes), String(offset));
    }),
    { numRuns: 2000 },
  );
});

const issuesOf = (span: Span): string[] =>
  sorted([...span.issues, ...span.children.flatMap((child) => issuesOfTree(child))]);
const issuesOfTree = (span: Span): Span["issues"] => [...span.issues, ...span.children.flatMap(issuesOfTree)];
const sorted = (issues: Iterable<object>): string[] =>
  [...issues]
    .map((issue) => JSON.stringify(issue, (_, item) => (typeof item === "bigint" ? `${item}` : item)))
    .sort();
const isWithin = (offset: number | undefined, base: number, bytes: Uint8Array): boolean =>
  offset !== undefined && Number.isInteger(offset) && offset >= base && offset <= base + bytes.length;

test("annotations cover every byte exactly once", () => {
  fc.assert(
    fc.property(any, fc.nat({ max: 5000 }), ({ whole, bytes }, base) => {
      let at = base;
      for (const leaf of leavesOf(whole.annotate(bytes, { base }))) {
        assert.is(leaf.start, at, `${leaf.path} begins`);
        at = leaf.end;
      }
      assert.is(at, base + bytes.length);
    }),
    { numRuns: 2000 },
  );
});

/** The innermost spans in their order, bit ranges aside. */
function leavesOf(span: Span): Span[] {
  const inner = span.children.filter(({ kind }) => kind !== "bits");
  return inner.length === 0 ? [span] : inner.flatMap(leavesOf);
}

test("binary-parser gives the same values and the same codes", () => {
  fc.assert(
    fc.property(any, ({ node, whole, bytes }) => {
      const parser = binaryParserFor(node);
      const reading = whole.read(bytes);
      if (reading.ok) assert.equal(parser.parse(bytes), reading.value);
      else
        assert.is(
          codeOf(() => parser.parse(bytes)),
          reading.error.code,
        );
    }),
    { numRuns: 2500 },
  );
});

test("binary-parser: parameters, custom fields and what it has no form for", () => {
  const pair = custom({
    name: "pair",
    decode: (cursor) => [cursor.bytes[cursor.take(1)], cursor.bytes[cursor.take(1)]],
    encode: (writer, value) => writer.bytes(value as number[]),
    generate: () => [1, 2],
    toJson: (value) => value,
    fromJson: (json) => json as number[],
  });
  const node = struct({ a: u8(), b: optional(pair, { op: "param", name: "b" }), c: u8() });
  const parser = binaryParserFor(node);
  assert.equal(parser.parse(Uint8Array.of(1, 2, 3, 4), { params: { b: 1 } }), { a: 1, b: [2, 3], c: 4 });
  assert.equal(parser.parse(Uint8Array.of(1, 2)), { a: 1, c: 2 });
  assert.is(
    codeOf(() => parser.parse(Uint8Array.of(1, 2), { params: { b: 1 } })),
    "truncated",
  );
  const refused: Node[] = [
    array(nibble()),
    optional(nibble(), remaining),
    struct({ "not an identifier": u8(), n: optional(u8(), remaining) }),
  ];
  for (const type of refused) assert.throws(() => binaryParserFor(type as Type<unknown>));
});

test("binary-parser: the plain Parser of a fixed struct gives the value by itself", () => {
  const { parser } = binaryParserFor(struct({ a: u8(), b: struct({ c: u8() }) }));
  assert.is(parser.sizeOf(), 2);
  assert.equal(parser.parse(Uint8Array.of(7, 8)), { a: 7, b: { c: 8 } });
});

test.run();
