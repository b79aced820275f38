import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ENCRYPTED_PREFIX, ROTN_ENVELOPE } from "../../formats/transforms.js";
import { FormatError } from "../../src/codec/error.js";
import {
  decryptBlock,
  detectRotnKeyIds,
  type Encryptor,
  encryptedPart,
  encryptorByName,
  inflateImage,
  looksLikeRotn,
  registerEncryptor,
  rotnEncryptor,
} from "../../src/page/transform/index.js";
import { pageLogBlocks } from "../support/stored-blocks.js";

const KEY_ID = 13;
const blocks = pageLogBlocks("d_encrypt_rotn", (file, start, { encrypted, combinedHeaderSize }) => {
  if (!encrypted) return undefined;
  const view = new DataView(file.buffer, file.byteOffset + start);
  return view.getUint32(combinedHeaderSize, true);
});
const test = suite("page: encryptors");

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof FormatError) return error.code;
    throw error;
  }
  return "";
};

test("the store has encrypted images and deltas, also compressed ones", () => {
  const kinds = blocks.map(
    ({ shape }) => `${shape.combinedHeaderSize}${shape.compressed ? " compressed" : ""}`,
  );
  const counts = [...new Set(kinds)].sort().map((kind) => [kind, kinds.filter((it) => it === kind).length]);
  // Pages that the page log's own file has freed hold some of its 85 records a second time.
  assert.equal(counts, [
    ["36", 65],
    ["36 compressed", 19],
    ["44", 81],
    ["44 compressed", 2],
  ]);
});

test("every block opens to an image of mem_size bytes; nothing else is told by its headers", () => {
  for (const { name, bytes, shape } of blocks) {
    assert.ok(looksLikeRotn(encryptedPart(bytes, shape.combinedHeaderSize)), name);
    const image = inflateImage(bytes, shape, { encryptor: rotnEncryptor(KEY_ID) });
    assert.is(image.length, shape.memSize, name);
    assert.equal(
      image.subarray(0, shape.combinedHeaderSize),
      bytes.subarray(0, shape.combinedHeaderSize),
      name,
    );
    const overhead = ENCRYPTED_PREFIX.size + ROTN_ENVELOPE.length;
    if (!shape.compressed) assert.is(bytes.length, shape.memSize + overhead, name);
  }
});

test("the images hold the rows that were put in", () => {
  const texts = blocks.map(({ bytes, shape }) =>
    textOf(inflateImage(bytes, shape, { encryptor: rotnEncryptor(KEY_ID) })),
  );
  // The values of key000000 in the plain and in the compressed table, as the engine dumps them.
  for (const value of [
    "graisis extormin venstois stouaminqua tivensha storapl tiapli",
    "moshamo wiminexmo antorlu venkestor batiwimo torshakepli gra",
  ]) {
    const words = value.split(" ").slice(0, 2).join(" ");
    assert.ok(
      texts.some((text) => text.includes(words)),
      words,
    );
  }
});

test("the key id is found by what makes sense", () => {
  const withKeys = blocks.filter(({ bytes, shape }) =>
    textOf(inflateImage(bytes, shape, { encryptor: rotnEncryptor(KEY_ID) })).includes("key0"),
  );
  assert.ok(withKeys.length > 10);
  for (const { name, bytes, shape } of withKeys) {
    const { combinedHeaderSize } = shape;
    const fits = (plain: Uint8Array): boolean => {
      try {
        return textOf(inflateImage(plain, { ...shape, encrypted: false })).includes("key0");
      } catch (error) {
        if (error instanceof FormatError) return false;
        throw error;
      }
    };
    assert.equal(detectRotnKeyIds(bytes, combinedHeaderSize, fits), [KEY_ID], name);
  }
  const { bytes, shape } = withKeys[0]!;
  assert.is(detectRotnKeyIds(bytes, shape.combinedHeaderSize, () => true).length, 26);
});

