import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { binaryParserFor } from "../../src/codec/fixed/binary-parser.js";
import { type FixedCodec, fixedCodec, fixedPrefix, hasFixedLayout } from "../../src/codec/fixed/index.js";
import {
  array,
  bytes,
  crc32cField,
  type Format,
  FormatError,
  format,
  hexToBytes,
  type Node,
  optional,
  packed,
  type Reading,
  type RuleContext,
  ref,
  region,
  remaining,
  struct,
  type Type,
  text,
  u8,
  u16be,
  u32be,
  u32le,
  u64be,
  u64le,
} from "../../src/codec/index.js";
import { madeFrom } from "../support/arbitrary.js";
import { repositoryRoot } from "../support/corpus.js";
import { fixedDeclaration } from "../support/declarations.js";

const test = suite("codec: fixed layouts");
const info = { name: "fixed", title: "", source: "" };
const implementations = ["generated", "closures"] as const;

interface Case {
  readonly general: Format<unknown>;
  readonly node: Type<unknown>;
  readonly data: Uint8Array;
  readonly lead: number;
}
/** A declaration, and random bytes with room before and after a value. */
const cases: fc.Arbitrary<Case> = madeFrom((random) => {
  const node = fixedDeclaration(random) as Type<unknown>;
  const { size } = fixedCodec(node, { implementation: "closures" });
  const lead = random.below(3) * random.below(9);
  return { node, general: format(info, node), data: random.bytes(lead + size + random.below(5)), lead };
});

/** What a call gives: its value, or code, path and offset of its FormatError. Anything else is thrown on. */
function outcome(call: () => unknown): unknown {
  try {
    return { value: call() };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { code: error.code, path: error.path, offset: error.offset };
  }
}

/** binary-parser does not know where it was. */
const withoutPlace = (result: unknown): unknown =>
  "code" in (result as object) ? { code: (result as { code: string }).code } : result;

function readValue(reading: Reading<unknown>): unknown {
  if (!reading.ok) throw reading.error;
  return reading.value;
}

/** What the bytes hold; of a version that is too new, what zeros hold. */
function someValue(general: Format<unknown>, data: Uint8Array): unknown {
  const reading = general.read(data, { partial: true });
  return readValue(
    reading.ok
      ? reading
      : general.read(
          data.map(() => 0),
          { partial: true },
        ),
  );
}

test("generated code, closures, the general path and binary-parser read the same", () => {
  fc.assert(
    fc.property(cases, ({ node, general, data, lead }) => {
      const { size } = fixedCodec(node);
      const own = data.subarray(lead, lead + size);
      const expected = outcome(() => readValue(general.read(own, { base: lead })));
      for (const implementation of implementations)
        assert.equal(
          outcome(() => fixedCodec(node, { implementation }).decode(data, lead)),
          expected,
        );
      const view = new DataView(data.buffer, data.byteOffset, data.length);
      assert.equal(
        outcome(() => fixedCodec(node).decode(data, lead, view)),
        expected,
      );
      const parser = binaryParserFor(node);
      assert.equal(withoutPlace(outcome(() => parser.parse(own))), withoutPlace(expected));
      assert.equal(
        withoutPlace(outcome(() => parser.parse(data.subarray(lead), { partial: true }))),
        withoutPlace(expected),
      );
    }),
    { numRuns: 1000 },
  );
});

test("all of them refuse a value cut at any length, in the same place", () => {
  fc.assert(
    fc.property(cases, ({ node, general, data, lead }) => {
      const { size } = fixedCodec(node);
      for (let length = 0; length < size; length++) {
        const cut = data.subarray(0, lead + length);
        const expected = outcome(() => general.parse(cut.subarray(lead), { base: lead }));
        assert.match((expected as { code: string }).code, /^(truncated|unsupported-version)$/);
        for (const implementation of implementations)
          assert.equal(
            outcome(() => fixedCodec(node, { implementation }).decode(cut, lead)),
            expected,
          );
        const second = outcome(() => binaryParserFor(node).parse(cut.subarray(lead)));
        assert.equal(withoutPlace(second), withoutPlace(expected));
      }
    }),
    { numRuns: 300 },
  );
});

test("both write what the general path writes, and nothing beside it", () => {
  fc.assert(
    fc.property(cases, ({ node, general, data, lead }) => {
      const { size } = fixedCodec(node);
      const value = someValue(general, data.subarray(lead, lead + size));
      for (const implementation of implementations) {
        const target = data.map((byte) => byte ^ 0xff);
        const expected = target.slice();
        expected.set(general.build(value), lead);
        assert.is(fixedCodec(node, { implementation }).encode(value, target, lead), lead + size);
        assert.equal(target, expected);
      }
    }),
    { numRuns: 1000 },
  );
});

