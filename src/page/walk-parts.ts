/** Checks a walk makes of some cells only. */
import { deltaValueFlags } from "../../formats/delta.js";
import { PACKED_ZERO, packedLength, peekPackedNumber } from "../codec/packed.js";
import type { CellReader } from "./cell-reader.js";
import type { DeltaForm } from "./walk-types.js";

/** Offsets of the values a copy may name, in ascending order. */
export class ValueStarts {
  private offsets = new Int32Array(1024);
  private count = 0;

  clear(): void {
    this.count = 0;
  }

  add(offset: number): void {
    if (this.count === this.offsets.length) this.grow();
    this.offsets[this.count++] = offset;
  }

  private grow(): void {
    const grown = new Int32Array(2 * this.count);
    grown.set(this.offsets);
    this.offsets = grown;
  }

  has(offset: number): boolean {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.offsets[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.offsets[low] === offset;
  }
}

/** Sums below this are exact, also with one more 32-bit number. */
const EXACT = 2 ** 52;
/** Bytes of a packed integer of at most 2^32 + 8256. */
const SMALL_LENGTH = 5;
const LAST_RECNO = (1n << 64n) - 1n;

/** Record numbers of column pages. */
export class RecordNumbers {
  private first = 0n;
  /** Records of the page: run lengths are summed up in a number while that is exact. */
  private small = 0;
  private large = 0n;
  /** The lowest number the next child may have. */
  private least = 0n;

  constructor(private readonly reader: CellReader) {}

  begin(first: bigint): void {
    this.first = this.least = first;
    this.small = 0;
    this.large = 0n;
  }

  /** Records up to here. */
  get records(): bigint {
    return this.large + BigInt(this.small);
  }

  /** Adds a run whose length is at `at`; −1: one record. */
  addRun(at: number): void {
    if (at === -1) {
      this.small++;
      return;
    }
    const { reader } = this;
    const first = reader.image[at] as number;
    if (first === PACKED_ZERO) reader.defects.add("record-number", reader.start, "a run of 0 records");
    if (packedLength(first) > SMALL_LENGTH) this.large += reader.bigAt(at);
    else this.small += Number(reader.bigAt(at));
    if (this.small < EXACT) return;
    this.large += BigInt(this.small);
    this.small = 0;
  }

  /** Whether the last record has a number that 64 bits cannot hold. */
  get overflow(): boolean {
    return this.records > LAST_RECNO - this.first + 1n;
  }

  /** Checks the number of the child just read, and gives it. */
  addChild(): bigint | undefined {
    const { reader, least } = this;
    const isFirst = least === this.first;
    const number = reader.value64At === -1 ? undefined : reader.bigAt(reader.value64At);
    if (number === undefined || (isFirst ? number !== least : number < least)) {
      const expected = `${isFirst ? "" : "at least "}${least}`;
      reader.defects.add("record-number", reader.start, `child begins at ${number}, not ${expected}`);
    }
    if (number !== undefined) this.least = number + 1n;
    return number;
  }
}

/** The payload of a leaf delta's values: all of form uB, or all of form Bu. */
export class DeltaValues {
  /** Undefined before the first value. */
  form: DeltaForm | undefined;

  constructor(private readonly reader: CellReader) {}

  begin(): void {
    this.form = undefined;
  }

  /** Checks the payload from `start` to `end` of the value cell at `cell`. */
  add(cell: number, start: number, end: number): void {
    const first = start < end ? (this.reader.image[start] as number) : 0;
    this.form ??= first >= PACKED_ZERO ? "P1" : "P2";
    const sound = this.form === "P1" ? this.lengthFirst(start, end) : this.flagsFirst(start, end);
    if (!sound) this.reader.defects.add("delta-value", cell, `not of form ${this.form}`);
  }

  private flagsFirst(start: number, end: number): boolean {
    return start < end && flagsFit(this.reader.image[start] as number, end - start - 1);
  }

  private lengthFirst(start: number, end: number): boolean {
    const { image } = this.reader;
    const length = peekPackedNumber(image, start, end);
    if (length === -1) return false;
    const flagsAt = start + packedLength(image[start] as number) + length;
    return flagsAt + 1 === end && flagsFit(image[flagsAt] as number, length);
  }
}

/** A removed key has no value. */
const flagsFit = (flags: number, length: number): boolean =>
  flags === 0 || (flags === deltaValueFlags.delete && length === 0);
