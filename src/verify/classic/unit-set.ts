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
    const { bits } = this;
    const end = unit + count;
    let before = 0;
    for (let at = unit; at < end; ) {
      const byte = bits[at >>> 3] as number;
      const mask = maskOf(at, end);
      bits[at >>> 3] = byte | mask;
      before += ones(byte & mask);
      at = nextByte(at);
    }
    return before;
  }

  removeRange(unit: number, count: number): void {
    const end = unit + count;
    for (let at = unit; at < end; at = nextByte(at))
      this.bits[at >>> 3] = (this.bits[at >>> 3] as number) & ~maskOf(at, end);
  }

  copy(): UnitSet {
    const copy = new UnitSet(0);
    copy.bits = this.bits.slice();
    return copy;
  }

  /** Runs of units below `end` that are in this set and not in the other. */
  *runsWithout(other: UnitSet, end: number): IterableIterator<{ unit: number; count: number }> {
    for (let at = this.firstWithout(other, 0, end); at < end; at = this.firstWithout(other, at, end)) {
      const start = at;
      while (at < end && this.has(at) && !other.has(at)) at++;
      yield { unit: start, count: at - start };
    }
  }

  /** The first unit from `unit` on that is in this set and not in the other, at most `end`. */
  private firstWithout(other: UnitSet, unit: number, end: number): number {
    let at = unit;
    while (at < end) {
      const byte = (this.bits[at >>> 3] ?? 0) & ~(other.bits[at >>> 3] ?? 0) & maskOf(at, end);
      if (byte !== 0) return at - (at & 7) + lowest(byte);
      at = nextByte(at);
    }
    return end;
  }

  /** The first unit from `unit` on that is there, at most `end`. */
  next(unit: number, end: number): number {
    return this.firstWithout(NONE, unit, end);
  }

  /** The first unit from `unit` on that is not there, at most `end`. */
  nextMissing(unit: number, end: number): number {
    let at = unit;
    while (at < end) {
      const byte = ~(this.bits[at >>> 3] ?? 0) & maskOf(at, end);
      if (byte !== 0) return at - (at & 7) + lowest(byte);
      at = nextByte(at);
    }
    return end;
  }
}

const NONE = new UnitSet(0);

const nextByte = (unit: number): number => unit - (unit & 7) + 8;

/** Of the byte that holds unit `at`: the bits of the units from `at` on, below `end`. */
function maskOf(at: number, end: number): number {
  const last = end - at + (at & 7);
  return (0xff << (at & 7)) & (last < 8 ? (1 << last) - 1 : 0xff);
}

const lowest = (byte: number): number => 31 - Math.clz32(byte & -byte);

function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
