/** Values that hold everything a declaration knows: every kind of element in every list, with every part it can have. */
import { pageFlags } from "../../formats/page-header.js";
import { generate } from "../../src/codec/generate.js";
import {
  FormatError,
  format,
  type Node,
  type RandomSource,
  seededRandom,
  symbolList,
} from "../../src/codec/index.js";
import type { Params } from "./params.js";
import { withoutDerived } from "./seal.js";
import { type AnyFormat, typeOf } from "./site.js";

/** Elements of each kind, and of lists with one kind; parts and flags of elements are random. */
const EACH_KIND = 6;
const ONE_KIND = 60;
/** Valid values one begins with. */
const BASES = 2;
/** Reserved bytes in front of a window area's cells, where its numbers have one byte each. */
const GAP = 4;
/** Of a part that is plain bytes. */
const SOME_BYTES = 8;

type Struct = Node & { kind: "struct" };

/** Inputs of one generation; lists of different kinds are not valid together, so that most have issues. */
export function* saturated(target: AnyFormat, generation: string, params: Params): Generator<Uint8Array> {
  const type = typeOf(target, generation);
  if (type?.kind !== "struct") return;
  const options = generation === "" ? {} : { generation };
  for (let seed = 1; seed <= BASES; seed++) {
    const random = seededRandom(seed);
    const base = withoutDerived(type, target.generate(random, options)) as Record<string, unknown>;
    for (const header of headersOf(type, base))
      for (const [name, field] of type.fields) {
        const content = contentOf(field, random, { ...params, ...paramsOfHeader(header) });
        if (content === undefined) continue;
        for (const empty of ["", ...byteParts(type)]) {
          const others = { ...withoutParts(type), ...(empty === "" ? {} : { [empty]: new Uint8Array() }) };
          const value = { ...base, header, ...others, [name]: content };
          const bytes = built(() => target.build({ ...value, ...options }, { ...options, params }));
          if (bytes !== undefined) yield bytes;
        }
      }
  }
}

/** Parts that follow from the header are left out; one that is plain bytes may be there and empty. */
const withoutParts = (type: Struct): Record<string, undefined> =>
  Object.fromEntries(
    type.fields.filter(([, field]) => field.kind === "optional").map(([name]) => [name, undefined]),
  );
const byteParts = (type: Struct): string[] =>
  type.fields
    .filter(([, field]) => field.kind === "optional" && field.of.kind === "bytes")
    .map(([name]) => name);

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
  const kinds = node.kind === "union" ? node.cases : [];
  if (kinds.length === 0) return valid(node, ONE_KIND, random, params);
  return kinds.flatMap(({ name, node: inner }) =>
    valid(inner, EACH_KIND, random, params).map((made) => ({ kind: name, ...(made as object) })),
  );
}

/** Values that are valid by themselves; none where the declaration makes none. */
function valid(node: Node, count: number, random: RandomSource, params: Params): unknown[] {
  const element = format({ name: "element", title: "", source: "" }, node);
  return Array.from({ length: count }, () => built(() => element.generate(random, { params }))).filter(
    (made) => made !== undefined,
  );
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
function headersOf(type: Struct, base: Record<string, unknown>): unknown[] {
  const declared = type.fields.find(([name]) => name === "header")?.[1];
  const kind =
    declared?.kind === "struct" ? declared.fields.find(([name]) => name === "type")?.[1] : undefined;
  if (kind?.kind !== "int") return [base.header];
  const header = base.header as Record<string, unknown>;
  return symbolList(kind.symbols ?? {}).flatMap(([, number]) =>
    [0, pageFlags.fastTruncate].map((flags) => ({ ...header, type: Number(number), flags })),
  );
}

/** What a header says of the cells behind it. */
const paramsOfHeader = (header: unknown): Params =>
  (header as { flags?: number } | undefined)?.flags === pageFlags.fastTruncate ? { fastTruncate: 1 } : {};
