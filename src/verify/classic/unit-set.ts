/** Which allocation units of a file have been seen: one bit each. */
export class UnitSet {
  private bits: Uint8Array;

  constructor(units: number) {
    this.bits = new Uint8Array(Math.ceil(units / 8) + 1);
  }

  has(unit: number): boolean {
    return ((this.bits[unit >>> 3] as number) & (1 << (unit & 7))) !== 0;
  }

  /** False when it was there already. */
  add(unit: number): boolean {
    const at = unit >>> 3;
    const mask = 1 << (unit & 7);
    const byte = this.bits[at] as number;
    this.bits[at] = byte | mask;
    return (byte & mask) === 0;
  }

  /** Adds `count` units from `unit` on; returns how many were there already. */
  addRange(unit: number, count: number): number {
    let before = 0;
    for (let at = unit; at < unit + count; at++) if (!this.add(at)) before++;
    return before;
  }

  removeRange(unit: number, count: number): void {
    for (let at = unit; at < unit + count; at++) {
      const byte = at >>> 3;
      this.bits[byte] = (this.bits[byte] as number) & ~(1 << (at & 7));
    }
  }

  copy(): UnitSet {
    const copy = new UnitSet(0);
    copy.bits = this.bits.slice();
    return copy;
  }

  /** Runs of units below `end` that are in this set and not in the other. */
  *runsWithout(other: UnitSet, end: number): IterableIterator<{ unit: number; count: number }> {
    for (let at = 0; at < end; at++) {
      const start = at;
      while (at < end && this.has(at) && !other.has(at)) at++;
      if (at > start) yield { unit: start, count: at - start };
    }
  }

  /** The first unit from `unit` on that is there, at most `end`. */
  next(unit: number, end: number): number {
    let at = unit;
    while (at < end && !this.has(at)) at++;
    return at;
  }
}
