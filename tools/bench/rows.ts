/** Rows of text as a stream of `wt load` dump lines: the same rows for the same seed, on every machine. */
import { type RandomSource, seededRandom } from "../../src/codec/index.js";

export interface RowShape {
  readonly rows: number;
  /** Bytes of a key: a zero-padded decimal number. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly seed: number;
}

const WORDS = 4096;
const CHUNK = 1 << 20;

/** Key line and value line of every row, both in hex, in chunks of about 1 MB. */
export function* dumpLines({ rows, keySize, valueSize, seed }: RowShape): Generator<string> {
  const random = seededRandom(seed);
  const words = vocabulary(random);
  let chunk = "";
  for (let row = 0; row < rows; row++) {
    const key = Buffer.from(String(row).padStart(keySize, "0")).toString("hex");
    chunk += `${key}\n${valueHex(words, random, valueSize)}\n`;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

/** The same rows as keys and values. */
export function* rowsOf({ rows, keySize, valueSize, seed }: RowShape): Generator<{
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}> {
  const random = seededRandom(seed);
  const words = vocabulary(random);
  for (let row = 0; row < rows; row++) {
    const key = Buffer.from(String(row).padStart(keySize, "0"));
    yield { key, value: Buffer.from(valueHex(words, random, valueSize), "hex") };
  }
}

/** Words as hex with their trailing space, so that a value is nothing but joined strings. */
function vocabulary(random: RandomSource): string[] {
  const letters = "etaoinshrdlucmfwypvbgkjqxz";
  return Array.from({ length: WORDS }, () => {
    const length = 2 + random.below(8);
    let word = "";
    for (let i = 0; i < length; i++) word += letters[Math.min(random.below(26), random.below(26))];
    return Buffer.from(`${word} `).toString("hex");
  });
}

/** Few words often and many seldom, as in text: the product of two draws leans to the front of the list. */
function valueHex(words: readonly string[], random: RandomSource, size: number): string {
  let hex = "";
  while (hex.length < size * 2) hex += words[(random.below(WORDS) * random.below(WORDS)) >>> 12];
  return hex.slice(0, size * 2);
}
