/**
 * Declarations of any layout as parsers of binary-parser. Everything goes through its public methods: a field's
 * parser, `nest` with a formatter for what it has no type for, and `buffer` up to the end, which does not move on,
 * to see how much is left.
 */
import { Parser } from "binary-parser";
import { Cursor } from "../cursor.js";
import { FormatError } from "../error.js";
import type { Expr } from "../expression.js";
import type { ArrayNode, IntNode, NibbleNode, Node, OptionalNode, StructNode, UnionNode } from "../schema.js";
import { decodeText } from "../text.js";
import { addNibbles, addPacked, checkVersion } from "./binary-parser-numbers.js";
import {
  type Evaluate,
  evaluator,
  findUp,
  type RawScope,
  restOf,
  structScope,
} from "./binary-parser-scope.js";

/** `$rest` becomes what is left from here on. */
const measured = (parser: Parser): Parser => parser.buffer("$rest", { readUntil: "eof" });

/** Runs `work` on the current scope, between the fields. */
const then = (parser: Parser, work: (scope: RawScope) => void): Parser =>
  parser.seek(function (this: RawScope) {
    work(this);
    return 0;
  });

interface Surroundings {
  readonly outer: RawScope | undefined;
  readonly params: Readonly<Record<string, number>>;
}
let surroundings: Surroundings = { outer: undefined, params: {} };

/** Parses with what lies outside of the bytes: parameters, and the scope a region stands in. */
function parseWithin(parser: Parser, bytes: Uint8Array, around: Surroundings): RawScope {
  const before = surroundings;
  surroundings = around;
  try {
    return parser.parse(bytes);
  } finally {
    surroundings = before;
  }
}

/** A parser whose result has the value as `$value` and the bytes behind it as `$rest`. */
export function rootParser(node: Node): Parser {
  const root = then(new Parser().useContextVars(), (scope) => {
    scope.$outer = surroundings.outer;
    scope.$params = surroundings.params;
  });
  return measured(addField(root, "$value", node));
}

export function parseRoot(
  parser: Parser,
  bytes: Uint8Array,
  params: Readonly<Record<string, number>>,
): { value: unknown; left: number } {
  const result = parseWithin(parser, bytes, { outer: undefined, params });
  return { value: result.$value, left: restOf(result).length };
}

function addField(parser: Parser, name: string, node: Node): Parser {
  const added = addAnyField(parser, name, node);
  if (!("supported" in node) || node.supported === undefined) return added;
  return then(added, (scope) => checkVersion(scope[name] as number | bigint, node.supported));
}

function addAnyField(parser: Parser, name: string, node: Node): Parser {
  switch (node.kind) {
    case "int":
      return parser[primitive(node)](name);
    case "packed":
      return addPacked(parser, name, node);
    case "nibble":
      return addNibbles(parser, [[name, node]]);
    case "bytes":
      return addBytes(parser, name, node.length ?? { op: "remaining" }, (bytes) => bytes);
    case "text":
      if (node.length === "nul") return addNulText(parser, name);
      return addBytes(parser, name, node.length === "rest" ? { op: "remaining" } : node.length, decodeText);
    case "struct":
      return parser.nest(name, { type: structParser(node), formatter: assembler(node) });
    case "array":
      return addArray(parser, name, node);
    case "optional":
      return addOptional(parser, name, node);
    case "union":
      return addUnion(parser, name, node);
    case "region": {
      const inner = rootParser(node.of);
      return addBytes(parser, name, node.length, (bytes, scope) => parseRegion(inner, bytes, scope));
    }
    case "custom":
      return measured(parser).seek(function (this: RawScope) {
        const cursor = new Cursor(restOf(this));
        this[name] = node.decode(cursor, structScope(this));
        return cursor.pos;
      });
  }
}

type Primitive = "uint8" | "uint16le" | "uint16be" | "uint32le" | "uint32be" | "uint64le" | "uint64be";

export function primitive({ size, little }: IntNode): Primitive {
  return size === 1 ? "uint8" : `uint${(8 * size) as 16 | 32 | 64}${little ? "le" : "be"}`;
}

function structParser({ fields }: StructNode): Parser {
  const parser = then(measured(new Parser()), (scope) => {
    scope.$origin = restOf(scope).byteOffset;
  });
  for (let i = 0; i < fields.length; i++) {
    const [name, node] = fields[i] as readonly [string, Node];
    if (node.kind === "nibble") {
      const from = i;
      while (fields[i + 1]?.[1].kind === "nibble") i++;
      addNibbles(parser, fields.slice(from, i + 1) as Array<readonly [string, NibbleNode]>);
    } else addField(parser, name, node);
  }
  return parser;
}

/** The declared fields of a raw struct, without the helpers. */
function assembler({ fields }: StructNode): (raw: RawScope) => Record<string, unknown> {
  return (raw) => {
    const value: Record<string, unknown> = {};
    for (const [name] of fields) if (raw[name] !== undefined) value[name] = raw[name];
    return value;
  };
}

