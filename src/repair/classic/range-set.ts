/** Byte ranges of a file, none twice: what extent lists are made of. */
import type { Extent } from "../../../formats/extent-list.js";

export interface Range {
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** Ascending ranges with gaps between them. Changing makes a new one. */
export class RangeSet {
  private constructor(readonly ranges: readonly Range[]) {}

  static of(ranges: readonly Range[]): RangeSet {
    const sorted = ranges.filter(({ size }) => size > 0).sort((a, b) => a.offset - b.offset);
    const merged: Array<{ offset: number; size: number }> = [];
    for (const { offset, size } of sorted) {
      const last = merged.at(-1);
      if (last === undefined || last.offset + last.size < offset) merged.push({ offset, size });
      else last.size = Math.max(last.size, offset + size - last.offset);
    }
    return new RangeSet(merged);
  }

  static ofExtents(extents: readonly Extent[]): RangeSet {
    return RangeSet.of(extents.map(({ offset, size }) => ({ offset: Number(offset), size: Number(size) })));
  }

  get bytes(): number {
    return this.ranges.reduce((sum, { size }) => sum + size, 0);
  }

  with(added: readonly Range[]): RangeSet {
    return RangeSet.of([...this.ranges, ...added]);
  }

  without(removed: readonly Range[]): RangeSet {
    const holes = RangeSet.of(removed).ranges;
    let next = 0;
    const left: Range[] = [];
    for (const { offset, size } of this.ranges) {
      let from = offset;
      const end = offset + size;
      while (next < holes.length && endOf(holes[next] as Range) <= from) next++;
      for (let at = next; at < holes.length && (holes[at] as Range).offset < end; at++) {
        const hole = holes[at] as Range;
        if (hole.offset > from) left.push({ offset: from, size: hole.offset - from });
        from = Math.max(from, endOf(hole));
      }
      if (from < end) left.push({ offset: from, size: end - from });
    }
    return new RangeSet(left);
  }

  /** Whether all bytes of the range are in the set. */
  contains({ offset, size }: Range): boolean {
    return this.ranges.some((range) => range.offset <= offset && endOf(range) >= offset + size);
  }

  /** Whether any byte of the range is in the set. */
  touches({ offset, size }: Range): boolean {
    return this.ranges.some((range) => range.offset < offset + size && endOf(range) > offset);
  }

  extents(): Extent[] {
    return this.ranges.map(({ offset, size }) => ({ offset: BigInt(offset), size: BigInt(size) }));
  }
}

const endOf = ({ offset, size }: Range): number => offset + size;
