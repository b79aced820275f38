/** Strings worth inserting, from the declarations: constants, names of values, keys of configuration text. */
import { type Description, type Node, symbolList } from "../../src/codec/index.js";
import { type AnyFormat, typeOf } from "./site.js";
import { encodeScalar, type ScalarNode } from "./values.js";

/** Shorter strings are found by chance. */
const LEAST_BYTES = 2;

export function dictionaryOf(format: AnyFormat): Uint8Array[] {
  const words = new Map<string, Uint8Array>();
  const keep = (word: Uint8Array): void => {
    if (word.length >= LEAST_BYTES) words.set(word.join(" "), word);
  };
  const names = format.generations.length === 0 ? [undefined] : format.generations;
  for (const name of names) {
    const type = typeOf(format, name);
    if (type !== undefined) wordsOf(type, keep, new Set());
  }
  for (const word of textWords(format.describe())) keep(new TextEncoder().encode(word));
  return [...words.values()];
}

function wordsOf(node: Node, keep: (word: Uint8Array) => void, seen: Set<Node>): void {
  if (seen.has(node)) return;
  seen.add(node);
  switch (node.kind) {
    case "int":
    case "packed":
    case "nibble":
      for (const value of notable(node)) keep(encodeScalar(node, value));
      return;
    case "bytes":
      if (node.constant !== undefined) keep(node.constant);
      return;
    case "optional":
    case "region":
    case "array":
      wordsOf(node.of, keep, seen);
      return;
    case "struct":
      for (const [, field] of node.fields) wordsOf(field, keep, seen);
      return;
    case "union":
      for (const { node: inner } of node.cases) wordsOf(inner, keep, seen);
      if (node.otherwise !== undefined) wordsOf(node.otherwise.node, keep, seen);
  }
}

function notable(node: ScalarNode): bigint[] {
  const named = [...symbolList(node.symbols ?? {}), ...symbolList(node.flags ?? {})].map(
    ([, value]) => value,
  );
  return [...named, node.constant, node.min, node.max, node.supported]
    .filter((value) => value !== undefined)
    .map(BigInt);
}

/** Keys of the records of text formats, as they are written. */
function* textWords({ generations }: Description): Iterable<string> {
  for (const { fields } of generations) for (const field of fields) yield* keysOf(field);
}

type FieldDescription = Description["generations"][number]["fields"][number];

/** A text field's type begins with its keys: `page.1.lsn= unsigned number`. */
const KEYS = /^(\S+)= /;

function* keysOf({ type, fields = [] }: FieldDescription): Iterable<string> {
  for (const key of KEYS.exec(type)?.[1]?.split(".") ?? []) yield `${key}=`;
  for (const inner of fields) yield* keysOf(inner);
}
