/** fast-check values derived from declarations: valid for every format, and small when a property fails. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formats } from "../../formats/registry.js";
import { array, format, hasErrors, struct, u8, u32le } from "../../src/codec/index.js";
import { valuesOf } from "../support/arbitrary.js";

const test = suite("formats: arbitrary values");

test("values of every format are valid", () => {
  for (const whole of formats)
    fc.assert(
      fc.property(valuesOf(whole), (value: { generation?: string }) => {
        const { generation } = value;
        const reading = whole.read(whole.build(value), generation === undefined ? {} : { generation });
        assert.ok(reading.ok && !hasErrors(reading.issues), whole.name);
      }),
      { numRuns: 40 },
    );
});

test("values of one generation", () => {
  for (const whole of formats)
    for (const generation of whole.generations)
      fc.assert(
        fc.property(valuesOf(whole, generation), (value) => assert.is(value.generation, generation)),
        { numRuns: 5 },
      );
});

test("of a failing case, what does not matter shrinks to nothing", () => {
  const whole = format(
    { name: "n", title: "", source: "" },
    struct({
      noise: array(u32le(), { count: 3 }),
      n: u32le(),
      list: array(struct({ m: u8() }), { count: 2 }),
    }),
  );
  const { failed, counterexample } = fc.check(
    fc.property(valuesOf(whole), ({ n }) => n < 1000),
    { seed: 7, numRuns: 1000 },
  );
  assert.ok(failed);
  const value = counterexample?.[0];
  assert.equal(value?.noise, [0, 0, 0]);
  assert.equal(value?.list, [{ m: 0 }, { m: 0 }]);
  assert.ok(value !== undefined && value.n >= 1000);
});

test.run();
