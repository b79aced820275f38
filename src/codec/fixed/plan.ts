/** What a declaration of fixed layout looks like once every offset is known: the base of all fast paths. */
import type { ArrayNode, BytesNode, IntNode, Node, StructNode, TextNode } from "../schema.js";

interface Placed {
  /** Byte offset from the start of the value; of an array's element, from the start of the element. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}
export type Plan = IntPlan | BytesPlan | TextPlan | StructPlan | ArrayPlan;
export interface IntPlan extends Placed {
  readonly kind: "int";
  readonly node: IntNode;
}
export interface BytesPlan extends Placed {
  readonly kind: "bytes";
  readonly node: BytesNode;
}
export interface TextPlan extends Placed {
  readonly kind: "text";
  readonly node: TextNode;
}
export interface StructPlan extends Placed {
  readonly kind: "struct";
  readonly node: StructNode;
  readonly fields: ReadonlyArray<readonly [string, Plan]>;
}
export interface ArrayPlan extends Placed {
  readonly kind: "array";
  readonly node: ArrayNode;
  readonly count: number;
  /** One element; the element `i` begins at `offset + i × of.size`. */
  readonly of: Plan;
}

/** The plan of a declaration, or undefined when its layout depends on values. */
export function plan(node: Node, offset = 0): Plan | undefined {
  switch (node.kind) {
    case "int":
      return { kind: "int", offset, size: node.size, node };
    case "bytes":
      return isSize(node.length) ? { kind: "bytes", offset, size: node.length, node } : undefined;
    case "text":
      return isSize(node.length) ? { kind: "text", offset, size: node.length, node } : undefined;
    case "struct":
      return planStruct(node, offset);
    case "array":
      return planArray(node, offset);
    case "region": {
      const of = plan(node.of, offset);
      return of?.size === node.length ? of : undefined;
    }
    default:
      return undefined;
  }
}

const isSize = (length: unknown): length is number => Number.isSafeInteger(length) && (length as number) >= 0;

function planStruct(node: StructNode, offset: number): StructPlan | undefined {
  const fields: Array<readonly [string, Plan]> = [];
  let size = 0;
  for (const [name, field] of node.fields) {
    const placed = plan(field, offset + size);
    if (placed === undefined) return undefined;
    fields.push([name, placed]);
    size += placed.size;
  }
  return { kind: "struct", offset, size, node, fields };
}

function planArray(node: ArrayNode, offset: number): ArrayPlan | undefined {
  const of = plan(node.of);
  if (of === undefined || of.size === 0 || !isSize(node.count) || node.until !== undefined) return undefined;
  return { kind: "array", offset, size: node.count * of.size, node, count: node.count, of };
}

/** Whether any part of a plan passes the test. */
export function somePart(part: Plan, test: (part: Plan) => boolean): boolean {
  if (test(part)) return true;
  if (part.kind === "struct") return part.fields.some(([, field]) => somePart(field, test));
  return part.kind === "array" && somePart(part.of, test);
}
