/** Preloaded into jsfuzz: its choices follow from the campaign's seed. */
import { seededRandom } from "../../src/codec/random.js";
import { SEED_VARIABLE } from "./settings.js";

const seed = Number(process.env[SEED_VARIABLE]);
if (Number.isSafeInteger(seed)) {
  const random = seededRandom(seed);
  Math.random = () => (random.below(2 ** 26) * 2 ** 27 + random.below(2 ** 27)) / 2 ** 53;
}
