/** Values a field is worth trying with: its own bounds and names, and the boundaries of its width. */
import {
  type IntNode,
  type NibbleNode,
  type PackedNode,
  type RandomSource,
  randomU64,
  symbolList,
  Writer,
} from "../../src/codec/index.js";
import { writePackedSigned, writePackedUnsigned } from "../../src/codec/packed.js";

export type ScalarNode = IntNode | PackedNode | NibbleNode;

/** Powers of two, and their neighbours, are where lengths and counts go wrong. */
const POWERS = [0, 1, 4, 6, 7, 8, 12, 13, 15, 16, 24, 30, 31, 32, 53, 62, 63, 64].map(
  (shift) => 2n ** BigInt(shift),
);
const boundary = (random: RandomSource): bigint =>
  (POWERS[random.below(POWERS.length)] as bigint) + BigInt(random.below(3)) - 1n;

/** A value of interest for a field that has `current`. */
export function interestingValue(node: ScalarNode, current: bigint, random: RandomSource): bigint {
  switch (random.below(8)) {
    case 0:
      return 0n;
    case 1:
      return current + BigInt(random.below(9)) - 4n;
    case 2:
      return current ^ (1n << BigInt(random.below(64)));
    case 3:
    case 4: {
      const named = namesOf(node);
      return named.length === 0 ? boundary(random) : withName(node, named, current, random);
    }
    case 5:
      return limitOf(node, random) ?? boundary(random);
    case 6:
      return boundary(random);
    default:
      return randomU64(random);
  }
}

const NO_SYMBOLS = {};
const namesOf = ({ symbols = NO_SYMBOLS, flags = NO_SYMBOLS }: ScalarNode) => [
  ...symbolList(symbols),
  ...symbolList(flags),
];

function withName(
  node: ScalarNode,
  named: ReadonlyArray<readonly [string, number, unknown]>,
  current: bigint,
  random: RandomSource,
): bigint {
  const value = BigInt((named[random.below(named.length)] as readonly [string, number, unknown])[1]);
  return node.flags === undefined ? value : current ^ value;
}

/** Right at, or one beside, what the declaration allows. */
function limitOf(node: ScalarNode, random: RandomSource): bigint | undefined {
  const limits = [node.min, node.max, node.supported, node.constant].filter((limit) => limit !== undefined);
  if (limits.length === 0) return undefined;
  return BigInt(limits[random.below(limits.length)] as number | bigint) + BigInt(random.below(3)) - 1n;
}

/** The bytes of a value in a field of the declaration; wider values wrap. */
export function encodeScalar(node: ScalarNode, value: bigint): Uint8Array {
  if (node.kind === "int") {
    const writer = new Writer();
    writer.integer(node.size, node.little, BigInt.asUintN(8 * node.size, value));
    return writer.finish();
  }
  if (node.kind === "nibble") return Uint8Array.of(Number(BigInt.asUintN(8, value)));
  const out: number[] = [];
  if (node.signed) writePackedSigned(out, BigInt.asIntN(64, value));
  else writePackedUnsigned(out, BigInt.asUintN(64, value));
  return Uint8Array.from(out);
}
