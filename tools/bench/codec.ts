/** Decode and build rates of headers: our three ways, binary-parser, and code written by hand. */
import { isDeepStrictEqual } from "node:util";
import { binaryParserFor } from "../../src/codec/fixed/binary-parser.js";
import { type FixedCodec, fixedCodec, format, seededRandom } from "../../src/codec/index.js";
import { type Bench, median, write, writeTable } from "./bench.js";
import { type HeaderCase, headerCases } from "./headers.js";

/** Headers in one buffer: more than fit the first-level cache, as in a scan. */
const COUNT = 4096;
const SAMPLE_MS = 50;
const LEAST_SAMPLES = 9;

/** Does its work on the header at an offset; what it gives is kept, so that no part of it can be left out. */
type Work = (at: number) => unknown;
type Loop = (work: Work, rounds: number, count: number, size: number, kept: unknown[]) => void;

interface Contender {
  readonly name: string;
  readonly work: Work;
  readonly loop: Loop;
  readonly rates: number[];
}

let made = 0;

/**
 * Every contender has a loop of its own (its own source, too, as equal sources share what the engine learns), so
 * that the calls of one do not slow down the calls of another.
 */
const contender = (name: string, work: Work): Contender => ({
  name,
  work,
  loop: new Function(
    "work, rounds, count, size, kept",
    `for (let r = 0; r < rounds; r++) for (let i = 0; i < count; i++) kept[i & 63] = work(i * size); // ${made++}`,
  ) as Loop,
  rates: [],
});

/** Valid headers, one behind the other. */
function headerBytes({ name, type }: HeaderCase, size: number): Uint8Array {
  const bytes = new Uint8Array(COUNT * size);
  const whole = format({ name, title: "", source: "" }, type);
  const random = seededRandom(name.length);
  for (let at = 0; at < bytes.length; at += size) bytes.set(whole.build(whole.generate(random)), at);
  return bytes;
}

function readers(header: HeaderCase, bytes: Uint8Array): Contender[] {
  const { type, hand } = header;
  const generated = fixedCodec(type, { implementation: "generated" });
  const closures = fixedCodec(type, { implementation: "closures" });
  const whole = format({ name: header.name, title: "", source: "" }, type);
  const parser = binaryParserFor(type);
  const view = new DataView(bytes.buffer);
  const { size } = generated;
  return [
    contender("hand-written, one DataView", (at) => hand.read(view, bytes, at)),
    contender("hand-written, a DataView a header", (at) => {
      const own = bytes.subarray(at, at + size);
      return hand.read(new DataView(own.buffer, own.byteOffset, size), own, 0);
    }),
    contender("generated, one DataView", (at) => generated.decode(bytes, at, view)),
    contender("generated, no DataView", (at) => generated.decode(bytes, at)),
    contender("closures", (at) => closures.decode(bytes, at)),
    contender("general, with rules", (at) => whole.read(bytes.subarray(at, at + size)).value),
    contender("binary-parser", (at) => parser.parse(bytes.subarray(at, at + size))),
  ];
}

function writers(header: HeaderCase, bytes: Uint8Array, target: Uint8Array): Contender[] {
  const { type, hand } = header;
  const generated = fixedCodec(type, { implementation: "generated" });
  const closures = fixedCodec(type, { implementation: "closures" });
  const whole = format({ name: header.name, title: "", source: "" }, type);
  const { size } = generated;
  // Not by a contender's reader: the engine would take all its values for long-lived ones, and slow it down.
  const values = Array.from({ length: COUNT }, (_, i) =>
    whole.parse(bytes.subarray(i * size, (i + 1) * size)),
  );
  const valueAt = (at: number): unknown => values[at / size];
  const view = new DataView(target.buffer);
  const encoding = (codec: FixedCodec<unknown>) => (at: number) => codec.encode(valueAt(at), target, at);
  return [
    contender("hand-written, nothing checked", (at) => hand.write(view, target, at, valueAt(at))),
    contender("generated", encoding(generated)),
    contender("closures", encoding(closures)),
    contender("general", (at) => target.set(whole.build(valueAt(at)), at)),
  ];
}

/** Times that are compared must be of the same work: all read the same values, all write the same bytes. */
function checkReaders(contenders: readonly Contender[], size: number): void {
  for (let i = 0; i < COUNT; i += 7) {
    const results = contenders.map(({ work }) => work(i * size));
    const odd = results.findIndex((result) => !isDeepStrictEqual(result, results[0]));
    if (odd > 0) throw new Error(`${contenders[odd]?.name} reads header ${i} differently`);
  }
}

function checkWriters(
  contenders: readonly Contender[],
  bytes: Uint8Array,
  target: Uint8Array,
  size: number,
): void {
  for (const { name, work } of contenders) {
    target.fill(0);
    for (let i = 0; i < COUNT; i++) work(i * size);
    if (!isDeepStrictEqual(target, bytes)) throw new Error(`${name} writes other bytes`);
  }
}

/** Alternating samples, so that a change of the machine's speed meets all contenders; rates in millions a second. */
function measure(contenders: readonly Contender[], size: number, samples: number): void {
  const kept: unknown[] = new Array(64).fill(undefined);
  const seconds = ({ loop, work }: Contender, rounds: number): number => {
    const start = process.hrtime.bigint();
    loop(work, rounds, COUNT, size, kept);
    return Number(process.hrtime.bigint() - start) / 1e9;
  };
  const rounds = contenders.map((one) => {
    seconds(one, 30);
    return Math.max(1, Math.round(SAMPLE_MS / 1000 / (seconds(one, 10) / 10)));
  });
  for (let sample = 0; sample < samples; sample++)
    for (const [i, one] of contenders.entries()) {
      const count = rounds[i] as number;
      one.rates.push((COUNT * count) / seconds(one, count) / 1e6);
    }
}

function report(what: string, contenders: readonly Contender[]): void {
  const peer = contenders[0]?.rates ?? [];
  const ratio = (rates: readonly number[]): number =>
    median(rates.map((rate, sample) => rate / (peer[sample] as number)));
  writeTable(
    [what, "M/s", "ratio"],
    contenders.map(({ name, rates }) => [name, median(rates).toFixed(1), ratio(rates).toFixed(2)]),
  );
  write();
}

export const codecBench: Bench = {
  name: "codec",
  title: "decode and build rates of headers against hand-written code and binary-parser",
  async run({ pairs, only }) {
    const samples = Math.max(LEAST_SAMPLES, pairs);
    for (const header of headerCases) {
      if (only !== undefined && !header.name.includes(only)) continue;
      const { size } = fixedCodec(header.type);
      const bytes = headerBytes(header, size);
      const target = new Uint8Array(bytes.length);
      const [reading, writing] = [readers(header, bytes), writers(header, bytes, target)];
      checkReaders(reading, size);
      checkWriters(writing, bytes, target, size);
      measure(reading, size, samples);
      measure(writing, size, samples);
      report(`decode: ${header.name}`, reading);
      report(`build: ${header.name}`, writing);
    }
    write("ratio = the rate over that of the first line in the same round; medians of all rounds.");
    return [];
  },
};
