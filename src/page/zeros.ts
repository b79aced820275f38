/** Whether all bytes `from..to` of a view are zero; eight at a time. */
export function isZero(view: DataView, from: number, to: number): boolean {
  let at = from;
  for (; at + 8 <= to; at += 8) if ((view.getInt32(at) | view.getInt32(at + 4)) !== 0) return false;
  for (; at < to; at++) if (view.getUint8(at) !== 0) return false;
  return true;
}
