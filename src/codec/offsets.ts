/** Where the fields of a fixed layout are, for hot loops that cannot afford an object a record. */
import { fixedSize } from "./describe.js";
import type { Node, StructNode, Type } from "./schema.js";

export interface FixedOffsets<T> {
  /** Byte offset of each field from the first byte of the struct. */
  readonly at: { readonly [K in keyof T]-?: number };
  /** Bytes of the whole struct, or up to its first field without a fixed size. */
  readonly size: number;
}

/**
 * Offsets of the fields of a struct, up to and including the first one whose size varies. A field behind that one
 * has no fixed offset and must not be asked for.
 */
export function offsetsOf<T extends object>(type: Type<T>): FixedOffsets<T> {
  const at: Record<string, number> = {};
  let size = 0;
  for (const [name, node] of (type as Node as StructNode).fields) {
    at[name] = size;
    const bytes = fixedSize(node);
    if (bytes === undefined) break;
    size += bytes;
  }
  return { at: at as FixedOffsets<T>["at"], size };
}
