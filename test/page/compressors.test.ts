import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { COMPRESS_SKIP } from "../../formats/transforms.js";
import { FormatError } from "../../src/codec/error.js";
import {
  compressorByName,
  detectCompressor,
  inflateImage,
  lz4Compressor,
  registerCompressor,
} from "../../src/page/transform/index.js";
import { installNodeCompressors, preferred } from "../../src/platform/node-compressors.js";
import { everyCompressor, implementations, labelOf } from "../support/codecs.js";
import { classicCompressedBlocks, pageLogBlocks } from "../support/stored-blocks.js";

const blocks = classicCompressedBlocks();
const test = suite("page: compressors");

/** Bytes with the repeats that compressors live on. */
const plain = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.array(fc.nat({ max: 400 }), { maxLength: 60 }))
  .map(([seed, steps]) => {
    const out = [...seed];
    for (const step of steps) {
      const from = (step * 7) % out.length;
      for (let i = 0; i <= step; i++) out.push(out[from + (i % (out.length - from))]!);
    }
    return Uint8Array.from(out);
  });

test("the corpus has blocks of all four compressors", () => {
  const count = (name: string) => blocks.filter(({ compressor }) => compressor === name).length;
  assert.equal(
    ["snappy", "zlib", "zstd", "lz4"].map((name) => [name, count(name)]),
    [
      ["snappy", 61],
      ["zlib", 4],
      ["zstd", 5],
      ["lz4", 4],
    ],
  );
});

test("every real block inflates to its mem_size, and every implementation agrees", () => {
  for (const { name, bytes, shape, compressor } of blocks) {
    const images = implementations[compressor!]!.map((it) => inflateImage(bytes, shape, { compressor: it }));
    assert.is(images[0]!.length, shape.memSize, name);
    assert.equal(images[0]!.subarray(0, COMPRESS_SKIP), bytes.subarray(0, COMPRESS_SKIP), name);
    for (const image of images) assert.is(Buffer.compare(image, images[0]!), 0, name);
  }
});

/** The value of the first key, as the engine dumps it. */
const FIRST_VALUES: Record<string, string> = {
  snappy: "movenquais mograminpli graminpliwi tigrakera exwiquasha iske",
  zlib: "elis stobamo quatitira baisisis lupli grakebapli wikequa elq",
  zstd: "bagramodor quawibamo luexisqua luvenven anbator bawi venlupl",
  lz4: "stoanpli exelke quador bawistolu kepliti elquashamo mosha ba",
};

test("the inflated pages hold the rows that were put in", () => {
  for (const [compressor, value] of Object.entries(FIRST_VALUES)) {
    const { bytes, shape } = blocks.find(({ name }) => name === `c_${compressor}.wt at 4096`)!;
    const text = Buffer.from(inflateImage(bytes, shape, { compressor })).toString("latin1");
    assert.ok(text.includes(`key000000\0`) && text.includes(`${value}\0`), compressor);
    const letters = (text.match(/[a-z]{3,}/g) ?? []).join("").length;
    assert.ok(letters > 0.7 * text.length, `${compressor}: words all the way through`);
  }
});

test("a block's compressor is found without being told", () => {
  for (const { name, bytes, shape, compressor } of blocks) {
    const stored = bytes.subarray(COMPRESS_SKIP);
    assert.equal(detectCompressor(stored, shape.memSize - COMPRESS_SKIP), [compressor], name);
    assert.equal(detectCompressor(stored, shape.memSize - COMPRESS_SKIP - 1), [], name);
    assert.is(inflateImage(bytes, shape).length, shape.memSize, name);
  }
});

test("page-log blocks: images and deltas, no padding", () => {
  const found = pageLogBlocks("c_compress", (file, start, shape) => {
    if (!shape.compressed) return undefined;
    const view = new DataView(file.buffer, file.byteOffset + start + COMPRESS_SKIP);
    // The prefixes of snappy and zstd (8 bytes) and lz4 (16 bytes) both begin with the stream's length.
    const prefix = view.getUint32(4, true) === 0 ? 8 : 16;
    return COMPRESS_SKIP + prefix + view.getUint32(0, true);
  });
  const names = found.map(({ bytes, shape }) => {
    const [name, ...others] = detectCompressor(bytes.subarray(COMPRESS_SKIP), shape.memSize - COMPRESS_SKIP);
    assert.equal(others, []);
    for (const it of implementations[name!]!) {
      assert.is(inflateImage(bytes, shape, { compressor: it }).length, shape.memSize);
    }
    return `${name} ${shape.combinedHeaderSize}`;
  });
  const kinds = [...new Set(names)].sort();
  assert.equal(kinds, ["lz4 36", "lz4 44", "snappy 36", "snappy 44", "zstd 36", "zstd 44"]);
  assert.ok(found.length > 100);
});

