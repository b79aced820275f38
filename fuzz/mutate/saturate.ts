/** Values that hold everything a declaration knows: every kind of element in every list, with every part it can have. */
import { generate } from "../../src/codec/generate.js";
import { FormatError, type Node, type RandomSource, seededRandom } from "../../src/codec/index.js";
import type { Params } from "./params.js";
import { typeOf, withoutDerived } from "./seal.js";
import type { AnyFormat } from "./site.js";

/** Elements of each kind, and of lists with one kind; parts and flags of elements are random. */
const EACH_KIND = 6;
const ONE_KIND = 60;
/** Valid values one begins with. */
const BASES = 2;
/** Reserved bytes in front of a window area's cells, where its numbers have one byte each. */
const GAP = 4;
/** Of a part that is plain bytes. */
const SOME_BYTES = 8;
/** An element is tried again when what was made cannot be built. */
const TRIES = 8;

/** Inputs of one generation; lists of different kinds are not valid together, so that most have issues. */
export function* saturated(format: AnyFormat, generation: string, params: Params): Generator<Uint8Array> {
  const type = typeOf(format, generation);
  if (type?.kind !== "struct") return;
  const options = generation === "" ? {} : { generation };
  for (let seed = 1; seed <= BASES; seed++) {
    const random = seededRandom(seed);
    const base = withoutDerived(type, format.generate(random, options)) as Record<string, unknown>;
    for (const header of headersOf(type, base))
      for (const [name, field] of type.fields) {
        const content = contentOf(field, random, params);
        if (content === undefined) continue;
        for (const others of [undefined, new Uint8Array()]) {
          const value = { ...base, header, ...otherContents(type, others), [name]: content };
          const bytes = built(() => format.build({ ...value, ...options }, { ...options, params }));
          if (bytes !== undefined) yield bytes;
        }
      }
  }
}

/** Parts that follow from the header: they are left out but for one, or are empty where they are bytes. */
const otherContents = (
  type: Node & { kind: "struct" },
  bytes: Uint8Array | undefined,
): Record<string, unknown> =>
  Object.fromEntries(
    type.fields
      .filter(([, field]) => field.kind === "optional")
      .map(([name, field]) => [
        name,
        field.kind === "optional" && field.of.kind === "bytes" ? bytes : undefined,
      ]),
  );

function contentOf(field: Node, random: RandomSource, params: Params): unknown {
  if (field.kind === "optional" && field.of.kind === "bytes") return random.bytes(SOME_BYTES);
  const list = listOf(field);
  return list === undefined ? undefined : filled(list, random, params);
}

/** A list, or a struct with one. */
function listOf(field: Node): Node | undefined {
  switch (field.kind) {
    case "optional":
    case "region":
      return listOf(field.of);
    case "array":
      return field;
    case "struct":
      return field.fields.some(([, inner]) => listOf(inner) !== undefined) ? field : undefined;
    default:
      return undefined;
  }
}

function filled(node: Node, random: RandomSource, params: Params): unknown {
  if (node.kind === "array") return elementsOf(node.of, random, params);
  const whole = generate(node, random, params) as Record<string, unknown>;
  if (node.kind !== "struct") return whole;
  for (const [name, field] of node.fields) {
    const list = listOf(field);
    if (list !== undefined) whole[name] = filled(list, random, params);
    else if (field.kind === "bytes" && field.reserved === true) whole[name] = new Uint8Array(GAP);
  }
  return withoutDerived(node, whole);
}

function elementsOf(node: Node, random: RandomSource, params: Params): unknown[] {
  const elements: unknown[] = [];
  const kinds = node.kind === "union" ? node.cases : [];
  for (const { name, node: inner } of kinds)
    for (let left = EACH_KIND; left > 0; left--) {
      const made = tried(inner, random, params);
      if (made !== undefined) elements.push({ kind: name, ...(made as object) });
    }
  for (let left = kinds.length > 0 ? 0 : ONE_KIND; left > 0; left--) {
    const made = tried(node, random, params);
    if (made !== undefined) elements.push(made);
  }
  return elements;
}

function tried(node: Node, random: RandomSource, params: Params): unknown {
  for (let tries = TRIES; tries > 0; tries--) {
    const made = built(() => withoutDerived(node, generate(node, random, params)));
    if (made !== undefined) return made;
  }
  return undefined;
}

/** Undefined where the declaration refuses it. */
function built<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof FormatError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The header of a page, with every type and some flags; of other formats it is as it is. */
function headersOf(type: Node & { kind: "struct" }, base: Record<string, unknown>): unknown[] {
  const declared = type.fields.find(([name]) => name === "header")?.[1];
  const kind =
    declared?.kind === "struct" ? declared.fields.find(([name]) => name === "type")?.[1] : undefined;
  const flags =
    declared?.kind === "struct" ? declared.fields.find(([name]) => name === "flags")?.[1] : undefined;
  if (kind?.kind !== "int" || flags?.kind !== "int") return [base.header];
  const header = base.header as Record<string, unknown>;
  const types = Object.values(kind.symbols ?? {}).map(numberOf);
  const truncated = numberOf(flags.flags?.fastTruncate ?? 0);
  return types.flatMap((number) => [0, truncated].map((bits) => ({ ...header, type: number, flags: bits })));
}

const numberOf = (symbol: unknown): number =>
  Array.isArray(symbol) ? (symbol[0] as number) : (symbol as number);
