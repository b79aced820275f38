/** Which allocation units of a file have been seen: one bit each. */
export class UnitSet {
  private readonly bits: Uint8Array;

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

  /** Adds `count` units from `unit` on. */
  addRange(unit: number, count: number): void {
    for (let at = unit; at < unit + count; at++) this.add(at);
  }

  /** The first unit from `unit` on that is there, at most `end`. */
  next(unit: number, end: number): number {
    let at = unit;
    while (at < end && !this.has(at)) at++;
    return at;
  }
}