test("values of a wrong shape get the general path's error and leave the target alone", () => {
  const wrong = [
    undefined,
    null,
    "5",
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    1n << 64n,
    -1n,
    5n,
    [],
    {},
    new Uint8Array(9),
  ];
  fc.assert(
    fc.property(cases, fc.nat(), fc.nat(), ({ node, general, data, lead }, where, which) => {
      const value = structuredClone(someValue(general, data)) as Record<string, unknown>;
      spoil(value, where, wrong[which % wrong.length]);
      const expected = outcome(() => general.build(value));
      for (const implementation of implementations) {
        const target = data.slice();
        const got = outcome(() => fixedCodec(node, { implementation }).encode(value, target, lead));
        if ("code" in (expected as object)) {
          assert.equal(got, expected);
          assert.equal(target, data);
        } else {
          assert.equal(target.subarray(lead, lead + general.build(value).length), general.build(value));
        }
      }
    }),
    { numRuns: 1000 },
  );
});

/** Puts `wrong` in the place of some leaf, or beside the fields. */
function spoil(value: Record<string, unknown>, where: number, wrong: unknown): void {
  const names = Object.keys(value);
  if (where % (names.length + 1) === names.length) value.unheardOf = wrong;
  else {
    const name = names[where % names.length] as string;
    const inner = value[name];
    if (isStruct(inner) && where % 3 !== 0) spoil(inner, Math.floor(where / names.length), wrong);
    else value[name] = wrong;
  }
}

const isStruct = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

test("validate gives the general path's issues", () => {
  let clean = 0;
  fc.assert(
    fc.property(cases, fc.boolean(), ({ node, general, data, lead }, zeros) => {
      const bytesOf = zeros ? data.fill(0) : data;
      const { size } = fixedCodec(node);
      const expected = general.validate(bytesOf.subarray(lead, lead + size), { base: lead });
      if (expected.length === 0) clean++;
      for (const implementation of implementations)
        assert.equal(fixedCodec(node, { implementation }).validate(bytesOf, lead), expected);
    }),
    { numRuns: 1000 },
  );
  assert.ok(clean > 50, `only ${clean} values were clean`);
});

const numbers = struct({
  a: u8(),
  b: u16be(),
  c: u32le(),
  d: u32be(),
  e: u64le(),
  f: u64be(),
  g: bytes(2),
  h: struct({ i: u8(), j: array(u64be(), { count: 2 }) }),
  k: text(3),
});
const numbersHex = `01 0203 04050607 08090a0b 0c0d0e0f10111213 1415161718191a1b 1c1d 1e ${"1f".repeat(8)} ${"ff".repeat(8)} 616263`;

test("rules of nested structs see the enclosing ones, innermost first, and no parameters", () => {
  const seen: unknown[] = [];
  const watching = (name: string) => ({
    rules: [
      { code: name, doc: "", check: (_: unknown, context: RuleContext) => void seen.push(name, context) },
    ],
  });
  const inner = struct({ c: u8() }, watching("inner"));
  const node = struct({
    a: u8(),
    m: struct({ b: u8(), list: array(inner, { count: 1 }) }, watching("middle")),
  });
  for (const implementation of implementations) {
    seen.length = 0;
    assert.equal(fixedCodec(node, { implementation }).validate(Uint8Array.of(1, 2, 3)), []);
    const middle = { b: 2, list: [{ c: 3 }] };
    const outer = { a: 1, m: middle };
    assert.equal(seen, [
      "inner",
      { params: {}, enclosing: [middle, outer] },
      "middle",
      { params: {}, enclosing: [outer] },
    ]);
  }
});

test("byte orders are as declared", () => {
  for (const implementation of implementations)
    assert.equal(fixedCodec(numbers, { implementation }).decode(hexToBytes(numbersHex)), {
      a: 1,
      b: 0x0203,
      c: 0x07060504,
      d: 0x08090a0b,
      e: 0x131211100f0e0d0cn,
      f: 0x1415161718191a1bn,
      g: hexToBytes("1c1d"),
      h: { i: 0x1e, j: [0x1f1f1f1f1f1f1f1fn, 0xffffffffffffffffn] },
      k: "abc",
    });
});

test("more 64-bit fields than there is scratch space for", () => {
  const node = struct(
    Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`q${i}`, i % 2 ? u64le() : u64be()])),
  );
  const data = Uint8Array.from({ length: 720 }, (_, i) => (i * 151) & 0xff);
  const value = format(info, node).parse(data);
  for (const implementation of implementations) {
    const codec = fixedCodec(node, { implementation });
    assert.equal(codec.decode(data), value);
    const target = new Uint8Array(720);
    codec.encode(value, target);
    assert.equal(target, data);
  }
});

