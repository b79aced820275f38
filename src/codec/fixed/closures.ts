/** Fixed layouts read and written by closures: for places where code cannot be generated. */
import { decodeText } from "../text.js";
import type { ArrayPlan, IntPlan, Plan, StructPlan } from "./plan.js";
import { readU64, readUint, writeU64, writeUint } from "./words.js";

/** The parts of an implementation; the caller has checked that `at` and what follows exist. */
export interface Access {
  /** @throws TooNew for a version above the one that is supported. */
  read(bytes: Uint8Array, at: number): unknown;
  /** Whether `write` can store the value as it is; anything else is left to the general path. */
  fits(value: unknown): boolean;
  write(target: Uint8Array, at: number, value: unknown): void;
}

export function closures(part: Plan): Access {
  switch (part.kind) {
    case "int":
      return upTo(part.node.supported, part.node.size === 8 ? quadAccess(part) : intAccess(part));
    case "bytes":
      return bytesAccess(part);
    case "text":
      return textAccess(part);
    case "struct":
      return structAccess(part);
    case "array":
      return arrayAccess(part);
  }
}

/** Says that the general path must be asked what to make of the bytes. */
export class TooNew extends Error {}

function upTo(supported: number | undefined, access: Access): Access {
  if (supported === undefined) return access;
  const read: Access["read"] = (bytes, at) => {
    const value = access.read(bytes, at) as number | bigint;
    if (value > supported) throw new TooNew();
    return value;
  };
  return { ...access, read };
}

function intAccess({ offset, node: { size, little } }: IntPlan): Access {
  const max = 2 ** (8 * size) - 1;
  return {
    read: uintReader(offset, size, little),
    fits: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max,
    write: (target, at, value) => writeUint(target, at + offset, size, little, value as number),
  };
}

function uintReader(offset: number, size: number, little: boolean): Access["read"] {
  if (size === 1) return (bytes, at) => bytes[at + offset];
  if (size === 2) return (bytes, at) => readUint(bytes, at + offset, 2, little);
  return (bytes, at) => readUint(bytes, at + offset, 4, little);
}

export const U64_MAX = (1n << 64n) - 1n;

function quadAccess({ offset, node: { little } }: IntPlan): Access {
  return {
    read: (bytes, at) => readU64(bytes, at + offset, little),
    fits: (value) => typeof value === "bigint" && value >= 0n && value <= U64_MAX,
    write: (target, at, value) => writeU64(target, at + offset, little, value as bigint),
  };
}

function bytesAccess({ offset, size }: Plan): Access {
  return {
    read: (bytes, at) => bytes.subarray(at + offset, at + offset + size),
    fits: (value) => value instanceof Uint8Array && value.length === size,
    write: (target, at, value) => target.set(value as Uint8Array, at + offset),
  };
}

function textAccess({ offset, size }: Plan): Access {
  return {
    read: (bytes, at) => decodeText(bytes.subarray(at + offset, at + offset + size)),
    fits: () => false,
    write: () => {
      throw new TypeError("text is left to the general path");
    },
  };
}

function structAccess({ fields }: StructPlan): Access {
  const names = fields.map(([name]) => name);
  const parts = fields.map(([, field]) => closures(field));
  const template = Object.fromEntries(names.map((name) => [name, undefined]));
  return {
    read: (bytes, at) => {
      // A copy has its final shape from the start, which is what makes filling it in fast.
      const value: Record<string, unknown> = { ...template };
      for (let i = 0; i < names.length; i++) value[names[i] as string] = (parts[i] as Access).read(bytes, at);
      return value;
    },
    fits: (value) => {
      if (typeof value !== "object" || value === null || countKeys(value) !== names.length) return false;
      const values = value as Record<string, unknown>;
      return names.length > 0 && parts.every((part, i) => part.fits(values[names[i] as string]));
    },
    write: (target, at, value) => {
      const values = value as Record<string, unknown>;
      for (let i = 0; i < names.length; i++)
        (parts[i] as Access).write(target, at, values[names[i] as string]);
    },
  };
}

/** `for … in` is much cheaper than `Object.keys` where all values have one shape. */
function countKeys(value: object): number {
  let count = 0;
  for (const _ in value) count++;
  return count;
}

function arrayAccess({ offset, count, of }: ArrayPlan): Access {
  const element = closures(of);
  return {
    read: (bytes, at) => {
      const values: unknown[] = [];
      for (let i = 0; i < count; i++) values.push(element.read(bytes, at + offset + i * of.size));
      return values;
    },
    fits: (value) => Array.isArray(value) && value.length === count && allFit(value, element),
    write: (target, at, value) => {
      for (let i = 0; i < count; i++)
        element.write(target, at + offset + i * of.size, (value as unknown[])[i]);
    },
  };
}

function allFit(values: readonly unknown[], element: Access): boolean {
  for (let i = 0; i < values.length; i++) if (!element.fits(values[i])) return false;
  return true;
}