test("the example of the format description", () => {
  const output = `${"43".repeat(4)} ${"49".repeat(16)} 0500 38 00 8c c024 8f 81 80 ce21 e4887e18fe`;
  const block = bytesOf(`${"00".repeat(44)} 55000000 ${output}`);
  assert.is(block.length, 85);
  const plain = decryptBlock(block, 44, { encryptor: rotnEncryptor(KEY_ID) });
  assert.is(textOf(plain.subarray(44)), textOf(bytesOf("0500 38 00 8c c024 8f 81 80 ce21 e4887e18fe")));
  assert.is(plain.length, 61);
});

test("each alphabet turns within itself, for every key id, there and back", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (let keyId = 0; keyId < 26; keyId++) {
    const { encrypt, decrypt } = rotnEncryptor(keyId);
    const output = encrypt(all, {});
    assert.is(output.length, 276);
    assert.equal(decrypt(output, {}), all);
  }
  const output = rotnEncryptor(13).encrypt(bytesOf("41 4d 4e 5a 61 6d 6e 7a 40 5b 60 7b 30 c1"), {});
  assert.equal(output.subarray(20), bytesOf("4e 5a 41 4d 6e 7a 61 6d 40 5b 60 7b 30 c1"));
});

test("lengths and envelopes that lie, each with its own code", () => {
  const encryptor = rotnEncryptor(KEY_ID);
  const { bytes, shape } = blocks[0]!;
  const { combinedHeaderSize: at } = shape;
  const withLength = (length: number) => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(at, length, true);
    return copy;
  };
  for (const length of [0, at, at + 3, bytes.length + 1, 2 ** 31, 2 ** 32 - 1]) {
    assert.is(
      codeOf(() => inflateImage(withLength(length), shape, { encryptor })),
      "encrypted-length",
      `${length}`,
    );
  }
  assert.is(
    codeOf(() => inflateImage(withLength(at + 4), shape, { encryptor })),
    "encryption-envelope",
  );
  assert.is(
    codeOf(() => inflateImage(bytes, shape)),
    "no-encryptor",
  );
  assert.is(
    codeOf(() => inflateImage(bytes.subarray(0, at + 2), { ...shape, memSize: at }, { encryptor })),
    "encrypted-length",
  );
  for (let i = at + 4; i < at + 24; i++) {
    const flipped = bytes.slice();
    flipped[i]! ^= 1;
    assert.is(
      codeOf(() => inflateImage(flipped, shape, { encryptor })),
      "encryption-envelope",
    );
  }
});

test("damaged blocks: an image of the right length or a FormatError", () => {
  const encryptor = rotnEncryptor(KEY_ID);
  const property = fc.property(
    fc.constantFrom(...blocks),
    fc.array(fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 255 })), { maxLength: 5 }),
    fc.nat({ max: 6000 }),
    ({ bytes, shape }, edits, cut) => {
      const copy = bytes.slice(0, Math.max(cut, 1));
      for (const [at, value] of edits) copy[at % copy.length] = value;
      try {
        assert.is(inflateImage(copy, shape, { encryptor }).length, shape.memSize);
      } catch (error) {
        assert.instance(error, FormatError);
      }
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("an encryptor of somebody else, told where the block was found", () => {
  const seen: unknown[] = [];
  const xor: Encryptor = {
    name: "xor",
    decrypt(output, context) {
      seen.push(context);
      return output.map((byte) => byte ^ 0x5a);
    },
    encrypt: (plain) => plain.map((byte) => byte ^ 0x5a),
  };
  registerEncryptor(xor);
  const encryptor = encryptorByName("xor")!;
  const { bytes, shape } = blocks.find((block) => !block.shape.compressed)!;
  const block = bytes.slice();
  const context = { tableId: 9n, pageId: 101n, lsn: 7n };
  const image = inflateImage(block, { ...shape, memSize: shape.memSize + 20 }, { encryptor, context });
  assert.equal(
    image.subarray(shape.combinedHeaderSize),
    bytes.subarray(shape.combinedHeaderSize + 4).map((byte) => byte ^ 0x5a),
  );
  assert.equal(seen, [context]);
});

test.run();
