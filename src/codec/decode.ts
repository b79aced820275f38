/** Declarations compiled to closures that read: the general path, for every kind of node. */
import type { Cursor } from "./cursor.js";
import { FormatError } from "./error.js";
import { compileExpr, type Scope } from "./expression.js";
import { packedLength, readPackedNumber, readPackedSigned, readPackedUnsigned } from "./packed.js";
import type {
  ArrayNode,
  BytesNode,
  IntNode,
  Node,
  OptionalNode,
  PackedNode,
  RegionNode,
  StructNode,
  TextNode,
  UnionNode,
} from "./schema.js";
import { decodeText } from "./text.js";

export type Decode = (cursor: Cursor, scope: ReadScope | undefined) => unknown;

/** The fields of a struct read so far, for expressions. */
export class ReadScope implements Scope {
  readonly values: Record<string, unknown> = {};
  constructor(
    readonly cursor: Cursor,
    readonly parent: ReadScope | undefined,
    readonly params: Readonly<Record<string, number>>,
    readonly start: number,
  ) {}
  remaining(): number {
    return this.cursor.left;
  }
  position(): number {
    return this.cursor.pos - this.start;
  }
  peek(): number {
    return this.cursor.left > 0 ? (this.cursor.bytes[this.cursor.pos] as number) : -1;
  }
  lengthOf(): number {
    throw new TypeError("lengthOf is for building");
  }
  countOf(): number {
    throw new TypeError("countOf is for building");
  }
}

const cache = new WeakMap<Node, Decode>();

/** The reader of a declaration, compiled once. */
export function decoder(node: Node): Decode {
  let decode = cache.get(node);
  if (decode === undefined) {
    decode = compile(node);
    if ("supported" in node && node.supported !== undefined) decode = upTo(node.supported, decode);
    cache.set(node, decode);
  }
  return decode;
}

function compile(node: Node): Decode {
  switch (node.kind) {
    case "int":
      return compileInt(node);
    case "packed":
      return compilePacked(node);
    case "nibble":
      return readNibbles;
    case "bytes":
      return compileBytes(node);
    case "text":
      return compileText(node);
    case "struct":
      return compileStruct(node);
    case "array":
      return compileArray(node);
    case "optional":
      return compileOptional(node);
    case "union":
      return compileUnion(node);
    case "region":
      return compileRegion(node);
    case "custom":
      return (cursor, scope) => node.decode(cursor, scope?.values ?? {});
  }
}

/** Nothing behind a version that is too new can be relied on, so reading stops there. */
function upTo(supported: number, decode: Decode): Decode {
  return (cursor, scope) => {
    const offset = cursor.base + cursor.pos;
    const version = decode(cursor, scope) as number;
    if (version <= supported) return version;
    throw new FormatError({
      code: "unsupported-version",
      message: `needs a reader of version ${version}, this one knows up to ${supported}`,
      offset,
      expected: `at most ${supported}`,
      actual: version,
    });
  };
}

function compileInt(node: IntNode): Decode {
  const read = readInt(node);
  if (node.checksum === undefined) return (cursor) => read(cursor, cursor.take(node.size));
  return (cursor, scope) => {
    const at = cursor.take(node.size);
    const stored = read(cursor, at) as number;
    cursor.checksums.push({
      fieldOffset: at - cursor.regionStart,
      stored,
      region: cursor.bytes.subarray(cursor.regionStart, cursor.end),
      regionOffset: cursor.base + cursor.regionStart,
      node,
      scope,
    });
    return stored;
  };
}

function readInt({ size, little }: IntNode): (cursor: Cursor, at: number) => unknown {
  switch (size) {
    case 1:
      return (cursor, at) => cursor.bytes[at];
    case 2:
      return (cursor, at) => cursor.view.getUint16(at, little);
    case 4:
      return (cursor, at) => cursor.view.getUint32(at, little);
    case 8:
      return (cursor, at) => cursor.view.getBigUint64(at, little);
  }
}

