/**
 * Packed integers and nibbles for binary-parser, written from the byte tables a second time, and differently, so
 * that they can be held against `packed.ts` (formats: cells and deltas §1).
 */
import { Parser } from "binary-parser";
import { FormatError } from "../error.js";
import type { NibbleNode, PackedNode } from "../schema.js";
import { type RawScope, structScope } from "./binary-parser-scope.js";

/** Bytes behind each first byte; −1 where no packed integer begins so. */
const FOLLOWERS = Array.from({ length: 256 }, (_, first) => {
  const low = first % 16;
  if (first >= 0xc0) return first < 0xe0 ? 1 : first < 0xf0 && low >= 1 && low <= 8 ? low : -1;
  if (first >= 0x40) return 0;
  if (first >= 0x20) return 1;
  return first >= 0x10 && low <= 8 ? 8 - low : -1;
});

interface Parts {
  readonly first: number;
  readonly rest: Uint8Array;
}

export function addPacked(parser: Parser, name: string, node: PackedNode): Parser {
  const type = new Parser().uint8("first").buffer("rest", {
    length(this: RawScope) {
      return Math.max(0, FOLLOWERS[this.first as number] as number);
    },
  });
  return parser.nest(name, {
    type,
    formatter(this: RawScope, parts: Parts) {
      const value = node.signed ? signed(parts) : unsigned(parts);
      if (node.differenceFrom !== undefined) return subtract(structScope(this), node.differenceFrom, value);
      if (!node.small) return value;
      if (value <= BigInt(node.max ?? 0xffffffff)) return Number(value);
      throw new FormatError({ code: "value-range", message: `${value} is above ${node.max}`, actual: value });
    },
  });
}

function subtract(scope: RawScope, from: string, stored: bigint): bigint {
  const minuend = scope[from] as bigint | undefined;
  if (minuend !== undefined && minuend >= stored) return BigInt(minuend) - stored;
  throw new FormatError({ code: "difference-range", message: `${stored} is above ${from} ${minuend}` });
}

function unsigned({ first, rest }: Parts): bigint {
  if (first < 0x80) throw illegal(first);
  const tail = tailOf(first, rest);
  if (first < 0xc0) return BigInt(first - 0x80);
  if (first < 0xe0) return BigInt((first - 0xc0) * 256) + tail + 64n;
  const value = tail + 8256n;
  if ((rest.length > 1 && rest[0] === 0) || value >= 2n ** 64n) throw notMinimal();
  return value;
}

function signed({ first, rest }: Parts): bigint {
  if (first >= 0x80) {
    const value = unsigned({ first, rest });
    if (value < 2n ** 63n) return value;
    throw new FormatError({ code: "value-range", message: "above 2^63 − 1", actual: value });
  }
  const tail = tailOf(first, rest);
  if (first >= 0x40) return BigInt(first - 0x80);
  if (first >= 0x20) return BigInt((first - 0x20) * 256) + tail - 8256n;
  const value = tail - 256n ** BigInt(rest.length);
  if (rest.length === 0 || rest[0] === 0xff || value >= -8256n || value < -(2n ** 63n)) throw notMinimal();
  return value;
}

/** The number behind the first byte, all of it present. */
function tailOf(first: number, rest: Uint8Array): bigint {
  const expected = FOLLOWERS[first] as number;
  if (expected < 0) throw illegal(first);
  if (rest.length < expected)
    throw new FormatError({ code: "truncated", message: `${expected} bytes needed, ${rest.length} left` });
  return rest.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

const illegal = (first: number): FormatError =>
  new FormatError({
    code: "packed-illegal",
    message: `no packed integer begins with ${first}`,
    actual: first,
  });
const notMinimal = (): FormatError =>
  new FormatError({ code: "packed-not-minimal", message: "packed integer is longer than its value needs" });

export function checkVersion(version: number | bigint, supported: number | undefined): void {
  if (supported === undefined || version <= supported) return;
  const message = `needs a reader of version ${version}`;
  throw new FormatError({ code: "unsupported-version", message, expected: supported, actual: version });
}

/** A run of nibble-packed numbers that share bytes. */
export function addNibbles(parser: Parser, run: ReadonlyArray<readonly [string, NibbleNode]>): Parser {
  const nodes = run.map(([, node]) => node);
  return parser.array("$nibbles", {
    type: "uint8",
    readUntil(this: RawScope) {
      return splitNibbles(this.$nibbles as number[], nodes) !== undefined;
    },
    formatter(this: RawScope, stream: number[]) {
      const numbers = splitNibbles(stream, nodes) as number[];
      for (const [i, [name]] of run.entries()) this[name] = numbers[i];
      return stream;
    },
  });
}

/** The numbers of a stream that ends with them; undefined while it is too short. */
function splitNibbles(stream: readonly number[], nodes: readonly NibbleNode[]): number[] | undefined {
  const nibbles = stream.flatMap((byte) => [byte % 16, byte >> 4]);
  const numbers: number[] = [];
  let chunks: number[] = [];
  for (const [i, nibble] of nibbles.entries()) {
    chunks.push(nibble % 8);
    if (nibble >= 8 && chunks.length <= 10) continue;
    const value = chunks.reduceRight((sum, chunk, index) => sum * 8 + chunk + (index === 0 ? 0 : 1), 0);
    if (nibble >= 8 || value > 0xffffffff)
      throw new FormatError({ code: "value-range", message: "nibble-packed integer above 2^32" });
    checkVersion(value, nodes[numbers.length]?.supported);
    numbers.push(value);
    chunks = [];
    if (numbers.length === nodes.length) return withoutPadding(numbers, nibbles.slice(i + 1));
  }
  return undefined;
}

function withoutPadding(numbers: number[], left: readonly number[]): number[] {
  if (left.every((nibble) => nibble === 0)) return numbers;
  throw new FormatError({ code: "padding-not-zero", message: "unused high nibble", actual: left[0] });
}
