/**
 * Fixed layouts as generated code: one object literal of one shape, reads without a DataView, no call a field.
 * Names enter the code as JSON strings only, numbers come from the plan.
 */
import { decodeText } from "../text.js";
import { U64_MAX } from "./closures.js";
import type { ArrayPlan, BytesPlan, IntPlan, Plan, StructPlan } from "./plan.js";
import { lowHalf, quads, readU64, words, writeU64 } from "./words.js";

/** What generated functions call when the bytes or the value are not plain sailing. */
export interface Fallback {
  /** Throws what the general path throws: the bytes end before the value does, or a version is too new. */
  decode(bytes: Uint8Array, at: number): never;
  /** The general path; returns the offset behind the value. */
  encode(value: unknown, target: Uint8Array, at: number): number;
}
export interface Generated {
  decode(bytes: Uint8Array, at?: number, view?: DataView): unknown;
  encode(value: unknown, target: Uint8Array, at?: number): number;
}

let allowed: boolean | undefined;

/** Whether this place runs generated code: a content security policy may forbid it. */
export function codeGenerationWorks(): boolean {
  if (allowed === undefined) {
    try {
      allowed = new Function("return true")() as boolean;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** @throws EvalError where code generation is forbidden. */
export function generateCode(root: Plan, fallback: Fallback): Generated {
  const tools = { words, quads, readU64, writeU64, decodeText, U64_MAX, fallback };
  const body = `"use strict";
const { ${Object.keys(tools).join(", ")} } = tools;
return {
${new DecodeCode().functionOf(root)},
${new EncodeCode().functionOf(root)}
};`;
  return new Function("tools", body)(tools) as Generated;
}

const at = (base: string, offset: number): string => (offset === 0 ? base : `${base} + ${offset}`);

/** Names of locals, and pairs of words that no other value of the function uses. */
class Locals {
  private count = 0;
  private pairs = 1; // pair 0 belongs to `readU64`

  name(): string {
    return `v${this.count++}`;
  }

  /** An unused pair, or undefined when there is none, or when a loop would use it twice. */
  pair(inLoop: boolean): number | undefined {
    return inLoop || this.pairs >= quads.length ? undefined : this.pairs++;
  }
}

/**
 * Reads through a DataView `d` where the caller has one; else byte by byte, as making one costs more than that.
 * Both literals have the same fields in the same order, and so their values the same shape.
 */
class DecodeCode {
  private locals = new Locals();
  private throughView = false;

  functionOf(root: Plan): string {
    return `decode(b, o = 0, d) {
if (!(o >= 0 && o + ${root.size} <= b.length)) fallback.decode(b, o);
if (d !== undefined) {
${this.body(root, true)}
}
${this.body(root, false)}
}`;
  }

  private body(root: Plan, throughView: boolean): string {
    this.throughView = throughView;
    this.locals = new Locals();
    const before: string[] = [];
    const value = this.value(root, "o", before, false);
    return [...before, `return ${value};`].join("\n");
  }

  /** An expression for the value; statements it needs go to `before`. */
  private value(part: Plan, base: string, before: string[], inLoop: boolean): string {
    switch (part.kind) {
      case "int": {
        const value = this.integer(part, base, before, inLoop);
        const { supported } = part.node;
        if (supported !== undefined) before.push(`if ((${value}) > ${supported}) fallback.decode(b, o);`);
        return value;
      }
      case "bytes":
        return slice(part, base);
      case "text":
        return `decodeText(${slice(part, base)})`;
      case "struct": {
        const fields = part.fields.map(
          ([name, field]) => `${JSON.stringify(name)}: ${this.value(field, base, before, inLoop)}`,
        );
        return `{ ${fields.join(", ")} }`;
      }
      case "array":
        return this.list(part, base, before);
    }
  }

  private integer(part: IntPlan, base: string, before: string[], inLoop: boolean): string {
    const { size, little } = part.node;
    if (size === 8) return this.quad(part, base, before, inLoop);
    if (!this.throughView) return uint(part, base);
    return `d.getUint${8 * size}(${at(base, part.offset)}${size === 1 ? "" : `, ${little}`})`;
  }

  /** By way of two words, which is faster than `getBigUint64`. */
  private quad(
    { offset, node: { little } }: IntPlan,
    base: string,
    before: string[],
    inLoop: boolean,
  ): string {
    const pair = this.locals.pair(inLoop);
    if (pair === undefined) return `readU64(b, ${at(base, offset)}, ${little})`;
    const half = (from: number): string =>
      this.throughView ? `d.getInt32(${at(base, from)}, ${little})` : word(base, from, little);
    before.push(`words[${2 * pair + lowHalf}] = ${half(little ? offset : offset + 4)};`);
    before.push(`words[${2 * pair + 1 - lowHalf}] = ${half(little ? offset + 4 : offset)};`);
    return `quads[${pair}]`;
  }

  private list(part: ArrayPlan, base: string, before: string[]): string {
    const list = this.locals.name();
    const from = this.locals.name();
    const inner: string[] = [];
    const element = this.value(part.of, from, inner, true);
    before.push(`const ${list} = [];`);
    before.push(loopOver(part, at(base, part.offset), from), ...inner, `${list}.push(${element});`, "}");
    return list;
  }
}

const slice = ({ offset, size }: Plan, base: string): string =>
  `b.subarray(${at(base, offset)}, ${at(base, offset + size)})`;

/** Four bytes as a signed number. */
function word(base: string, offset: number, little: boolean): string {
  const bytes = [0, 1, 2, 3].map((i) => `b[${at(base, offset + i)}] << ${8 * (little ? i : 3 - i)}`);
  return bytes.join(" | ").replaceAll(" << 0", "");
}

function uint({ offset, node: { size, little } }: IntPlan, base: string): string {
  if (size === 4) return `(${word(base, offset, little)}) >>> 0`;
  const [first, second] = [`b[${at(base, offset)}]`, `b[${at(base, offset + 1)}]`];
  if (size === 1) return first;
  return little ? `${first} | ${second} << 8` : `${first} << 8 | ${second}`;
}

/** Where code for a part goes: the statements of the function, or of a loop over elements. */
interface Frame {
  /** The local that holds the offset of the value, or of the element. */
  readonly base: string;
  readonly inLoop: boolean;
  readonly checks: string[];
  readonly writes: string[];
}

/** First everything is checked, then everything is written: a value that does not fit changes no byte. */
class EncodeCode {
  private readonly locals = new Locals();

  functionOf(root: Plan): string {
    const frame: Frame = { base: "o", inLoop: false, checks: [], writes: [] };
    this.part(root, "value", frame);
    return `encode(value, b, o = 0) {
if (!(o >= 0 && o + ${root.size} <= b.length)) ${GIVE_UP}
${frame.checks.join("\n")}
${frame.writes.join("\n")}
return o + ${root.size};
}`;
  }

  private part(part: Plan, value: string, frame: Frame): void {
    if (part.kind === "struct") this.struct(part, value, frame);
    else if (part.kind === "array") this.list(part, value, frame);
    else if (part.kind === "bytes") bytesCode(part, value, frame);
    else if (part.kind === "text") frame.checks.push(GIVE_UP);
    else if (part.node.size === 8) this.quad(part, value, frame);
    else uintCode(part, value, frame);
  }

  private quad({ offset, node: { little } }: IntPlan, value: string, frame: Frame): void {
    const { checks, writes } = frame;
    checks.push(`if (typeof ${value} !== "bigint" || ${value} < 0n || ${value} > U64_MAX) ${GIVE_UP}`);
    const pair = this.locals.pair(frame.inLoop);
    if (pair === undefined) {
      writes.push(`writeU64(b, ${at(frame.base, offset)}, ${little}, ${value});`);
      return;
    }
    const [low, high] = [this.locals.name(), this.locals.name()];
    writes.push(`quads[${pair}] = ${value};`);
    writes.push(`const ${low} = words[${2 * pair + lowHalf}], ${high} = words[${2 * pair + 1 - lowHalf}];`);
    writes.push(...store(low, frame.base, little ? offset : offset + 4, 4, little));
    writes.push(...store(high, frame.base, little ? offset + 4 : offset, 4, little));
  }

  private struct({ fields }: StructPlan, value: string, frame: Frame): void {
    const { checks, writes, inLoop } = frame;
    const count = this.locals.name();
    checks.push(`if (typeof ${value} !== "object" || ${value} === null) ${GIVE_UP}`);
    checks.push(`let ${count} = 0; for (const _ in ${value}) ${count}++;`);
    checks.push(`if (${count} !== ${fields.length || "-1"}) ${GIVE_UP}`);
    for (const [name, field] of fields) {
      const local = this.locals.name();
      const read = `const ${local} = ${value}[${JSON.stringify(name)}];`;
      checks.push(read);
      // Checks and writes of a list's elements are two loops: the second has to read again.
      if (inLoop) writes.push(read);
      this.part(field, local, frame);
    }
  }

  private list(part: ArrayPlan, value: string, { base, checks, writes }: Frame): void {
    const [from, element] = [this.locals.name(), this.locals.name()];
    const inner: Frame = { base: from, inLoop: true, checks: [], writes: [] };
    this.part(part.of, element, inner);
    const loop = loopOver(part, at(base, part.offset), from);
    const read = `const ${element} = ${value}[i];`;
    checks.push(`if (!Array.isArray(${value}) || ${value}.length !== ${part.count}) ${GIVE_UP}`);
    checks.push(loop, read, ...inner.checks, "}");
    writes.push(loop, read, ...inner.writes, "}");
  }
}

const loopOver = ({ count, of }: ArrayPlan, place: string, from: string): string =>
  `for (let i = 0, ${from} = ${place}; i < ${count}; i++, ${from} += ${of.size}) {`;

const GIVE_UP = "return fallback.encode(value, b, o);";

function uintCode({ offset, node: { size, little } }: IntPlan, value: string, frame: Frame): void {
  const cut = size === 4 ? ">>> 0" : size === 2 ? "& 65535" : "& 255";
  frame.checks.push(`if (typeof ${value} !== "number" || (${value} ${cut}) !== ${value}) ${GIVE_UP}`);
  frame.writes.push(...store(value, frame.base, offset, size, little));
}

function bytesCode({ size, offset }: BytesPlan, value: string, { base, checks, writes }: Frame): void {
  checks.push(`if (!(${value} instanceof Uint8Array) || ${value}.length !== ${size}) ${GIVE_UP}`);
  writes.push(`b.set(${value}, ${at(base, offset)});`);
}

/** Statements that store an integer: stores keep the low 8 bits of what they are given. */
function store(value: string, base: string, offset: number, size: number, little: boolean): string[] {
  return Array.from({ length: size }, (_, i) => {
    const shift = 8 * (little ? i : size - 1 - i);
    return `b[${at(base, offset + i)}] = ${shift === 0 ? value : `${value} >>> ${shift}`};`;
  });
}