function addBytes(
  parser: Parser,
  name: string,
  length: Expr,
  convert: (bytes: Uint8Array, scope: RawScope) => unknown,
): Parser {
  const evaluate = evaluator(length);
  return measured(parser).buffer(name, {
    // binary-parser would give fewer bytes without a word.
    length(this: RawScope) {
      const count = evaluate(this);
      const left = restOf(this).length;
      if (count >= 0 && count <= left) return count;
      throw new FormatError({
        code: "truncated",
        message: `${count} bytes needed, ${left} left`,
        expected: count,
        actual: left,
      });
    },
    formatter(this: RawScope, bytes: Uint8Array) {
      return convert(bytes, this);
    },
  });
}

function addNulText(parser: Parser, name: string): Parser {
  const length = function (this: RawScope): number {
    const nul = restOf(this).indexOf(0);
    if (nul >= 0) return nul;
    throw new FormatError({ code: "unterminated", message: "text without its NUL byte" });
  };
  return measured(parser).buffer(name, { length, formatter: decodeText }).seek(1);
}

function parseRegion(inner: Parser, bytes: Uint8Array, outer: RawScope): unknown {
  const params = findUp(outer, "$params") as Readonly<Record<string, number>>;
  const result = parseWithin(inner, bytes, { outer, params });
  const left = restOf(result).length;
  if (left === 0) return result.$value;
  throw trailing(left);
}

export function trailing(left: number): FormatError {
  const message = `${left} bytes left over`;
  return new FormatError({ code: "trailing-bytes", message, expected: 0, actual: left });
}

function refuseNibble(node: Node): void {
  if (node.kind === "nibble") throw new TypeError("nibbles outside of a struct have no binary-parser form");
}

function addOptional(parser: Parser, name: string, node: OptionalNode): Parser {
  refuseNibble(node.of);
  const when = evaluator(node.when);
  return measured(parser).choice({
    tag(this: RawScope) {
      return when(this) === 0 ? 0 : 1;
    },
    choices: { 0: new Parser(), 1: addField(new Parser(), name, node.of) },
  });
}

function addUnion(parser: Parser, name: string, node: UnionNode): Parser {
  const tag = evaluator(node.tag);
  const forms = [
    ...node.cases,
    ...(node.otherwise === undefined ? [] : [{ ...node.otherwise, tag: Number.NaN }]),
  ];
  const parsers = forms.map((form) =>
    then(addField(new Parser(), name, form.node), (scope) => {
      scope[name] = { kind: form.name, ...(scope[name] as object) };
    }),
  );
  return measured(parser).choice({
    tag(this: RawScope) {
      const value = tag(this);
      const known = forms.findIndex((form) => form.tag === value);
      if (known >= 0) return known;
      if (node.otherwise !== undefined) return forms.length - 1;
      throw new FormatError({ code: "union-tag", message: `no form for tag ${value}`, actual: value });
    },
    choices: Object.fromEntries(parsers.entries()),
  });
}

/** A list; `until` is looked at before an element, which takes a choice in front of a `readUntil`. */
function addArray(parser: Parser, name: string, node: ArrayNode): Parser {
  refuseNibble(node.of);
  const count = node.count === undefined ? undefined : counter(evaluator(node.count));
  const until = node.until === undefined ? undefined : evaluator(node.until);
  const list = { type: elementParser(node.of), formatter: unwrap };
  if (until === undefined && count === undefined)
    return measured(parser).array(name, { ...list, readUntil: "eof" });
  if (until === undefined) {
    const length = function (this: RawScope): number {
      return (count as Evaluate)(this);
    };
    return measured(parser).array(name, { ...list, length });
  }
  const isOver = (scope: RawScope, elements: number): boolean =>
    count === undefined
      ? restOf(scope).length === 0 || until(scope) !== 0
      : elements >= count(scope) || until(scope) !== 0;
  const readUntil = function (this: RawScope, _element: unknown, rest: Uint8Array): boolean {
    this.$rest = rest;
    return isOver(this, (this[name] as unknown[]).length);
  };
  const none = then(new Parser(), (scope) => {
    scope[name] = [];
  });
  return measured(parser).choice({
    tag(this: RawScope) {
      return isOver(this, 0) ? 0 : 1;
    },
    choices: { 0: none, 1: new Parser().array(name, { ...list, readUntil }) },
  });
}

const counter =
  (evaluate: Evaluate): Evaluate =>
  (scope) => {
    const count = evaluate(scope);
    if (count >= 0) return count;
    throw new FormatError({ code: "value-range", message: `a list of ${count} elements`, actual: count });
  };

/** Elements are wrapped, so that any kind of value can be one and none can be empty. */
function elementParser(of: Node): Parser {
  const progress = function (this: RawScope, to: number): number {
    if (to > (this.$from as number)) return to;
    throw new FormatError({ code: "no-progress", message: "array element of zero bytes" });
  };
  return addField(new Parser().saveOffset("$from"), "$value", of).saveOffset("$to", { formatter: progress });
}

const unwrap = (elements: readonly RawScope[]): unknown[] => elements.map(({ $value }) => $value);
