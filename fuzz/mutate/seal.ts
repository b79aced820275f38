/**
 * Sealing: damage that a checksum or a length would stop at the door is let in, so that it reaches the code behind.
 * Both ways come from the declaration alone.
 */
import { FormatError, type Node, type ReadOptions } from "../../src/codec/index.js";
import { type AnyFormat, typeOf } from "./site.js";

/** How much is put right after a mutation. */
export const seals = ["none", "checksums", "derived"] as const;
export type Seal = (typeof seals)[number];

/** Applies a seal; bytes that cannot be read stay as they are. */
export function seal(format: AnyFormat, bytes: Uint8Array, how: Seal, options: ReadOptions = {}): Uint8Array {
  if (how === "none") return bytes;
  const type = typeOf(format, options.generation);
  if (type !== undefined && !hasPart(type, how === "checksums" ? isChecksum : isDerived)) return bytes;
  return how === "checksums" ? sealChecksums(format, bytes, options) : sealDerived(format, bytes, options);
}

/** As many checksums as a format nests, and one round to see that none is left. */
const ROUNDS = 4;

/** Every checksum made to fit the bytes it covers. */
export function sealChecksums(format: AnyFormat, bytes: Uint8Array, options: ReadOptions = {}): Uint8Array {
  const sealed = bytes.slice();
  const view = new DataView(sealed.buffer);
  for (let round = 0; round < ROUNDS; round++) {
    const wrong = format
      .read(sealed, { ...options, places: false })
      .issues.filter(
        ({ code, expected, offset }) =>
          code === "checksum" && typeof expected === "number" && offset !== undefined,
      );
    if (wrong.length === 0) break;
    for (const { offset = 0, expected } of wrong) {
      const at = offset - (options.base ?? 0);
      if (at + 4 <= sealed.length) view.setUint32(at, expected as number, true);
    }
  }
  return sealed;
}

/** Lengths, counts, sizes and checksums computed anew from what the value holds. */
export function sealDerived(format: AnyFormat, bytes: Uint8Array, options: ReadOptions = {}): Uint8Array {
  const reading = format.read(bytes, { ...options, places: false });
  if (!reading.ok) return bytes;
  const type = typeOf(format, reading.generation);
  if (type === undefined) return sealChecksums(format, bytes, options);
  try {
    return format.build(withoutDerived(type, reading.value), options);
  } catch (error) {
    if (error instanceof FormatError) return bytes;
    throw error;
  }
}

/** A copy in which everything that building can compute is left out. */
export function withoutDerived(node: Node, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  switch (node.kind) {
    case "optional":
    case "region":
      return withoutDerived(node.of, value);
    case "array":
      return (value as unknown[]).map((item) => withoutDerived(node.of, item));
    case "struct":
      return withoutDerivedFields(node.fields, value as Record<string, unknown>);
    case "union": {
      const { kind } = value as { kind: string };
      const chosen = node.cases.find(({ name }) => name === kind)?.node ?? node.otherwise?.node;
      return chosen === undefined ? value : { ...(withoutDerived(chosen, value) as object), kind };
    }
    default:
      return value;
  }
}

function withoutDerivedFields(
  fields: ReadonlyArray<readonly [string, Node]>,
  value: Record<string, unknown>,
): Record<string, unknown> {
  const kept: Record<string, unknown> = { ...value };
  for (const [name, field] of fields) {
    if (isDerived(field)) delete kept[name];
    else kept[name] = withoutDerived(field, value[name]);
  }
  return kept;
}

function isDerived(node: Node): boolean {
  if (node.kind === "optional" || node.kind === "region") return isDerived(node.of);
  return ("derive" in node && node.derive !== undefined) || isChecksum(node);
}

const isChecksum = (node: Node): boolean => node.kind === "int" && node.checksum !== undefined;

const parts = new WeakMap<Node, Map<(node: Node) => boolean, boolean>>();

/** Whether the test holds for a declaration or any part of it: asked of every mutant, so that answers are kept. */
function hasPart(node: Node, test: (node: Node) => boolean): boolean {
  const answers = parts.get(node) ?? new Map<(node: Node) => boolean, boolean>();
  parts.set(node, answers);
  const known = answers.get(test) ?? (test(node) || insideOf(node).some((part) => hasPart(part, test)));
  answers.set(test, known);
  return known;
}

function insideOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "optional":
    case "region":
    case "array":
      return [node.of];
    case "struct":
      return node.fields.map(([, field]) => field);
    case "union":
      return [...node.cases, ...(node.otherwise === undefined ? [] : [node.otherwise])].map(
        (one) => one.node,
      );
    default:
      return [];
  }
}
