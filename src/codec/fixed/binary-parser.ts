/**
 * Declarations as parsers of the package binary-parser: for users of that package, and as a second opinion on our
 * own reader in tests and fuzzing. Not part of the core: it generates code, and only reads.
 */
import { Parser } from "binary-parser";
import { FormatError } from "../error.js";
import type { Node, Type } from "../schema.js";
import { decodeText } from "../text.js";
import { parseRoot, primitive, rootParser, trailing } from "./binary-parser-record.js";
import { type Plan, plan, type StructPlan, somePart } from "./plan.js";

/** What is used of a `Parser`. */
export interface CompiledParser {
  parse(bytes: Uint8Array): Record<string, unknown>;
  getCode(): string;
  /** In bytes; NaN where it depends on values. */
  sizeOf(): number;
}

export interface BinaryParserOptions {
  /** Values from outside that the declaration asks for. */
  readonly params?: Readonly<Record<string, number>>;
  /** Allow bytes behind the value. */
  readonly partial?: boolean;
}

export interface BinaryParserBackEnd<T> {
  /**
   * The parser itself. A struct of fixed layout comes out as the value; any other value is the property `$value`.
   * Used alone it does not notice missing bytes at the end of byte fields, nor bytes left over.
   */
  readonly parser: CompiledParser;
  /**
   * The same value as the general path gives. Rules and checksums are not looked at.
   * @throws FormatError with the code the general path gives; path and most offsets are not known here.
   */
  parse(bytes: Uint8Array, options?: BinaryParserOptions): T;
}

/**
 * The binary-parser form of a declaration, or of a format with one layout.
 * @throws TypeError for what binary-parser cannot express: names that are no identifiers, nibbles in lists.
 */
export function binaryParserFor<T>(of: Type<T> | { readonly type: Type<T> }): BinaryParserBackEnd<T> {
  const node: Node = "kind" in of ? of : of.type;
  const layout = plan(node);
  const isPlain = layout?.kind === "struct" && !somePart(layout, hasVersionLimit);
  return isPlain ? fixedBackEnd(layout) : recordBackEnd(node);
}

const hasVersionLimit = (part: Plan): boolean => part.kind === "int" && part.node.supported !== undefined;

function fixedBackEnd<T>(layout: StructPlan): BinaryParserBackEnd<T> {
  const parser = structParser(layout);
  const { size } = layout;
  return {
    parser,
    parse: (bytes, options = {}) => {
      if (bytes.length < size) throw truncated(bytes.length, size);
      if (bytes.length > size && options.partial !== true) throw trailing(bytes.length - size);
      return parser.parse(bytes) as T;
    },
  };
}

function structParser({ fields }: StructPlan): Parser {
  return fields.reduce((parser, [name, field]) => addPart(parser, name, field), new Parser());
}

function addPart(parser: Parser, name: string, part: Plan): Parser {
  switch (part.kind) {
    case "int":
      return parser[primitive(part.node)](name);
    case "bytes":
      return parser.buffer(name, { length: () => part.size });
    case "text":
      return parser.buffer(name, { length: () => part.size, formatter: decodeText });
    case "struct":
      return parser.nest(name, { type: structParser(part) });
    case "array":
      return addList(parser, name, part.count, part.of);
  }
}

function addList(parser: Parser, name: string, count: number, of: Plan): Parser {
  const length = () => count;
  if (of.kind === "int") return parser.array(name, { length, type: primitive(of.node) });
  if (of.kind === "struct") return parser.array(name, { length, type: structParser(of) });
  const formatter = (items: ReadonlyArray<{ item: unknown }>) => items.map(({ item }) => item);
  return parser.array(name, { length, type: addPart(new Parser(), "item", of), formatter });
}

function recordBackEnd<T>(node: Node): BinaryParserBackEnd<T> {
  const parser = rootParser(node);
  return {
    parser,
    parse: (bytes, { params = {}, partial } = {}) => {
      const { value, left } = bounded(bytes.length, () => parseRoot(parser, bytes, params));
      if (left > 0 && partial !== true) throw trailing(left);
      return value as T;
    },
  };
}

/** Integers read past the end are a bare RangeError of the DataView. */
function bounded<R>(length: number, parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw truncated(length);
  }
}

function truncated(actual: number, expected?: number): FormatError {
  return new FormatError({ code: "truncated", message: "the bytes end before the value", expected, actual });
}
