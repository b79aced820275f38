/**
 * The two copies every LZ77 decoder is made of. Callers have checked all bounds. Matches and literals of real pages
 * are a handful of bytes, so both move whole words and may write up to `SLACK` bytes too many, all of them overwritten
 * later; near the end of the output they go byte by byte.
 */

const SLACK = 16;
/** From here on the call of a built-in is paid back. In bytes. */
const LONG = 64;

export function copyLiterals(
  to: Uint8Array,
  toView: DataView,
  at: number,
  source: Uint8Array,
  sourceView: DataView,
  from: number,
  length: number,
): void {
  if (length <= SLACK && from + SLACK <= source.length && at + SLACK <= to.length) {
    for (let i = 0; i < length; i += 4) toView.setInt32(at + i, sourceView.getInt32(from + i, true), true);
  } else if (length < LONG) {
    for (let i = 0; i < length; i++) to[at + i] = source[from + i]!;
  } else to.set(source.subarray(from, from + length), at);
}

/** Repeats `length` bytes from `distance` back; source and target may overlap. */
export function copyMatch(
  to: Uint8Array,
  view: DataView,
  at: number,
  distance: number,
  length: number,
): void {
  const from = at - distance;
  if (distance >= 4 && length < LONG && at + length + SLACK <= to.length) {
    for (let i = 0; i < length; i += 8) {
      view.setInt32(at + i, view.getInt32(from + i, true), true);
      view.setInt32(at + i + 4, view.getInt32(from + i + 4, true), true);
    }
  } else if (length < LONG) {
    for (let i = 0; i < length; i++) to[at + i] = to[from + i]!;
  } else copyLongMatch(to, at, distance, length);
}

/** Doubles what is already there until the match is filled. */
function copyLongMatch(to: Uint8Array, at: number, distance: number, length: number): void {
  const from = at - distance;
  let done = 0;
  while (done < length) {
    const step = Math.min(distance + done, length - done);
    to.copyWithin(at + done, from, from + step);
    done += step;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
