/** The fast path of declarations whose layout is fixed: headers and other records of known size. */
import { Cursor } from "../cursor.js";
import { decoder, ReadScope } from "../decode.js";
import { FormatError } from "../error.js";
import { format } from "../format.js";
import { type Issue, issueOf } from "../issue.js";
import type { Node, StructNode, Type } from "../schema.js";
import { checker } from "./check.js";
import { closures, TooNew } from "./closures.js";
import { codeGenerationWorks, type Fallback, type Generated, generateCode } from "./generate-code.js";
import { type Plan, plan } from "./plan.js";

export type FixedImplementation = "generated" | "closures";

/** Reads and writes values of one size at any offset; same values, bytes and errors as the general path. */
export interface FixedCodec<T> {
  /** In bytes. */
  readonly size: number;
  readonly implementation: FixedImplementation;
  /**
   * The value at `offset`; byte fields are views of `bytes`. Rules are not checked, checksums not computed. A loop
   * that has a `view` of the very same bytes should give it: it saves up to a third of the time.
   * @throws FormatError `truncated`, with the path and offset of the first field that is not whole, and
   * `unsupported-version`.
   */
  decode(bytes: Uint8Array, offset?: number, view?: DataView): T;
  /**
   * Writes the value and returns the offset behind it. Left-out fields that can be derived are.
   * @throws FormatError with the path of what does not fit, `truncated` without room; `target` is unchanged then.
   */
  encode(value: T, target: Uint8Array, offset?: number): number;
  /** Every issue of the value at `offset`, checksums over these bytes included; cheap when there is none. */
  validate(bytes: Uint8Array, offset?: number): readonly Issue[];
}

type Compiled = { readonly [I in FixedImplementation]?: FixedCodec<unknown> };
const cache = new WeakMap<Node, Compiled>();

/**
 * The fast path of a declaration, or of a format with one layout; compiled once.
 * @throws TypeError when the layout is not fixed (see {@link hasFixedLayout}).
 */
export function fixedCodec<T>(
  of: Type<T> | { readonly type: Type<T> },
  options: { readonly implementation?: FixedImplementation } = {},
): FixedCodec<T> {
  const node = "kind" in of ? of : of.type;
  const implementation = options.implementation ?? (codeGenerationWorks() ? "generated" : "closures");
  const known = cache.get(node);
  const codec = known?.[implementation] ?? compile(node, implementation);
  cache.set(node, { ...known, [implementation]: codec });
  return codec as FixedCodec<T>;
}

function compile(node: Node, implementation: FixedImplementation): FixedCodec<unknown> {
  const root = plan(node);
  if (root === undefined) throw new TypeError("the layout of the declaration is not fixed");
  const general = fallback(node, root.size);
  const access = implementation === "generated" ? generateCode(root, general) : closureCode(root, general);
  const { decode, encode } = access;
  return { size: root.size, implementation, decode, encode, validate: validator(node, root, decode) };
}

/**
 * The fields of a struct that stand before its first one of varying size: a header without its extension. Rules
 * stay behind, as they may look at all fields.
 */
export function fixedPrefix<T extends object>(of: Type<T>): Type<Partial<T>> {
  const { fields } = of as Node as StructNode;
  const end = fields.findIndex(([, field]) => !hasFixedLayout(field));
  const node: StructNode = { kind: "struct", fields: end === -1 ? fields : fields.slice(0, end), rules: [] };
  return node as Type<Partial<T>>;
}

/** Whether a declaration always takes the same bytes in the same places. */
export const hasFixedLayout = (node: Node): boolean => plan(node) !== undefined;

function closureCode(root: Plan, general: Fallback): Generated {
  const { size } = root;
  const { read, fits, write } = closures(root);
  return {
    decode: (bytes, at = 0) => {
      if (!(at >= 0 && at + size <= bytes.length)) general.decode(bytes, at);
      try {
        return read(bytes, at);
      } catch (error) {
        throw error instanceof TooNew ? general.decode(bytes, at) : error;
      }
    },
    encode: (value, target, at = 0) => {
      if (!(at >= 0 && at + size <= target.length && fits(value))) return general.encode(value, target, at);
      write(target, at, value);
      return at + size;
    },
  };
}

/** The general path finds what exactly is wrong, and writes what needs more than storing. */
function fallback(node: Node, size: number): Fallback {
  const whole = format({ name: "fixed", title: "", source: "" }, node);
  return {
    decode: (bytes, at) => {
      if (at >= 0 && at <= bytes.length) {
        const cursor = new Cursor(bytes, 0, at);
        decoder(node)(cursor, new ReadScope(cursor, undefined, {}, at));
      }
      throw noRoom(size, at, bytes);
    },
    encode: (value, target, at) => {
      const built = whole.build(value as never);
      if (!(at >= 0 && at + size <= target.length)) throw noRoom(size, at, target);
      target.set(built, at);
      return at + size;
    },
  };
}

function noRoom(size: number, offset: number, bytes: Uint8Array): FormatError {
  const left = bytes.length - offset;
  const message = `${size} bytes needed at ${offset} of ${bytes.length}`;
  return new FormatError({ code: "truncated", message, offset, expected: size, actual: left });
}

const NO_ISSUES: readonly Issue[] = Object.freeze([]);

function validator<T>(node: Node, root: Plan, decode: FixedCodec<T>["decode"]): FixedCodec<T>["validate"] {
  const whole = format({ name: "fixed", title: "", source: "" }, node);
  const isClean = checker(root);
  const decodesClean = (bytes: Uint8Array, offset: number): boolean => {
    try {
      return isClean(decode(bytes, offset));
    } catch (error) {
      if (error instanceof FormatError) return false;
      throw error;
    }
  };
  return (bytes, offset = 0) => {
    if (!(offset >= 0)) return [issueOf(noRoom(root.size, offset, bytes))];
    if (decodesClean(bytes, offset)) return NO_ISSUES;
    return whole.validate(bytes.subarray(offset, offset + root.size), { base: offset });
  };
}
