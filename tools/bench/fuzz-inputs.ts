/** Valid inputs of a few targets in several sizes: how executions per second fall with them. */
import { corpusFile } from "../../fuzz/corpus.js";
import { RAW } from "../../fuzz/target.js";
import { encodeText } from "../../src/codec/index.js";
import { classicBlocks } from "../../test/support/corpus-blocks.js";

export interface SizedInputs {
  readonly what: string;
  readonly target: string;
  readonly inputs: readonly Uint8Array[];
}

/** Bytes. */
export const SIZES: readonly number[] = [16, 256, 4096, 65_536];
const EACH = 8;

export function* ofSize(): Generator<SizedInputs> {
  const blocks = Array.from(classicBlocks(), ({ bytes }) => bytes);
  for (const size of SIZES)
    for (const [target, make] of makers) {
      const inputs = Array.from({ length: EACH }, (_, index) => make(size, index, blocks));
      yield { what: `${target}: size ${size}`, target, inputs };
    }
}

type Maker = (size: number, index: number, blocks: readonly Uint8Array[]) => Uint8Array;

const makers: ReadonlyArray<readonly [target: string, make: Maker]> = [
  ["config", text],
  ["format-page", block],
  ["pages", block],
  ["store-jsonl", lines],
];

function text(size: number, index: number): Uint8Array {
  let whole = "";
  for (let key = index; whole.length < size; key++) whole += `key${key}=(a=${key * 7},b="text",c=[1,2]),`;
  return encodeText(whole.slice(0, whole.lastIndexOf(",", size) + 1 || size));
}

/** A real block that is nearest in size, or the beginning of one. */
function block(size: number, index: number, blocks: readonly Uint8Array[]): Uint8Array {
  const distance = ({ length }: Uint8Array): number => Math.abs(length - size);
  const nearest = [...blocks].sort((a, b) => distance(a) - distance(b));
  return Uint8Array.of(RAW, ...(nearest[index] as Uint8Array).subarray(0, size));
}

function lines(size: number, index: number): Uint8Array {
  const all = corpusFile("palm", "a_small", "export", "pages.jsonl");
  const start = index === 0 ? 0 : all.indexOf(0x0a, index * 997) + 1;
  const end = all.lastIndexOf(0x0a, start + size) + 1;
  return Uint8Array.of(RAW, ...all.subarray(start, end > start ? end : start + size));
}
