/**
 * fast-check as a source of randomness for everything that asks for a `RandomSource`: what is drawn comes from an
 * array of numbers, and 0 from its end on, so that a failing case shrinks to a short array of small numbers.
 */
import fc from "fast-check";
import { type Format, type RandomSource, seededRandom } from "../../src/codec/index.js";

/** Draws the numbers of `tape` in turn, then whatever `rest` gives: 0 when absent. */
export function tapeRandom(tape: readonly number[], rest?: RandomSource): RandomSource {
  let at = 0;
  const next = (): number => tape[at++] ?? rest?.below(2 ** 32) ?? 0;
  return {
    below: (bound) => (bound <= 0 ? 0 : next() % bound),
    bytes: (length) => Uint8Array.from({ length }, next),
  };
}

const tapes = (maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat({ max: 0xffffffff }), { maxLength, size: "max" });

/** What `make` makes of a source. */
export const madeFrom = <T>(make: (random: RandomSource) => T, maxLength = 400): fc.Arbitrary<T> =>
  tapes(maxLength).map((tape) => make(tapeRandom(tape)));

/** Valid values of a format; rules that reject simple values are satisfied by less simple ones. */
export const valuesOf = <T>(format: Format<T>, generation?: string): fc.Arbitrary<T> => {
  const options = generation === undefined ? {} : { generation };
  return tapes(400).map((tape) => {
    try {
      return format.generate(tapeRandom(tape), options);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return format.generate(tapeRandom(tape, seededRandom(tape.length)), options);
    }
  });
};
