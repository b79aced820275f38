/** Numbers as people read them. */

/** `1234567` as `1,234,567`. */
export const grouped = (value: number | bigint): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ",");

const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"];

/** Bytes with three significant digits, in units of 1,024: `5.12 MB`. */
export function byteCount(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `1 error`, `2 errors`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${grouped(count)} ${count === 1 ? noun : plural}`;

/** A byte offset both ways: `8192 (0x2000)`; below 10 only `8`. */
export const offsetText = (offset: number): string =>
  offset < 10 ? String(offset) : `${offset} (0x${offset.toString(16)})`;
