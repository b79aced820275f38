/** One target for every format: whatever the bytes, every path through its declaration agrees. */
import { formats } from "../../formats/registry.js";
import { binaryParserFor } from "../../src/codec/fixed/binary-parser.js";
import {
  type FixedCodec,
  FormatError,
  fixedCodec,
  hasErrors,
  hasFixedLayout,
  type Node,
  type Reading,
  seededRandom,
  type Type,
} from "../../src/codec/index.js";
import { dictionaryOf } from "../mutate/dictionary.js";
import { mutate } from "../mutate/mutate.js";
import { NO_PARAMS, type Params, paramsOf } from "../mutate/params.js";
import { seals } from "../mutate/seal.js";
import { type AnyFormat, typeOf } from "../mutate/site.js";
import { Tape } from "../tape.js";
import { Broken, DECIDED, type FuzzTarget, isRaw, RAW, same } from "../target.js";
import { Bases } from "./bases.js";

const SEEDS = 8;
const MAX_CHANGES = 4;

export const formatTargets: readonly FuzzTarget[] = formats.map(formatTarget);

/** The target of a format. */
export function formatTarget(format: AnyFormat): FuzzTarget {
  const backends = backendsOf(format);
  const bases = new Bases(format);
  const bytesOf = (input: Uint8Array): Uint8Array =>
    isRaw(input) ? input.subarray(1) : decided(format, bases, new Tape(input.subarray(1)));
  const generationOf = (input: Uint8Array): string | undefined =>
    isRaw(input) ? format.generations[((input[0] ?? 0) >> 1) - 1] : undefined;
  return {
    name: `format-${format.name.replaceAll(":", "-")}`,
    oracle:
      "bytes are read or refused with a place; what is read is written back byte for byte, also through JSON; " +
      "binary-parser, generated code and closures read the same",
    *seeds() {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const bytes = format.build(format.generate(seededRandom(seed)));
        yield Uint8Array.of(RAW, ...bytes);
        yield Uint8Array.of(DECIDED, seed, 0, seed % MAX_CHANGES, ...seededRandom(seed).bytes(16));
      }
    },
    dictionary: () => dictionaryOf(format),
    subject: { format, bytesOf, generationOf },
    glance(input) {
      glance(format, bytesOf(input), generationOf(input), false);
    },
    fuzz(input) {
      const bytes = bytesOf(input);
      glance(format, bytes, generationOf(input), true);
      check(format, bytes, backends);
      const generation = generationOf(input);
      for (const params of paramsOf(format))
        if (generation !== undefined || params !== NO_PARAMS)
          checkRead(format, bytes, { generation, params });
    },
  };
}

/** A valid value chosen by the tape, and changed as the tape says. */
function decided(format: AnyFormat, bases: Bases, tape: Tape): Uint8Array {
  const seed = tape.below(256);
  const seal = seals[tape.below(seals.length)] ?? "none";
  const changes = tape.below(MAX_CHANGES);
  const { bytes, generation } = bases.of(seed);
  const other = (): Uint8Array => bases.of(seed ^ 0x55).bytes;
  const options = { changes, seal, other, known: bases.sitesOf };
  return mutate(format, bytes, tape, generation === undefined ? options : { ...options, generation });
}

/** Read as one generation and written back; where none is told, their length says which. */
function glance(format: AnyFormat, bytes: Uint8Array, told: string | undefined, places: boolean): void {
  const { name, generations } = format;
  const generation = told ?? generations[bytes.length % generations.length];
  const options = generation === undefined ? { places } : { generation, places };
  const reading = format.read(bytes, options);
  if (places || !reading.ok) checkPlaces(format, bytes, reading);
  if (reading.ok && !same(format.build(reading.value, options), bytes))
    throw new Broken(
      `${generation === undefined ? name : `${name} ${generation}`}: written otherwise than read`,
    );
}

