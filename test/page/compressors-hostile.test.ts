import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { COMPRESS_SKIP, LZ4_PREFIX, STREAM_PREFIX } from "../../formats/transforms.js";
import { FormatError } from "../../src/codec/error.js";
import { type Compressor, detectCompressor, inflateImage } from "../../src/page/transform/index.js";
import { processorMillis } from "../support/clock.js";
import { everyCompressor, implementations, labelOf } from "../support/codecs.js";
import { classicCompressedBlocks, type StoredBlock } from "../support/stored-blocks.js";

/** What no input may exceed: the requirement is one second and 64 MB. */
const MAX_MILLISECONDS = 1000;
const MAX_EXTRA_BYTES = 64 * 2 ** 20;

const blocks = classicCompressedBlocks();
const test = suite("page: compressors on hostile bytes");

const smallest = (compressor: string): StoredBlock =>
  blocks
    .filter((block) => block.compressor === compressor)
    .reduce((best, block) => (block.bytes.length < best.bytes.length ? block : best));

/** The result, or undefined where it was refused. Anything but a FormatError, and slowness, fails the test. */
function attempt(what: string, work: () => Uint8Array): Uint8Array | undefined {
  const start = processorMillis();
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    assert.type(error.code, "string");
    assert.ok(error.message.length > 0 && (error.offset === undefined || error.offset >= 0));
    return undefined;
  } finally {
    const took = processorMillis() - start;
    assert.ok(took < MAX_MILLISECONDS, `${what} took ${took} ms`);
  }
}

/** Where libzstd is known to be laxer: a last literal that reads past the start of its stream. */
const laxer = /literals do not fit their stream/;

/** All implementations must give the same bytes, or all must refuse. */
function agree(others: Compressor[], stored: Uint8Array, length: number): void {
  const results = others.map((it) => attempt(labelOf(it), () => it.decompress(stored, length)));
  for (const result of results) {
    if (result) assert.is(result.length, length);
    if (result === undefined || results[0] === undefined) continue;
    assert.is(Buffer.compare(result, results[0]), 0, "implementations differ");
  }
  if (results.every((result) => (result === undefined) === (results[0] === undefined))) return;
  assert.is(others[0]!.name, "zstd", "one implementation accepts what another refuses");
  assert.throws(() => others[0]!.decompress(stored, length), laxer);
}

interface Damage {
  at: number;
  kind: "flip" | "byte" | "cut" | "longer" | "zeros" | "repeat";
  value: number;
}

const damage: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    // Half of it at the front, where the lengths and tables are.
    at: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 70_000 })),
    kind: fc.constantFrom("flip", "byte", "cut", "longer", "zeros", "repeat"),
    value: fc.oneof(fc.constantFrom(0, 1, 127, 128, 254, 255), fc.nat({ max: 255 })),
  }),
  { minLength: 1, maxLength: 4 },
);

function damaged(bytes: Uint8Array, damages: Damage[]): Uint8Array {
  let out = bytes.slice();
  for (const { at, kind, value } of damages) {
    if (out.length === 0) return out;
    const i = at % out.length;
    if (kind === "flip") out[i]! ^= 1 << (value & 7);
    if (kind === "byte") out[i] = value;
    if (kind === "cut") out = out.slice(0, i);
    if (kind === "longer") out = Uint8Array.of(...out, ...new Uint8Array(value).fill(value));
    if (kind === "zeros") out.fill(0, i, i + value);
    if (kind === "repeat") out.copyWithin(i, Math.max(0, i - value), i);
  }
  return out;
}

for (const [name, others] of Object.entries(implementations)) {
  const text = new TextEncoder().encode(
    "a footprint, another footprint, and the tiger that left them. ".repeat(9),
  );

  test(`${name}: damaged streams are refused or inflate to the right length, alike everywhere`, () => {
    for (const writer of others) {
      const streams = [text, Uint8Array.from({ length: 700 }, (_, i) => (i * i) >> 3)].map((it) =>
        writer.compress(it),
      );
      const property = fc.property(
        fc.constantFrom(...streams),
        damage,
        fc.integer({ min: -2, max: 2 }),
        (stream, how, off) => {
          const length = stream === streams[0] ? text.length : 700;
          agree(others, damaged(stream, how), length + (off === -2 ? -1 : off === 2 ? 1 : 0));
        },
      );
      fc.assert(property, { numRuns: 1500 });
    }
  });

  test(`${name}: arbitrary bytes behind a believable prefix`, () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 5000 }),
      (bytes, length) => agree(others, believable(name, bytes, length), length),
    );
    fc.assert(property, { numRuns: 3000 });
  });

  test(`${name}: a real block, each bit of its first bytes flipped and cut at every length there`, () => {
    const { bytes, shape } = smallest(name);
    const stored = bytes.subarray(COMPRESS_SKIP);
    const length = shape.memSize - COMPRESS_SKIP;
    for (let bit = 0; bit < 48 * 8; bit++) {
      const flipped = stored.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      agree(others, flipped, length);
    }
    for (let cut = 0; cut < 48; cut++) agree(others, stored.subarray(0, cut), length);
  });

  test(`${name}: real blocks, damaged anywhere`, () => {
    const mine = blocks.filter(({ compressor }) => compressor === name);
    const property = fc.property(fc.constantFrom(...mine), damage, ({ bytes, shape }, how) => {
      agree(others, damaged(bytes.subarray(COMPRESS_SKIP), how), shape.memSize - COMPRESS_SKIP);
    });
    fc.assert(property, { numRuns: 150 });
  });
}

