/** A quick look whether a value of fixed layout violates no rule; the general path says which one it is. */
import { type IntNode, type RuleContext, symbolList } from "../schema.js";
import { type BytesPlan, type Plan, type StructPlan, somePart } from "./plan.js";

type Values = Readonly<Record<string, unknown>>;
type Check = (value: unknown, enclosing: readonly Values[]) => boolean;

/** A function that is true for values without any issue; always false where a checksum has to be computed. */
export function checker(root: Plan): (value: unknown) => boolean {
  if (somePart(root, (part) => part.kind === "int" && part.node.checksum !== undefined)) return () => false;
  const check = compile(root);
  return check === undefined ? () => true : (value) => check(value, []);
}

/** Undefined when every value passes. */
function compile(part: Plan): Check | undefined {
  switch (part.kind) {
    case "int":
      return part.node.size === 8 ? quadCheck(part.node) : intCheck(part.node);
    case "bytes":
      return bytesCheck(part);
    case "text":
      return undefined;
    case "struct":
      return structCheck(part);
    case "array": {
      const of = compile(part.of);
      return of && ((value, enclosing) => (value as unknown[]).every((item) => of(item, enclosing)));
    }
  }
}

function intCheck({ constant, reserved, min, max, symbols, flags }: IntNode): Check | undefined {
  const only = [...(constant === undefined ? [] : [Number(constant)]), ...(reserved === true ? [0] : [])];
  const low = Math.max(0, Number(min ?? 0), ...only);
  const high = Math.min(0xffffffff, Number(max ?? 0xffffffff), ...only);
  const known = symbols === undefined ? undefined : new Set(symbolList(symbols).map(([, value]) => value));
  const unknown = flags === undefined ? 0 : ~symbolList(flags).reduce((all, [, mask]) => all | mask, 0);
  if (low === 0 && high === 0xffffffff && known === undefined && unknown === 0) return undefined;
  return (value) => {
    const number = value as number;
    return number >= low && number <= high && (number & unknown) === 0 && known?.has(number) !== false;
  };
}

function quadCheck({ constant, reserved, min, max, symbols, flags }: IntNode): Check | undefined {
  const known = symbols === undefined ? undefined : new Set(symbolList(symbols).map(([, value]) => value));
  const unknown = flags && ~symbolList(flags).reduce((all, [, mask]) => all | BigInt(mask), 0n);
  if ([constant, reserved, min, max, known, unknown].every((rule) => rule === undefined)) return undefined;
  const only = constant === undefined ? undefined : BigInt(constant);
  return (value) => {
    const number = value as bigint;
    if ((only !== undefined && number !== only) || (reserved === true && number !== 0n)) return false;
    if ((min !== undefined && number < min) || (max !== undefined && number > max)) return false;
    if (unknown !== undefined && (number & unknown) !== 0n) return false;
    return known?.has(Number(number)) !== false;
  };
}

function bytesCheck({ size, node: { constant, reserved } }: BytesPlan): Check | undefined {
  if (constant === undefined && reserved !== true) return undefined;
  if (constant !== undefined && constant.length !== size) return () => false;
  return (value) =>
    (value as Uint8Array).every(
      (byte, i) => (reserved !== true || byte === 0) && (constant === undefined || byte === constant[i]),
    );
}

function structCheck({ node, fields }: StructPlan): Check | undefined {
  const checks = fields.flatMap(([name, field]) => {
    const check = compile(field);
    return check === undefined ? [] : [{ name, check }];
  });
  if (checks.length === 0 && node.rules.length === 0) return undefined;
  return (value, enclosing) => {
    const values = value as Values;
    const inner = [values, ...enclosing];
    const context: RuleContext = { params: {}, enclosing };
    return (
      checks.every(({ name, check }) => check(values[name], inner)) &&
      node.rules.every((rule) => rule.check(values, context) === undefined)
    );
  };
}
