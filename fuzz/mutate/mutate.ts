/**
 * Mutation by declaration: an input of a format, changed where its fields are. Every decision is drawn from one source,
 * so a tape of bytes replays it.
 */
import { FormatError, type RandomSource, type ReadOptions } from "../../src/codec/index.js";
import { type Seal, seal } from "./seal.js";
import { type AnyFormat, hasSameSites, type Site, sitesOf } from "./site.js";
import { encodeScalar, interestingValue, type ScalarNode } from "./values.js";

export interface MutateOptions extends ReadOptions {
  /** Changes made one after the other (default 1). */
  readonly changes?: number;
  /** What is put right afterwards (default: nothing). */
  readonly seal?: Seal;
  /** Another input of the format, for splices; a function is called when there is one. */
  readonly other?: Uint8Array | (() => Uint8Array);
  /** The sites of inputs that are used again and again; undefined for others. */
  readonly known?: (bytes: Uint8Array) => readonly Site[] | undefined;
}

/** Inputs do not grow beyond this, so that a campaign's memory does not either; bytes. */
const MAX_LENGTH = 1 << 20;

/** A mutant of `bytes`. */
export function mutate(
  format: AnyFormat,
  bytes: Uint8Array,
  random: RandomSource,
  options: MutateOptions = {},
): Uint8Array {
  let mutant: Mutant = { bytes, options };
  for (let left = options.changes ?? 1; left > 0; left--) mutant = change(format, mutant, random);
  return seal(format, mutant.bytes, options.seal ?? "none", mutant.options);
}

/** What it is read with may change with the bytes. */
interface Mutant {
  readonly bytes: Uint8Array;
  readonly options: MutateOptions;
  /** Where they are known. */
  readonly sites?: readonly Site[] | undefined;
}

function change(format: AnyFormat, mutant: Mutant, random: RandomSource): Mutant {
  const { bytes, options } = mutant;
  const sites = mutant.sites ?? placesOf(format, bytes, options);
  const site = sites[random.below(sites.length)];
  if (site === undefined) return { bytes: random.bytes(random.below(16)), options };
  switch (random.below(10)) {
    case 0:
      return { bytes: cut(bytes, site, random), options };
    case 1:
      return changed(format, mutant, sites, splice(format, bytes, site, options, random));
    case 2:
      return otherGeneration(format, bytes, random, options);
    default:
      return changed(format, mutant, sites, changeSite(bytes, site, random));
  }
}

/** With the sites it had, where they do not depend on what is in the bytes. */
function changed(
  format: AnyFormat,
  { bytes: old, options }: Mutant,
  sites: readonly Site[],
  bytes: Uint8Array,
): Mutant {
  const stay = bytes.length === old.length && hasSameSites(format, options.generation);
  return stay ? { bytes, options, sites } : { bytes, options };
}

const placesOf = (format: AnyFormat, bytes: Uint8Array, options: MutateOptions): readonly Site[] =>
  options.known?.(bytes) ?? sitesOf(format, bytes, { ...options, base: 0 });

const SCALARS: ReadonlySet<string> = new Set(["int", "packed", "nibble"]);

function changeSite(bytes: Uint8Array, site: Site, random: RandomSource): Uint8Array {
  const { node, kind, start, end } = site;
  const own = bytes.subarray(start, end);
  if (kind === "element") return replace(bytes, start, end, changeElement(own, random));
  if (kind === "field" && node !== undefined && SCALARS.has(node.kind)) {
    const scalar = node as ScalarNode;
    return replace(bytes, start, end, encodeScalar(scalar, interestingValue(scalar, numberOf(own), random)));
  }
  return replace(bytes, start, end, kind === "text" ? changeText(own, random) : changeBytes(own, random));
}

/** Removed, doubled, or made a stranger to its neighbours by one bit. */
function changeElement(own: Uint8Array, random: RandomSource): Uint8Array {
  switch (random.below(3)) {
    case 0:
      return new Uint8Array();
    case 1:
      return joined(own, own);
    default:
      return flipped(own, random);
  }
}

function changeBytes(own: Uint8Array, random: RandomSource): Uint8Array {
  switch (random.below(6)) {
    case 0:
      return own.subarray(0, random.below(own.length + 1));
    case 1:
      return joined(own, random.bytes(1 + random.below(8)));
    case 2:
      return new Uint8Array(own.length).fill(random.below(2) === 0 ? 0 : 0xff);
    case 3:
      return random.bytes(own.length);
    default:
      return flipped(own, random);
  }
}

/** Tokens that configuration text is made of, and numbers at its limits. */
const TOKENS = ["", "0", "-1", "(", ")", "=", ",", '"', "[", "]", "true", "18446744073709551616", "0x", "\0"];

function changeText(own: Uint8Array, random: RandomSource): Uint8Array {
  if (random.below(2) === 0) return changeBytes(own, random);
  const token = TOKENS[random.below(TOKENS.length)] as string;
  return Uint8Array.from(token, (letter) => letter.charCodeAt(0));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function flipped(own: Uint8Array, random: RandomSource): Uint8Array {
  const copy = own.slice();
  if (copy.length > 0) {
    const at = random.below(copy.length);
    copy[at] = (copy[at] as number) ^ (1 << random.below(8));
  }
  return copy;
}

const cut = (bytes: Uint8Array, { start, end }: Site, random: RandomSource): Uint8Array =>
  bytes.slice(0, random.below(2) === 0 ? start : end);

/** The bytes of the other input's field of the same path, or of any of its fields. */
function splice(
  format: AnyFormat,
  bytes: Uint8Array,
  site: Site,
  options: MutateOptions,
  random: RandomSource,
): Uint8Array {
  const other = typeof options.other === "function" ? options.other() : (options.other ?? bytes);
  const theirs = placesOf(format, other, options);
  const same = theirs.filter(({ path }) => path === site.path);
  const choice = same.length > 0 && random.below(4) > 0 ? same : theirs;
  const from = choice[random.below(choice.length)];
  if (from === undefined) return bytes;
  return replace(bytes, site.start, site.end, other.subarray(from.start, from.end));
}

/** The same value written in another generation, where that has all of its fields. */
function otherGeneration(
  format: AnyFormat,
  bytes: Uint8Array,
  random: RandomSource,
  options: MutateOptions,
): Mutant {
  const generation = format.generations[random.below(format.generations.length)];
  const reading = format.read(bytes, { ...options, places: false });
  if (generation === undefined || !reading.ok) return { bytes, options };
  try {
    const built = format.build({ ...reading.value, generation }, { ...options, generation });
    return { bytes: built, options: options.generation === undefined ? options : { ...options, generation } };
  } catch (error) {
    // A field of the one generation that the other has not, or has as another type.
    if (error instanceof FormatError || error instanceof TypeError) return { bytes, options };
    throw error;
  }
}

function replace(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  if (bytes.length - (end - start) + by.length > MAX_LENGTH) return bytes;
  const whole = new Uint8Array(bytes.length - (end - start) + by.length);
  whole.set(bytes.subarray(0, start));
  whole.set(by, start);
  whole.set(bytes.subarray(end), start + by.length);
  return whole;
}

/** The bytes as one little-endian number, of at most its first eight: near enough for neighbours of a value. */
function numberOf(own: Uint8Array): bigint {
  let value = 0n;
  for (let i = Math.min(own.length, 8) - 1; i >= 0; i--) value = (value << 8n) | BigInt(own[i] as number);
  return value;
}