function compilePacked(node: PackedNode): Decode {
  const { differenceFrom } = node;
  const max = Number(node.max ?? 0xffffffff);
  return (cursor, scope) => {
    const { bytes, pos, end, base } = cursor;
    let value: number | bigint;
    if (node.small) value = readPackedNumber(bytes, pos, end, max, base);
    else
      value = node.signed
        ? readPackedSigned(bytes, pos, end, base)
        : readPackedUnsigned(bytes, pos, end, base);
    if (differenceFrom !== undefined)
      value = fromDifference(value as bigint, scope, differenceFrom, base + pos);
    cursor.pos += packedLength(bytes[pos] as number);
    return value;
  };
}

function fromDifference(stored: bigint, scope: ReadScope | undefined, from: string, offset: number): bigint {
  const minuend = scope?.values[from] as bigint | number | undefined;
  if (minuend !== undefined && stored <= minuend) return BigInt(minuend) - stored;
  throw new FormatError({
    code: "difference-range",
    message: `difference ${stored} is above ${from} ${minuend}`,
    offset,
    expected: `at most ${minuend}`,
    actual: stored,
  });
}

const MAX_NIBBLE_VALUE = 0xffffffff;

/** One number of a nibble stream (formats: cells and deltas §1): bit 3 of a nibble says more follow. */
function readNibbles(cursor: Cursor): number {
  const at = cursor.pos;
  let value = 0;
  for (let shift = 0; ; shift += 3) {
    const nibble = cursor.takeNibble();
    // Chunks after the first have 1 added, so that no value has two forms.
    value += ((nibble & 7) + (shift === 0 ? 0 : 1)) * 2 ** shift;
    if ((nibble & 8) === 0 && value <= MAX_NIBBLE_VALUE) return value;
    if ((nibble & 8) === 0 || shift > 27)
      throw new FormatError({
        code: "value-range",
        message: "nibble-packed integer above 2^32",
        offset: cursor.base + at,
      });
  }
}

function compileBytes(node: BytesNode): Decode {
  const { length } = node;
  if (length === undefined) return (cursor) => sliceOf(cursor, cursor.left);
  if (typeof length === "number") return (cursor) => sliceOf(cursor, length);
  const evaluate = compileExpr(length);
  return (cursor, scope) => sliceOf(cursor, evaluate(scope as ReadScope));
}

function sliceOf(cursor: Cursor, length: number): Uint8Array {
  const at = cursor.take(length);
  return cursor.bytes.subarray(at, at + length);
}

function compileText(node: TextNode): Decode {
  const { length } = node;
  if (length === "rest") return (cursor) => decodeText(sliceOf(cursor, cursor.left));
  if (length === "nul") return readNulText;
  const evaluate = compileExpr(length);
  return (cursor, scope) => decodeText(sliceOf(cursor, evaluate(scope as ReadScope)));
}

function readNulText(cursor: Cursor): string {
  const nul = cursor.bytes.indexOf(0, cursor.pos);
  if (nul === -1 || nul >= cursor.end)
    throw new FormatError({
      code: "unterminated",
      message: "text without its NUL byte",
      offset: cursor.base + cursor.pos,
    });
  const text = decodeText(cursor.bytes.subarray(cursor.pos, nul));
  cursor.pos = nul + 1;
  return text;
}

function compileStruct(node: StructNode): Decode {
  const names = node.fields.map(([name]) => name);
  const nodes = node.fields.map(([, field]) => field);
  const decoders = nodes.map(decoder);
  return (cursor, parent) => {
    const scope = new ReadScope(cursor, parent, parent?.params ?? {}, cursor.pos);
    const { values } = scope;
    for (let i = 0; i < names.length; i++) {
      const field = nodes[i] as Node;
      if (cursor.halfByte && field.kind !== "nibble") cursor.align();
      const value = decodeStep(cursor, scope, names[i] as string, field, decoders[i] as Decode);
      if (value !== undefined) values[names[i] as string] = value;
    }
    cursor.align();
    return values;
  };
}

