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
import { seals, typeOf } from "../mutate/seal.js";
import type { AnyFormat } from "../mutate/site.js";
import { Tape } from "../tape.js";
import { Broken, DECIDED, type FuzzTarget, isRaw, RAW, same } from "../target.js";

const SEEDS = 8;
const MAX_CHANGES = 4;

export const formatTargets: readonly FuzzTarget[] = formats.map(formatTarget);

/** The target of a format. */
export function formatTarget(format: AnyFormat): FuzzTarget {
  const backends = backendsOf(format);
  const bytesOf = (input: Uint8Array): Uint8Array =>
    isRaw(input) ? input.subarray(1) : decided(format, new Tape(input.subarray(1)));
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
    fuzz(input) {
      const bytes = bytesOf(input);
      check(format, bytes, backends);
      const generation = generationOf(input);
      for (const params of paramsOf(format))
        if (generation !== undefined || params !== NO_PARAMS)
          checkRead(format, bytes, { generation, params });
    },
  };
}

/** A valid value made from the tape, and changed as the tape says. */
function decided(format: AnyFormat, tape: Tape): Uint8Array {
  const seed = tape.below(256);
  const seal = seals[tape.below(seals.length)] ?? "none";
  const changes = tape.below(MAX_CHANGES);
  const base = format.build(format.generate(seededRandom(seed)));
  const other = format.build(format.generate(seededRandom(seed ^ 0x55)));
  return mutate(format, base, tape, { changes, seal, other });
}

function check(format: AnyFormat, bytes: Uint8Array, backends: ReadonlyMap<string, Backend>): void {
  const reading = format.read(bytes);
  format.annotate(bytes);
  checkPlaces(format, bytes, reading);
  backends.get(reading.generation ?? "")?.(bytes);
  if (!reading.ok) return;
  if (!same(format.build(reading.value), bytes))
    throw new Broken(`${format.name}: written otherwise than read`);
  if (hasErrors(reading.issues)) return;
  const json = JSON.parse(JSON.stringify(format.toJson(reading.value, { secrets: "reveal" })));
  if (!same(format.build(format.fromJson(json)), bytes))
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

type Backend = (bytes: Uint8Array) => void;

/** The other decoders of a layout, by generation; they are asked about the bytes that were read as it. */
function backendsOf(format: AnyFormat): ReadonlyMap<string, Backend> {
  const names = format.generations.length === 0 ? [""] : format.generations;
  const found = new Map<string, Backend>();
  for (const name of names) {
    const type = typeOf(format, name);
    const checks = type === undefined ? [] : [...parserCheck(format, type, name), ...fixedCheck(type)];
    if (checks.length > 0)
      found.set(name, (bytes) => {
        for (const check of checks) check(bytes);
      });
  }
  return found;
}

function parserCheck(format: AnyFormat, type: Node, generation: string): Backend[] {
  let parser: ReturnType<typeof binaryParserFor>;
  try {
    parser = binaryParserFor(type as Type<unknown>);
  } catch (error) {
    // Declarations binary-parser has no form for.
    if (error instanceof TypeError) return [];
    throw error;
  }
  const options = generation === "" ? {} : { generation };
  return [
    (bytes) => {
      const reading = format.read(bytes, options);
      const ours = reading.ok ? "ok" : reading.error.code;
      const theirs = outcome(() => parser.parse(bytes));
      if (ours !== theirs.code) throw new Broken(`binary-parser: ${theirs.code}, not ${ours}`);
      if (reading.ok && show(theirs.value) !== show(withoutLabel(reading.value)))
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
      if (a.code !== b.code || show(a.value) !== show(b.value))
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

/** Values as text, to be compared; byte fields by their bytes. */
const show = (value: unknown): string =>
  JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return `${item}n`;
    return item instanceof Uint8Array ? `bytes ${item.join(" ")}` : item;
  }) ?? "undefined";
