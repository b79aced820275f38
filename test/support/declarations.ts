/** Declarations made at random, to hold the readers and writers derived from them against each other. */
import {
  add,
  array,
  bytes,
  countOf,
  crc32cField,
  type Expr,
  eq,
  has,
  lengthOf,
  type Node,
  nibble,
  optional,
  packed,
  packed32,
  packedSigned,
  peek,
  position,
  type RandomSource,
  ref,
  region,
  remaining,
  type ScalarRules,
  struct,
  text,
  u8,
  u16be,
  u16le,
  u32be,
  u32le,
  u64be,
  u64le,
  union,
} from "../../src/codec/index.js";

type Fields = Record<string, Node>;
const numbers = [u8, u16le, u16be, u32le, u32be] as ReadonlyArray<(rules?: ScalarRules) => Node>;
const quads = [u64le, u64be] as ReadonlyArray<(rules?: ScalarRules) => Node>;

const pick = <T>(random: RandomSource, from: readonly T[]): T => from[random.below(from.length)] as T;

/** A struct of integers, bytes, text, fixed structs and lists. */
export function fixedDeclaration(random: RandomSource, depth = 0): Node {
  const fields: Fields = {};
  for (let i = 1 + random.below(6); i > 0; i--) fields[`f${i}`] = fixedField(random, depth);
  return struct(fields, random.below(4) === 0 ? { rules: [sumRule] } : {});
}

const sumRule = {
  code: "odd",
  doc: "The first number is even.",
  check: (value: Record<string, unknown>) =>
    Object.values(value).find((field) => typeof field === "number" && field % 2 === 1) === undefined
      ? undefined
      : { message: "odd number" },
};

function fixedField(random: RandomSource, depth: number): Node {
  switch (random.below(depth < 3 ? 9 : 6)) {
    case 0:
    case 1:
    case 2:
      return pick(random, numbers)(rules(random));
    case 3:
      return pick(random, quads)(rules(random));
    case 4:
      return fixedBytes(random);
    case 5:
      return text(random.below(5));
    case 6:
      return fixedDeclaration(random, depth + 1);
    case 7:
      return region(u16le(), 2);
    default:
      return array(fixedElement(random, depth + 1) as never, { count: random.below(4) });
  }
}

/** Something of at least one byte. */
function fixedElement(random: RandomSource, depth: number): Node {
  if (random.below(2) === 0) return pick(random, [...numbers, ...quads])();
  return struct({ first: u8(), second: fixedField(random, depth) });
}

function fixedBytes(random: RandomSource): Node {
  const length = random.below(6);
  if (random.below(4) === 0) return bytes(length, { constant: random.bytes(length) });
  return bytes(length, random.below(4) === 0 ? { reserved: true } : {});
}

function rules(random: RandomSource): ScalarRules {
  switch (random.below(10)) {
    case 0:
      return { constant: random.below(256) };
    case 9:
      return { supported: 200 };
    case 1:
      return { reserved: true };
    case 2:
      return { min: random.below(100) };
    case 3:
      return { max: 100 + random.below(100), min: 1 };
    case 4:
      return { symbols: { zero: 0, one: 1, some: [7, "seven"] } };
    case 5:
      return { flags: { low: 1, pair: [6, "two bits"], high: 0x80 } };
    default:
      return {};
  }
}

/**
 * A struct of every kind of field. `open`: it may end in fields that take the rest of the region.
 * Every value generated for it builds to bytes that read back as that value.
 */
export function anyDeclaration(random: RandomSource, depth = 0, open = true): Node {
  const fields: Fields = {};
  const count = 1 + random.below(5);
  for (let i = 1; i <= count; i++) addField(fields, `f${i}`, random, depth);
  if (open && random.below(2) === 0) addLast(fields, random, depth);
  return struct(fields);
}

function addField(fields: Fields, name: string, random: RandomSource, depth: number): void {
  switch (random.below(depth < 3 ? 16 : 10)) {
    case 0:
    case 1:
      fields[name] = fixedField(random, 3);
      return;
    case 2:
      fields[name] = packed(rules(random));
      fields[`${name}d`] = packed({ differenceFrom: name });
      return;
    case 3:
      fields[name] = packed32(rules(random));
      return;
    case 4:
      fields[name] = packedSigned();
      return;
    case 5:
      fields[name] = nibble(random.below(3) === 0 ? { supported: 5 } : {});
      return;
    case 6:
      fields[name] = text("nul");
      return;
    case 7:
      fields[`${name}n`] = lengthField(random, lengthOf(name));
      fields[name] = bytes(ref(`${name}n`));
      return;
    case 8:
      // A region of its own: two checksums that cover each other cannot both be right.
      fields[name] = region(struct({ before: u16le(), crc: crc32cField(), after: bytes(2) }), 8);
      return;
    case 9:
      fields[`${name}p`] = u16le({ derive: position });
      fields[name] = text(2);
      return;
    case 10:
      fields[name] = anyDeclaration(random, depth + 1, false);
      return;
    case 11:
      fields[`${name}n`] = lengthField(random, lengthOf(name));
      fields[name] = region(anyDeclaration(random, depth + 1) as never, ref(`${name}n`));
      return;
    case 12:
      fields[`${name}n`] = lengthField(random, countOf(name));
      fields[name] = array(element(random, depth) as never, { count: ref(`${name}n`) });
      return;
    case 13:
      fields[name] = array(u8({ min: 1 }), { until: eq(peek, 0) });
      fields[`${name}z`] = u8({ constant: 0 });
      return;
    case 14:
      fields[`${name}x`] = u8({ flags: { present: 1, other: 2 } });
      fields[name] = optional(element(random, depth) as never, has(ref(`${name}x`), 1));
      return;
    default:
      fields[`${name}t`] = u8({ symbols: { a: 1, b: 2, c: 3 } });
      fields[name] = anyUnion(random, depth, ref(`${name}t`));
  }
}

const lengthField = (random: RandomSource, derive: Expr): Node =>
  pick(random, [u16le, u32be, packed32] as ReadonlyArray<(rules?: ScalarRules) => Node>)({ derive });

/** Something of at least one byte. */
function element(random: RandomSource, depth: number): Node {
  const fields: Fields = { first: u8() };
  addField(fields, "f0", random, depth + 1);
  return pick<() => Node>(random, [() => u16be(), () => packed(), () => struct(fields)])();
}

function anyUnion(random: RandomSource, depth: number, tag: Expr): Node {
  const cases = {
    a: [1, anyDeclaration(random, depth + 1, false)],
    b: [2, struct({ only: u16le() })],
  } as const;
  return random.below(2) === 0
    ? union(tag, { ...cases, c: [3, struct({})] })
    : union(tag, cases, { other: struct({ some: packed() }) });
}

function addLast(fields: Fields, random: RandomSource, depth: number): void {
  switch (random.below(4)) {
    case 0:
      fields.rest = bytes();
      return;
    case 1:
      fields.rest = text("rest");
      return;
    case 2:
      fields.rest = array(element(random, depth) as never);
      return;
    default:
      fields.rest = optional(packed(), add(remaining, 0));
  }
}