/** Reads one field or element: traced when asked for, its name put in front of an error's path. */
function decodeStep(
  cursor: Cursor,
  scope: ReadScope | undefined,
  name: string | number,
  node: Node,
  decode: Decode,
): unknown {
  const { tracer } = cursor;
  try {
    if (tracer === undefined) return decode(cursor, scope);
    tracer.open(name, node, cursor.place);
    const value = decode(cursor, scope);
    tracer.close(cursor.place, value);
    return value;
  } catch (error) {
    throw error instanceof FormatError ? error.within(name) : error;
  }
}

function compileArray(node: ArrayNode): Decode {
  const element = decoder(node.of);
  const count = node.count === undefined ? undefined : compileExpr(node.count);
  const until = node.until === undefined ? undefined : compileExpr(node.until);
  return (cursor, scope) => {
    const elements: unknown[] = [];
    const limit =
      count === undefined ? Number.POSITIVE_INFINITY : checkCount(count(scope as ReadScope), cursor);
    while (elements.length < limit) {
      if (count === undefined && cursor.left === 0) break;
      if (until !== undefined && until(scope as ReadScope) !== 0) break;
      const before = cursor.place;
      elements.push(decodeStep(cursor, scope, elements.length, node.of, element));
      if (cursor.place === before) throw noProgress(cursor, elements.length - 1);
    }
    return elements;
  };
}

function checkCount(count: number, cursor: Cursor): number {
  if (count >= 0) return count;
  const offset = cursor.base + cursor.pos;
  throw new FormatError({
    code: "value-range",
    message: `a list of ${count} elements`,
    offset,
    actual: count,
  });
}

const noProgress = (cursor: Cursor, index: number): FormatError =>
  new FormatError({
    code: "no-progress",
    message: "array element of zero bytes",
    path: `[${index}]`,
    offset: cursor.base + cursor.pos,
  });

function compileOptional(node: OptionalNode): Decode {
  const when = compileExpr(node.when);
  const of = decoder(node.of);
  return (cursor, scope) => (when(scope as ReadScope) !== 0 ? of(cursor, scope) : undefined);
}

function compileUnion(node: UnionNode): Decode {
  const tag = compileExpr(node.tag);
  const cases = new Map(
    node.cases.map((entry) => [entry.tag, { name: entry.name, decode: decoder(entry.node) }]),
  );
  const { otherwise } = node;
  const fallback =
    otherwise === undefined ? undefined : { name: otherwise.name, decode: decoder(otherwise.node) };
  return (cursor, scope) => {
    const value = tag(scope as ReadScope);
    const chosen = cases.get(value) ?? fallback;
    if (chosen === undefined)
      throw new FormatError({
        code: "union-tag",
        message: `no form for tag ${value}`,
        offset: cursor.base + cursor.pos,
        expected: node.cases.map((entry) => `${entry.tag} ${entry.name}`).join(", "),
        actual: value,
      });
    return { kind: chosen.name, ...(chosen.decode(cursor, scope) as object) };
  };
}

function compileRegion(node: RegionNode): Decode {
  const length = compileExpr(node.length);
  const of = decoder(node.of);
  return (cursor, scope) => {
    const size = length(scope as ReadScope);
    const start = cursor.take(size);
    const { end, regionStart } = cursor;
    cursor.pos = cursor.regionStart = start;
    cursor.end = start + size;
    const value = of(cursor, scope);
    cursor.align();
    if (cursor.left > 0) throw trailing(cursor);
    cursor.end = end;
    cursor.regionStart = regionStart;
    return value;
  };
}

export function trailing(cursor: Cursor): FormatError {
  return new FormatError({
    code: "trailing-bytes",
    message: `${cursor.left} bytes left over`,
    offset: cursor.base + cursor.pos,
    expected: 0,
    actual: cursor.left,
  });
}