for (const one of everyCompressor) {
  const others = implementations[one.name]!;

  test(`${labelOf(one)}: what it writes, every implementation reads`, () => {
    const property = fc.property(plain, fc.nat({ max: 20 }), (bytes, padding) => {
      const stored = one.compress(bytes);
      const padded = new Uint8Array(stored.length + padding);
      padded.set(stored);
      for (const other of others) {
        assert.ok(other.plausible(padded, bytes.length), "plausible");
        assert.equal(other.decompress(padded, bytes.length), bytes);
      }
      assert.equal(detectCompressor(padded, bytes.length), [one.name]);
    });
    fc.assert(property, { numRuns: 120 });
  });

  test(`${labelOf(one)}: sizes around every limit of the formats`, () => {
    const sizes = [1, 2, 3, 4, 5, 11, 12, 13, 59, 60, 61, 255, 256, 257, 65535, 65536, 65537, 131071, 131072];
    for (const size of [...sizes, 131073, 300_000]) {
      const patterns = {
        zeros: () => 0,
        counting: (i: number) => i & 255,
        noise: (i: number) => (Math.imul(i, 0x9e3779b1) >>> 13) & 255,
        words: (i: number) => "the footprint of a tiger ".charCodeAt((i * ((i >> 9) + 1)) % 25),
      };
      for (const [pattern, byte] of Object.entries(patterns)) {
        const bytes = Uint8Array.from({ length: size }, (_, i) => byte(i));
        const stored = one.compress(bytes);
        for (const other of others) {
          const again = other.decompress(stored, size, 3);
          assert.equal(again.subarray(0, 3), new Uint8Array(3));
          assert.is(Buffer.compare(again.subarray(3), bytes), 0, `${labelOf(other)} ${pattern} ${size}`);
        }
      }
    }
  });
}

test("lz4: only the useful part of the output is kept", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 37);
  const stored = lz4Compressor().compress(bytes);
  for (const useful of [1, 36, 37, 38, 500, 999]) {
    new DataView(stored.buffer).setUint32(8, useful, true);
    assert.equal(lz4Compressor().decompress(stored, useful), bytes.subarray(0, useful));
  }
  new DataView(stored.buffer).setUint32(8, 1001, true);
  assert.throws(
    () => lz4Compressor().decompress(stored, 1001),
    (error: FormatError) => error.code === "inflated-length",
  );
});

test("faster code takes the place of the built-in one, and gives it back when it breaks", () => {
  const before = compressorByName("snappy")!;
  installNodeCompressors();
  const after = ["snappy", "zlib", "zstd", "lz4"].map((name) => compressorByName(name)!.implementation);
  assert.equal(after, ["wasm", "node:zlib", "@bokuweb/zstd-wasm", "built-in"]);
  registerCompressor(before);

  const builtIn = {
    implementation: "built-in",
    decode: () => Uint8Array.of(1),
    encode: () => Uint8Array.of(2),
  };
  const cannotLoad = preferred(builtIn, () => {
    throw new Error("no binary");
  });
  assert.is(cannotLoad.implementation, "built-in");
  const lies = preferred(builtIn, () => ({
    ...builtIn,
    implementation: "native",
    decode: () => new Uint8Array(800),
  }));
  assert.is(lies.implementation, "built-in");

  let calls = 0;
  const sample = new TextEncoder().encode("pugmark ".repeat(100));
  const traps = preferred(builtIn, () => ({
    implementation: "native",
    encode: () => Uint8Array.of(3),
    decode() {
      calls += 1;
      if (calls === 1) return sample;
      if (calls === 2) throw new FormatError({ code: "compressed-stream", message: "refused" });
      throw new Error("unreachable executed");
    },
  }));
  assert.is(traps.implementation, "native");
  assert.throws(() => traps.decode(sample, 1, 0), /refused/);
  assert.equal(traps.decode(sample, 1, 0), Uint8Array.of(1), "the built-in code steps in");
  assert.is(traps.implementation, "built-in");
  traps.decode(sample, 1, 0);
  assert.is(calls, 3, "broken code is not called again");
});

test.run();
