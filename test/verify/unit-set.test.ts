import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { UnitSet } from "../../src/verify/classic/unit-set.js";

const test = suite("sets of allocation units");
const UNITS = 300;

/** The same set, unit by unit. */
class Model {
  readonly units = new Set<number>();

  addRange(unit: number, count: number): number {
    let before = 0;
    for (let at = unit; at < unit + count; at++) {
      if (this.units.has(at)) before++;
      this.units.add(at);
    }
    return before;
  }

  removeRange(unit: number, count: number): void {
    for (let at = unit; at < unit + count; at++) this.units.delete(at);
  }

  first(from: number, end: number, wanted: boolean): number {
    let at = from;
    while (at < end && this.units.has(at) !== wanted) at++;
    return at;
  }
}

test("a set says of random ranges what one with a unit an element says", () => {
  const random = seededRandom(7);
  const sets = [0, 1].map(() => ({ set: new UnitSet(UNITS), model: new Model() }));
  for (let round = 0; round < 2000; round++) {
    const { set, model } = sets[random.below(2)]!;
    const unit = random.below(UNITS);
    const count = random.below(Math.min(40, UNITS - unit + 1));
    if (random.below(3) > 0) assert.is(set.addRange(unit, count), model.addRange(unit, count));
    else {
      set.removeRange(unit, count);
      model.removeRange(unit, count);
    }
    const end = unit + random.below(UNITS - unit + 1);
    assert.is(set.next(unit, end), model.first(unit, end, true));
    assert.is(set.nextMissing(unit, end), model.first(unit, end, false));
    if (round % 20 === 0) compareRuns(sets[0]!, sets[1]!);
  }
});

function compareRuns(one: { set: UnitSet; model: Model }, other: { set: UnitSet; model: Model }): void {
  const found = new Set<number>();
  let last = -1;
  for (const { unit, count } of one.set.runsWithout(other.set, UNITS)) {
    assert.ok(unit > last && count > 0, "runs ascend and do not touch");
    for (let at = unit; at < unit + count; at++) found.add(at);
    last = unit + count;
  }
  const expected = [...one.model.units].filter((unit) => !other.model.units.has(unit));
  assert.equal(
    [...found],
    expected.sort((a, b) => a - b),
  );
}

test("a copy goes its own way", () => {
  const set = new UnitSet(20);
  set.add(3);
  const copy = set.copy();
  copy.addRange(10, 5);
  assert.not.ok(set.has(10));
  assert.ok(copy.has(3));
  assert.not.ok(set.add(3), "it was there already");
});

test.run();