function check(format: AnyFormat, bytes: Uint8Array, backends: ReadonlyMap<string, Backend>): void {
  const reading = format.read(bytes);
  const { generation } = reading;
  // Where a layout was read with issues, looking for their places has annotated it.
  if (!reading.ok || reading.issues.length === 0 || typeOf(format, generation) === undefined)
    format.annotate(bytes, generation === undefined ? {} : { generation });
  checkPlaces(format, bytes, reading);
  backends.get(generation ?? "")?.(bytes, reading);
  if (!reading.ok) return;
  if (!same(format.build(reading.value), bytes))
    throw new Broken(`${format.name}: written otherwise than read`);
  if (hasErrors(reading.issues)) return;
  const json = JSON.parse(JSON.stringify(format.toJson(reading.value, { secrets: "reveal" })));
  const back = format.fromJson(json);
  // Equal values are written alike.
  if (!sameValue(back, reading.value) && !same(format.build(back), bytes))
    throw new Broken(`${format.name}: changed on its way through JSON`);
}

/** Read as a generation that may be another one, or with what is given beside the bytes: written back as well. */
function checkRead(
  format: AnyFormat,
  bytes: Uint8Array,
  { generation, params }: { generation: string | undefined; params: Params },
): void {
  const options = generation === undefined ? { params } : { generation, params };
  const reading = format.read(bytes, options);
  format.annotate(bytes, options);
  checkPlaces(format, bytes, reading);
  if (reading.ok && !same(format.build(reading.value, options), bytes))
    throw new Broken(`${format.name} ${generation ?? ""}: written otherwise than read`);
}

/** An issue that points outside of its input helps nobody. */
function checkPlaces(format: AnyFormat, bytes: Uint8Array, { issues }: Reading<unknown>): void {
  for (const { offset, code } of issues)
    if (offset === undefined || offset < 0 || offset > bytes.length)
      throw new Broken(`${format.name}: ${code} at ${offset} of ${bytes.length}`);
}

/** Decodes what was read, and compares. */
type Backend = (bytes: Uint8Array, reading: Reading<unknown>) => void;

/** The other decoders of a layout, by generation; they are asked about the bytes that were read as it. */
function backendsOf(format: AnyFormat): ReadonlyMap<string, Backend> {
  const names = format.generations.length === 0 ? [""] : format.generations;
  const found = new Map<string, Backend>();
  for (const name of names) {
    const type = typeOf(format, name);
    const checks = type === undefined ? [] : [...parserCheck(type), ...fixedCheck(type)];
    if (checks.length > 0)
      found.set(name, (bytes, reading) => {
        for (const check of checks) check(bytes, reading);
      });
  }
  return found;
}

function parserCheck(type: Node): Backend[] {
  let parser: ReturnType<typeof binaryParserFor>;
  try {
    parser = binaryParserFor(type as Type<unknown>);
  } catch (error) {
    // Declarations binary-parser has no form for.
    if (error instanceof TypeError) return [];
    throw error;
  }
  return [
    (bytes, reading) => {
      const ours = reading.ok ? "ok" : reading.error.code;
      const theirs = outcome(() => parser.parse(bytes));
      if (ours !== theirs.code) throw new Broken(`binary-parser: ${theirs.code}, not ${ours}`);
      if (reading.ok && !sameValue(theirs.value, withoutLabel(reading.value as object)))
        throw new Broken("binary-parser: another value");
    },
  ];
}

const withoutLabel = (value: object): object => {
  const { generation: _, ...rest } = value as { generation?: string };
  return rest;
};

function fixedCheck(type: Node): Backend[] {
  if (!hasFixedLayout(type)) return [];
  const [generated, closures] = (["generated", "closures"] as const).map((implementation) =>
    fixedCodec(type as Type<unknown>, { implementation }),
  ) as [FixedCodec<unknown>, FixedCodec<unknown>];
  return [
    (bytes) => {
      const a = outcome(() => generated.decode(bytes));
      const b = outcome(() => closures.decode(bytes));
      if (a.code !== b.code || !sameValue(a.value, b.value))
        throw new Broken(`generated code: ${a.code}, closures: ${b.code}`);
    },
  ];
}

interface Outcome {
  readonly code: string;
  readonly value?: unknown;
}

function outcome(call: () => unknown): Outcome {
  try {
    return { code: "ok", value: call() };
  } catch (error) {
    if (error instanceof FormatError) return { code: error.code };
    throw error;
  }
}

/** Whether two decoders gave the same; fields without a value may be there or not. */
function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && same(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const theirs = b as Record<string, unknown>;
  const ours = a as Record<string, unknown>;
  for (const name in ours) if (!sameValue(ours[name], theirs[name])) return false;
  for (const name in theirs) if (theirs[name] !== undefined && ours[name] === undefined) return false;
  return true;
}
