/** Whatever comes in, as bytes, as a value or as JSON: only FormatErrors come out, soon, and without much memory. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  array,
  bytes,
  type Format,
  FormatError,
  format,
  type Node,
  nibble,
  packed,
  ref,
  region,
  struct,
  text,
  u8,
  u32le,
  u64le,
} from "../../src/codec/index.js";
import { madeFrom } from "../support/arbitrary.js";
import { processorMillis } from "../support/clock.js";
import { anyDeclaration } from "../support/declarations.js";

const test = suite("codec: hostile input");
const make = (type: Node): Format<unknown> =>
  format({ name: "n", title: "", source: "" }, type) as Format<unknown>;

/** Runs the call; true when it gave a FormatError. Any other error is thrown on. */
function refuses(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    if (error instanceof FormatError) return true;
    throw error;
  }
}

test("random bytes into random declarations", () => {
  fc.assert(
    fc.property(
      madeFrom((random) => make(anyDeclaration(random))),
      fc.uint8Array({ maxLength: 200, size: "max" }),
      fc.boolean(),
      (whole, data, partial) => {
        refuses(() => whole.parse(data, { partial }));
        const reading = whole.read(data, { partial });
        whole.validate(data, { partial });
        whole.annotate(data, { partial });
        if (reading.ok) assert.not(refuses(() => whole.build(reading.value)));
      },
    ),
    { numRuns: 3000 },
  );
});

const oddities = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    Number.NaN,
    1.5,
    -1,
    -0,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    -1n,
    1n << 64n,
    "5",
    "__proto__",
    true,
    Symbol("s"),
    () => 1,
    [],
    [undefined],
    new Array(3),
    {},
    Object.create(null),
    { kind: "a" },
    { kind: Object.create(null) },
    new Uint8Array(3),
    new Uint16Array(2),
    new Map(),
    new Date(0),
    "\ud800",
  ),
  fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }),
);

/** Puts something else in the place of one part of a value, or beside its fields. */
function replacePart(value: unknown, odd: unknown, random: { below(bound: number): number }): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || random.below(4) === 0)
    return odd;
  if (Array.isArray(value)) {
    const copy = value.slice();
    const at = random.below(copy.length + 1);
    copy[at] = replacePart(copy[at], odd, random);
    return copy;
  }
  const names = [...Object.keys(value), "added"];
  const name = names[random.below(names.length)] as string;
  return { ...value, [name]: replacePart((value as Record<string, unknown>)[name], odd, random) };
}

test("values of any shape into build", () => {
  let refused = 0;
  const cases = fc.tuple(
    madeFrom((random) => {
      const whole = make(anyDeclaration(random));
      return { whole, value: whole.parse(whole.build(whole.generate(random))), random };
    }),
    oddities,
  );
  fc.assert(
    fc.property(cases, ([{ whole, value, random }, odd]) => {
      if (refuses(() => whole.build(replacePart(value, odd, random)))) refused++;
      refuses(() => whole.build(odd));
    }),
    { numRuns: 4000 },
  );
  assert.ok(refused > 1000, `only ${refused} refused`);
});

test("JSON of any shape into fromJson, and what it makes of it into build", () => {
  const cases = fc.tuple(
    madeFrom((random) => {
      const whole = make(anyDeclaration(random));
      const json = whole.toJson(whole.parse(whole.build(whole.generate(random))));
      return { whole, json: JSON.parse(JSON.stringify(json)), random };
    }),
    fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("-1", "1e3", "99999999999999999999", "zz", "0", "0x10", " 1", "", -0, 2 ** 60, {
        toString: 1,
      }),
    ),
  );
  fc.assert(
    fc.property(cases, ([{ whole, json, random }, odd]) => {
      for (const item of [replacePart(json, odd, random), odd])
        refuses(() => whole.build(whole.fromJson(JSON.parse(JSON.stringify(item ?? null)))));
    }),
    { numRuns: 3000 },
  );
});

test("prototype keys are fields nobody knows, at any depth", () => {
  const whole = make(struct({ a: struct({ b: u8() }), list: array(struct({ c: u8() })) }));
  for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    for (const json of [
      `{"${key}":{"b":1},"a":{"b":1},"list":[]}`,
      `{"a":{"b":1,"${key}":{}},"list":[]}`,
      `{"a":{"b":1},"list":[{"c":1,"${key}":null}]}`,
    ]) {
      assert.throws(
        () => whole.fromJson(JSON.parse(json)),
        (error: unknown) => error instanceof FormatError && error.code === "unknown-field",
      );
      assert.throws(
        () => whole.build(JSON.parse(json)),
        (error: unknown) => error instanceof FormatError && error.code === "unknown-field",
      );
    }
  }
  assert.is(({} as Record<string, unknown>).b, undefined);
});

const HUGE: ReadonlyArray<readonly [string, Node]> = [
  ["list of bytes", struct({ n: u32le(), a: array(u8(), { count: ref("n") }) })],
  ["list of nothing", struct({ n: u32le(), a: array(struct({}), { count: ref("n") }) })],
  ["list of lists", struct({ n: u32le(), a: array(array(u8(), { count: ref("n") }), { count: ref("n") }) })],
  ["list of empty lists", struct({ n: u32le(), a: array(array(u8(), { count: 0 }), { count: ref("n") }) })],
  ["bytes", struct({ n: u32le(), a: bytes(ref("n")) })],
  ["text", struct({ n: u32le(), a: text(ref("n")) })],
  ["region", struct({ n: u32le(), a: region(struct({ rest: bytes() }), ref("n")) })],
  ["64-bit count", struct({ n: u64le(), a: array(packed(), { count: ref("n") }) })],
  ["nibbles", struct({ n: u32le(), a: array(nibble(), { count: ref("n") }) })],
];

test("counts and lengths beyond the input are refused at once", () => {
  const data = new Uint8Array(20).fill(0xff);
  data.fill(0x81, 12);
  for (const [name, type] of HUGE) {
    const whole = make(type);
    const start = processorMillis();
    const memory = process.memoryUsage().arrayBuffers;
    assert.ok(
      refuses(() => whole.parse(data)),
      name,
    );
    whole.annotate(data);
    whole.validate(data);
    assert.ok(processorMillis() - start < 200, `${name} took ${processorMillis() - start} ms`);
    assert.ok(process.memoryUsage().arrayBuffers - memory < 1e6, name);
  }
});

test("a long input of small parts takes time in proportion", () => {
  const whole = make(struct({ cells: array(struct({ n: packed(), t: text("nul"), b: bytes(1) })) }));
  const millisFor = (count: number): number => {
    const data = new Uint8Array(4 * count);
    for (let i = 0; i < count; i++) data.set([0x81, 0x61, 0, 7], 4 * i);
    const start = processorMillis();
    assert.ok(whole.read(data).ok);
    return processorMillis() - start;
  };
  millisFor(20_000);
  const [small, large] = [millisFor(10_000), millisFor(80_000)];
  assert.ok(large < 40 * small + 100, `${small} ms for 10,000, ${large} ms for 80,000`);
});

test.run();
