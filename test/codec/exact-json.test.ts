import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FormatError } from "../../src/codec/error.js";
import {
  type ExactJson,
  type ExactJsonOptions,
  LongText,
  parseExactJson,
} from "../../src/codec/exact-json.js";

const test = suite("exact json");
const parse = (text: string, options?: ExactJsonOptions): ExactJson =>
  parseExactJson(new TextEncoder().encode(text), options);
/** Objects come without a prototype; for comparing, as plain ones. */
const plain = (value: ExactJson): unknown => JSON.parse(JSON.stringify(value));

test("integers JavaScript cannot hold are exact", () => {
  assert.is(parse("7594297955163570183"), 7594297955163570183n);
  assert.is(parse("18446744073709551615"), (1n << 64n) - 1n);
  assert.is(parse("-9223372036854775808"), -(1n << 63n));
  assert.is(parse("9007199254740991"), Number.MAX_SAFE_INTEGER);
  assert.is(parse("9007199254740992"), 9007199254740992n);
  assert.is(parse("1e3"), 1000);
  assert.is(parse("-0.5"), -0.5);
});

test("agrees with the platform on every document it can write", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const expected = JSON.parse(text) as unknown;
      // -0 and integers beyond 2^53 are where the two differ on purpose.
      fc.pre(!/\d{16}|-0/.test(text));
      assert.equal(plain(parse(text)), JSON.parse(JSON.stringify(expected)));
    }),
    { numRuns: 2000 },
  );
});

test("what the platform refuses is refused with a place, and nothing else is thrown", () => {
  const alphabet = [...'{}[]",:0123456789.eE+-truefalsn\\u ', "\u0001", "é"];
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 24 }), (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      try {
        parse(text);
        assert.ok(valid, `accepted ${JSON.stringify(text)}`);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        assert.not.ok(valid, `refused ${JSON.stringify(text)}: ${error.message}`);
        assert.type(error.offset, "number");
      }
    }),
    { numRuns: 20_000 },
  );
});

test("lists of bytes become bytes, other lists stay lists", () => {
  const options = { byteLists: true };
  assert.equal(parse("[0, 255 ,7]", options), Uint8Array.of(0, 255, 7));
  assert.equal(parse("[]", options), new Uint8Array(0));
  assert.equal(parse("[0,256]", options), [0, 256]);
  assert.equal(parse("[1,-1]", options), [1, -1]);
  assert.equal(parse("[1,2.5]", options), [1, 2.5]);
  assert.equal(parse('[1,"a"]', options), [1, "a"]);
  assert.equal(parse("[[1],[2]]", options), [Uint8Array.of(1), Uint8Array.of(2)]);
  const many = Uint8Array.from({ length: 1000 }, (_, i) => i);
  assert.equal(parse(`[${many.join(",")}]`, options), many);
  assert.throws(
    () => parse("[1,01]", options),
    (error: FormatError) => error.code === "json" && error.offset === 4,
  );
  assert.throws(
    () => parse("[1,2", options),
    (error: FormatError) => error.code === "json",
  );
});

test("long strings stay bytes", () => {
  const value = parse('{"a":"0123456789","b":"01"}', { longText: 4 }) as Record<string, ExactJson>;
  assert.instance(value.a, LongText);
  assert.is(String(value.a), "0123456789");
  assert.is(value.b, "01");
});

test("depth is bounded, __proto__ is a key like any other", () => {
  assert.throws(
    () => parse("[".repeat(1_000_000)),
    (error: FormatError) => error.code === "json",
  );
  const value = parse('{"__proto__": {"polluted": 1}}') as Record<string, ExactJson>;
  assert.is(Object.getPrototypeOf(value), null);
  assert.is(({} as { polluted?: number }).polluted, undefined);
});

test.run();
