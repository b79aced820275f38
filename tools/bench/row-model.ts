/** Random rows that are changed in rounds, and what they are to be: one byte a row in memory. */
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import type { RowEdit, WriteRow } from "../../src/write/types.js";

/** Of a row's versions: the key is not there. */
const ABSENT = 255;
/** Of a hundred keys so many are there from the beginning on. */
const PRESENT = 90;
/** Of a hundred edits of a row that is there so many remove it. */
const REMOVED = 20;
const MAX_GAP = 1000;
const DIGITS = 11;
const KEY_TAIL = 8;
/** Bytes of a value: 84 on average. */
const VALUE = { least: 20, spread: 129 } as const;
const POOL = 65_536;

export class RowModel {
  private readonly versions: Uint8Array;
  /** Keys as numbers, ascending. */
  private readonly numbers: Float64Array;
  private readonly random: RandomSource;
  /** Values are pieces of it. */
  private readonly pool: Uint8Array;

  constructor(count: number, seed: number) {
    this.random = seededRandom(seed);
    this.pool = this.random.bytes(POOL);
    const keys = Math.ceil((count * 100) / PRESENT);
    this.numbers = new Float64Array(keys);
    this.versions = new Uint8Array(keys);
    let number = 0;
    for (let key = 0; key < keys; key++) {
      number += 1 + this.random.below(MAX_GAP);
      this.numbers[key] = number;
      this.versions[key] = this.random.below(100) < PRESENT ? 0 : ABSENT;
    }
  }

  /** What is there now, whatever is changed later. */
  snapshot(): () => Generator<WriteRow> {
    const versions = this.versions.slice();
    return () => this.rowsOf(versions);
  }

  /** Changes of a share of the rows, ascending by key; the model has them from now on. */
  edits(round: number, share: number): RowEdit[] {
    const { versions, random } = this;
    const keys = new Set<number>();
    while (keys.size < Math.max(1, versions.length * share)) keys.add(random.below(versions.length));
    return [...keys]
      .sort((a, b) => a - b)
      .map((key) => {
        const goes = versions[key] !== ABSENT && random.below(100) < REMOVED;
        versions[key] = goes ? ABSENT : round;
        return goes ? { key: this.keyOf(key) } : { key: this.keyOf(key), value: this.valueOf(key, round) };
      });
  }

  private *rowsOf(versions: Uint8Array): Generator<WriteRow> {
    for (let key = 0; key < versions.length; key++) {
      const version = versions[key] as number;
      if (version !== ABSENT) yield { key: this.keyOf(key), value: this.valueOf(key, version) };
    }
  }

  private keyOf(key: number): Uint8Array {
    const number = this.numbers[key] as number;
    return Buffer.from(
      String(number).padStart(DIGITS, "0") + "abcdefgh".slice(number % (KEY_TAIL + 1)),
      "latin1",
    );
  }

  private valueOf(key: number, version: number): Uint8Array {
    const mixed = Math.imul(key * 256 + version + 1, 0x9e3779b1) >>> 0;
    const length = VALUE.least + (mixed % VALUE.spread);
    const at = (mixed >>> 8) % (POOL - length);
    return this.pool.subarray(at, at + length);
  }
}
