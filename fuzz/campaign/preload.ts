/** Preloaded into jsfuzz and its worker: choices follow from the campaign's seed, and Node's own loader is kept. */
import Module from "node:module";
import { seededRandom } from "../../src/codec/random.js";
import { type LoaderKept, SEED_VARIABLE } from "./settings.js";

const seed = Number(process.env[SEED_VARIABLE]);
if (Number.isSafeInteger(seed)) {
  const random = seededRandom(seed);
  Math.random = () => (random.below(2 ** 26) * 2 ** 27 + random.below(2 ** 27)) / 2 ** 53;
}

const { _extensions } = Module as unknown as LoaderKept["module"];
(globalThis as LoaderKept["global"]).__nodeLoader__ = _extensions[".js"];
