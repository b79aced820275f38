/**
 * Every format of the registry on 10,000 generated values: value → bytes → value → bytes, the same by way of JSON,
 * annotations that cover every byte, damage that only ever gives a FormatError, and the other back ends.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formats } from "../../formats/registry.js";
import { binaryParserFor } from "../../src/codec/fixed/binary-parser.js";
import {
  bytesToHex,
  format as declare,
  type Format,
  FormatError,
  fixedCodec,
  hasErrors,
  hasFixedLayout,
  type Node,
  type RandomSource,
  type Span,
  seededRandom,
  type Type,
} from "../../src/codec/index.js";

const VALUES = 10_000;
/** Of so many values, one is looked at more closely. */
const CLOSER = 20;

const test = suite("formats: round trips");

// biome-ignore lint/suspicious/noExplicitAny: formats of different values.
type AnyFormat = Format<any>;

/** As forced for reading: nothing for a format with one layout. */
const generationOf = (value: { generation?: string }): { generation?: string } =>
  value.generation === undefined ? {} : { generation: value.generation };

function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (actual.length === expected.length && actual.every((byte, i) => byte === expected[i])) return;
  assert.is(bytesToHex(actual), bytesToHex(expected), what);
}

/** Value → bytes → value → bytes → JSON → bytes; gives the bytes. */
function roundTrip(format: AnyFormat, value: { generation?: string }): Uint8Array {
  const built = format.build(value);
  const reading = format.read(built, generationOf(value));
  if (!reading.ok) throw reading.error;
  if (hasErrors(reading.issues)) assert.equal(reading.issues, [], bytesToHex(built));
  sameBytes(format.build(reading.value), built, "built again");
  const json = JSON.stringify(format.toJson(reading.value, { secrets: "reveal" }));
  sameBytes(format.build(format.fromJson(JSON.parse(json))), built, json);
  return built;
}

/** The generation is found without being told, or is one of those that cannot be told apart. */
function isDetected(format: AnyFormat, value: { generation?: string }, built: Uint8Array): void {
  if (value.generation === undefined) return;
  const reading = format.read(built);
  const found = reading.fits ?? [reading.generation];
  assert.ok(found.includes(value.generation), `${value.generation} of ${found}`);
}

/** Each byte is in exactly one innermost span; the declared formats have a leaf or a gap for it. */
function coversAllBytes(format: AnyFormat, root: Span, length: number): void {
  assert.equal([root.start, root.end], [0, length]);
  const isText = layoutsOf(format).length === 0;
  assert.is(isText ? endOfChildren(root) <= length : endOfLeaves(root, 0), isText ? true : length);
}

/** Where the last child ends, all of them in order and inside of their parent. */
function endOfChildren(span: Span): number {
  let at = span.start;
  for (const child of span.children) {
    assert.ok(child.start >= at && child.end <= span.end, `${child.path} at ${child.start}..${child.end}`);
    if (child.kind !== "bits") at = Math.max(child.start, endOfChildren(child));
  }
  return Math.max(at, span.end);
}

/** Where the last leaf ends, each of them beginning where the one before ends. */
function endOfLeaves(span: Span, from: number): number {
  const inner = span.children.filter(({ kind }) => kind !== "bits");
  if (inner.length > 0) return inner.reduce((at, child) => endOfLeaves(child, at), from);
  assert.is(span.start, from, `${span.path} begins`);
  return span.end;
}

/** One byte of the input changes, or its end is missing: it is refused, or it is read and written back as it is. */
function survivesDamage(format: AnyFormat, built: Uint8Array, random: RandomSource): void {
  if (built.length === 0) return;
  const changed = built.slice();
  changed[random.below(built.length)] = random.below(256);
  for (const damaged of [changed, built.subarray(0, random.below(built.length))]) {
    try {
      format.annotate(damaged);
      format.validate(damaged);
      const reading = format.read(damaged);
      if (!reading.ok) continue;
      format.toJson(reading.value);
      if (!hasErrors(reading.issues)) sameBytes(format.build(reading.value), damaged, "damaged but valid");
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      assert.unreachable(`${error.code} at ${error.path} of ${bytesToHex(damaged)}: ${error.message}`);
    }
  }
}

for (const format of formats)
  test(`${format.name}: ${VALUES.toLocaleString("en")} values`, () => {
    const random = seededRandom(1);
    for (let i = 0; i < VALUES; i++) {
      const value = format.generate(random);
      const built = roundTrip(format, value);
      if (i % CLOSER !== 0) continue;
      coversAllBytes(format, format.annotate(built, generationOf(value)), built.length);
      isDetected(format, value, built);
      survivesDamage(format, built, random);
    }
  });

interface Layout {
  readonly name: string;
  readonly type: Type<unknown>;
  readonly generation?: string;
}

/** The declarations behind a format: none for text formats. */
function layoutsOf(format: AnyFormat): Layout[] {
  const { type, variants } = format as { type?: Type<unknown>; variants?: Record<string, { type: Node }> };
  if (type !== undefined) return [{ name: format.name, type }];
  return Object.entries(variants ?? {}).map(([generation, variant]) => ({
    name: `${format.name} ${generation}`,
    type: variant.type as Type<unknown>,
    generation,
  }));
}

test("binary-parser reads the same values, and refuses the same cut bytes", () => {
  let compared = 0;
  for (const format of formats)
    for (const { name, type, generation } of layoutsOf(format)) {
      const parser = binaryParserFor(type);
      const forced = generation === undefined ? {} : { generation };
      const random = seededRandom(2);
      for (let i = 0; i < 60; i++) {
        const built = format.build(format.generate(random, forced));
        const { generation: _, ...value } = format.parse(built, forced);
        assert.equal(
          parser.parse(built),
          "kind" in type && type.kind === "struct" ? value : format.parse(built, forced),
          name,
        );
        const cut = built.subarray(0, random.below(built.length + 1));
        const reading = declaration(type).read(cut);
        assert.is(
          codeOf(() => parser.parse(cut)),
          reading.ok ? "no error" : reading.error.code,
          `${name} ${bytesToHex(cut)}`,
        );
        compared++;
      }
    }
  assert.ok(compared > 2000, String(compared));
});

/** The engine's own format of a declaration, without what a format adds to it. */
const declaration = (type: Type<unknown>): AnyFormat =>
  declare({ name: "declaration", title: "", source: "" }, type);

function codeOf(call: () => unknown): string {
  try {
    call();
    return "no error";
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
}

test("the fast path of every fixed layout agrees with the format", () => {
  const names: string[] = [];
  for (const format of formats)
    for (const { name, type, generation } of layoutsOf(format)) {
      if (!hasFixedLayout(type)) continue;
      names.push(name);
      const forced = generation === undefined ? {} : { generation };
      const random = seededRandom(3);
      for (const implementation of ["generated", "closures"] as const) {
        const fast = fixedCodec(type, { implementation });
        for (let i = 0; i < 500; i++) {
          const value = format.generate(random, forced);
          const built = format.build(value);
          const { generation: _, ...expected } = format.parse(built, forced);
          assert.equal(fast.decode(built), expected, name);
          const target = new Uint8Array(fast.size);
          fast.encode(expected, target);
          assert.equal(target, built, name);
          assert.equal(
            fast.validate(built).map(({ code, path }) => [code, path]),
            format.validate(built, forced).map(({ code, path }) => [code, path]),
          );
        }
      }
    }
  for (const name of ["page-header", "classic-block-header"]) assert.ok(names.includes(name), name);
});

test.run();