/** Bytes dressed up with the prefix, magic and lengths that get them past the first checks. */
function believable(name: string, bytes: Uint8Array, length: number): Uint8Array {
  if (name === "zlib") return Uint8Array.of(0x78, 0x9c, ...bytes);
  const size = name === "lz4" ? LZ4_PREFIX.size : STREAM_PREFIX.size;
  const head = { snappy: varint(length), zstd: zstdHead(length), lz4: [] }[name as "snappy" | "zstd" | "lz4"];
  const out = Uint8Array.of(...new Uint8Array(size), ...head, ...bytes);
  const view = new DataView(out.buffer);
  view.setUint32(0, out.length - size, true);
  if (name === "lz4") view.setUint32(LZ4_PREFIX.at.uncompressedLength, length, true);
  if (name === "lz4") view.setUint32(LZ4_PREFIX.at.usefulLength, length, true);
  return out;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** One segment, four bytes of content size. */
function zstdHead(length: number): number[] {
  return [0x28, 0xb5, 0x2f, 0xfd, 0xa0, length & 255, (length >> 8) & 255, 0, 0];
}

test("lying lengths are refused before anything is allocated for them", () => {
  const lies = [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 29 - 1, 2 ** 31, 2 ** 32 - 1];
  for (const { bytes, shape, compressor, name } of blocks.slice(0, 12).concat(blocks.slice(-14))) {
    for (const bit of lies) {
      const memSize = (shape.memSize | bit) >>> 0;
      if (memSize === shape.memSize) continue;
      for (const it of implementations[compressor!]!) {
        const grown = measure(() => {
          const image = attempt(name, () => inflateImage(bytes, { ...shape, memSize }, { compressor: it }));
          assert.is(image, undefined, `${name} ${labelOf(it)} mem_size ${memSize}`);
        });
        assert.ok(grown < MAX_EXTRA_BYTES, `${name} ${labelOf(it)} mem_size ${memSize}: ${grown} bytes`);
      }
      assert.equal(detectCompressor(bytes.subarray(COMPRESS_SKIP), memSize - COMPRESS_SKIP), []);
    }
  }
});

/** How much memory outside of the garbage-collected heap `work` asked for and has not given back. */
function measure(work: () => void): number {
  const before = process.memoryUsage();
  work();
  const after = process.memoryUsage();
  return after.arrayBuffers + after.external - before.arrayBuffers - before.external;
}

test("a length that the stream itself confirms is still bounded by what the bytes can yield", () => {
  const huge = 2 ** 29 - 1;
  const snappy = believable("snappy", new Uint8Array(4000).fill(0xfe), huge);
  const lz4 = believable("lz4", new Uint8Array(4000).fill(0xff), huge);
  const zlib = believable("zlib", new Uint8Array(4000), huge);
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0x1f, ...new Array(4000).fill(0)];
  const zstd = Uint8Array.of(...new Uint8Array(8), ...frame);
  new DataView(zstd.buffer).setUint32(0, frame.length, true);
  for (const [name, stored] of Object.entries({ snappy, lz4, zlib, zstd })) {
    for (const it of implementations[name]!) {
      const grown = measure(() =>
        assert.is(
          attempt(labelOf(it), () => it.decompress(stored, huge)),
          undefined,
        ),
      );
      assert.ok(grown < MAX_EXTRA_BYTES, `${labelOf(it)}: ${grown}`);
    }
  }
});

test("bombs end in time: the most output the bytes of one block can ask for", () => {
  const length = 16 * 2 ** 20;
  const zeros = new Uint8Array(length);
  for (const it of everyCompressor) {
    const stored = it.compress(zeros);
    const image = attempt(labelOf(it), () => it.decompress(stored, length));
    assert.is(image?.length, length, labelOf(it));
    assert.is(
      attempt(labelOf(it), () => it.decompress(stored, length - 1)),
      undefined,
    );
    assert.is(
      attempt(labelOf(it), () => it.decompress(stored, length + 1)),
      undefined,
    );
  }
});

test.run();