test("offsets outside of the bytes are errors of place", () => {
  const data = hexToBytes(numbersHex);
  for (const implementation of implementations) {
    const codec = fixedCodec(numbers, { implementation });
    const value = codec.decode(data);
    for (const offset of [-1, 1, data.length, data.length + 1, Number.NaN, 2 ** 40]) {
      const read = outcome(() => codec.decode(data, offset)) as { code: string };
      const written = outcome(() => codec.encode(value, data.slice(), offset)) as { code: string };
      assert.is(read.code, "truncated");
      assert.is(written.code, "truncated");
      assert.is(codec.validate(data, offset)[0]?.code, "truncated");
    }
  }
});

test("what is left out is derived", () => {
  const node = struct({ size: u8({ derive: 9 }), crc: crc32cField(), magic: u32be() });
  for (const implementation of implementations) {
    const codec = fixedCodec(node, { implementation });
    const target = new Uint8Array(9);
    codec.encode({ magic: 0x01020304 } as never, target);
    assert.equal(target, format(info, node).build({ magic: 0x01020304 } as never));
    assert.equal(codec.validate(target), []);
    target[8] = (target[8] as number) ^ 1;
    assert.is(codec.validate(target)[0]?.code, "checksum");
    assert.is(codec.validate(target)[0]?.offset, 1);
  }
});

test("names cannot break out of generated code", () => {
  const odd = ['"', "a b", "constructor", "\u2028", "`$" + "{x}`", "'); throw 1; ('"];
  const node = struct(Object.fromEntries(odd.map((name) => [name, u8()])));
  const value = fixedCodec(node, { implementation: "generated" }).decode(Uint8Array.of(1, 2, 3, 4, 5, 6));
  assert.equal(
    Object.entries(value),
    odd.map((name, i) => [name, i + 1]),
  );
});

test("only fixed layouts are taken", () => {
  const fixed: Node[] = [struct({ a: u8() }), region(u32le(), 4), array(u8(), { count: 3 }), u64le()];
  const open: Node[] = [
    packed(),
    bytes(),
    struct({ n: u8(), rest: bytes(ref("n")) }),
    array(u8()),
    array(bytes(0), { count: 2 }),
    optional(u8(), remaining),
    region(u32le(), 5),
    text("nul"),
  ];
  for (const node of fixed) assert.ok(hasFixedLayout(node), node.kind);
  for (const node of open) {
    assert.not(hasFixedLayout(node), node.kind);
    assert.throws(() => fixedCodec(node), TypeError);
  }
});

test("the fixed part of a header with an extension", () => {
  const node = struct({ a: u8(), size: u8({ max: 9 }), extension: bytes(ref("size")), b: u8() });
  const codec = fixedCodec(fixedPrefix(node));
  assert.is(codec.size, 2);
  assert.equal(codec.decode(Uint8Array.of(7, 1, 2, 3)), { a: 7, size: 1 });
  assert.is(codec.validate(Uint8Array.of(7, 10))[0]?.code, "value-range");
  assert.is(fixedCodec(fixedPrefix(numbers)).size, fixedCodec(numbers).size);
});

test("a format with one layout is taken as it is", () => {
  const codec: FixedCodec<{ a: number }> = fixedCodec(format(info, struct({ a: u8() })));
  assert.equal(codec.decode(Uint8Array.of(7)), { a: 7 });
});

test("code is generated where that works, and only there", () => {
  assert.is(fixedCodec(numbers).implementation, "generated");
  // The same module under a policy that forbids code generation: the check is made once a process.
  const script = `
    const { fixedCodec } = await import(${JSON.stringify(moduleUrl("src/codec/fixed/index"))});
    const { struct, u16le, u64le } = await import(${JSON.stringify(moduleUrl("src/codec/index"))});
    const codec = fixedCodec(struct({ a: u16le(), b: u64le() }));
    const value = codec.decode(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    let forced = "no error";
    try { fixedCodec(struct({ a: u16le() }), { implementation: "generated" }) } catch (error) { forced = error.name }
    console.log(codec.implementation, value.a, value.b, forced);`;
  const node = [
    "--disallow-code-generation-from-strings",
    ...process.execArgv,
    "--input-type=module",
    "-e",
    script,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, node, { encoding: "utf8" });
  assert.is(stdout.trim(), "closures 513 723118041428460547n EvalError", stderr);
});

/** A module of the sources or of the build, whichever this test is part of. */
function moduleUrl(path: string): string {
  const built = import.meta.url.endsWith(".js");
  return pathToFileURL(join(repositoryRoot, built ? "dist" : "", `${path}.${built ? "js" : "ts"}`)).href;
}

test.run();
