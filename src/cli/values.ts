/** Option values shared by commands: checked and converted. */
import { CommandError } from "./exit.js";

/** A whole number, decimal or 0x-hexadecimal, up to 2^64 − 1. */
export function wholeNumber(option: string, text: unknown): bigint {
  if (typeof text === "string" && /^(\d{1,20}|0x[0-9a-fA-F]{1,16})$/.test(text)) {
    const value = BigInt(text);
    if (value < 1n << 64n) return value;
  }
  throw new CommandError(`${option}: a whole number is needed, not ${JSON.stringify(text)}`);
}

/** As {@link wholeNumber}, of at most 2^53 − 1, for sizes and counts. */
export function safeNumber(option: string, text: unknown): number {
  const value = wholeNumber(option, text);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CommandError(`${option}: ${value} is too large`);
  return Number(value);
}

const UNIT: Readonly<Record<string, number>> = { "": 1, B: 1, KB: 1024, MB: 1024 * 1024 };

/** Bytes with an optional unit, as WiredTiger configuration has it: `4096`, `4KB`. */
export function byteSize(option: string, text: unknown): number {
  const match = /^(\d{1,12})(B|KB|MB|)$/.exec(String(text));
  if (match === null)
    throw new CommandError(`${option}: a size such as 4096 or 4KB is needed, not ${JSON.stringify(text)}`);
  return Number(match[1]) * (UNIT[match[2] as string] as number);
}

/** `name=value` pairs, values whole numbers. */
export function namedNumbers(option: string, pairs: readonly string[] = []): Record<string, number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, value, ...rest] = pair.split("=");
      if (!name || value === undefined || rest.length > 0)
        throw new CommandError(`${option}: name=number is needed, not ${JSON.stringify(pair)}`);
      return [name, safeNumber(`${option} ${name}`, value)];
    }),
  );
}

/** Collects an option given several times. */
export const collect = (value: string, previous: readonly string[] = []): readonly string[] => [
  ...previous,
  value,
];
