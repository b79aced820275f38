import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FormatError } from "../../src/codec/error.js";
import { decodeText, encodeText, hasEscapedBytes, textByteLength } from "../../src/codec/text.js";
import { processorMillis } from "../support/clock.js";

const test = suite("codec: text");
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Bytes on the edges of UTF-8, which random bytes rarely put together. */
const edgeBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "41",
        "c3a9",
        "e282ac",
        "f09f9085",
        "efbbbf",
        "eda080",
        "edb080",
        "edbfbf",
        "c080",
        "e08080",
        "f0808080",
        "f4908080",
        "f8",
        "ff",
        "80",
        "bf",
        "c3",
        "e282",
        "f09f90",
        "00",
      ),
      fc.uint8Array({ minLength: 1, maxLength: 3 }).map(hexOf),
    ),
    { maxLength: 12 },
  )
  .map((parts) => bytesOf(parts.join("")));

test("every byte sequence comes back", () => {
  fc.assert(
    fc.property(fc.oneof(edgeBytes, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const text = decodeText(bytes);
      assert.is(hexOf(encodeText(text)), hexOf(bytes));
      assert.is(textByteLength(text), bytes.length);
    }),
    { numRuns: 5000 },
  );
});

test("every pair and every lead byte with any second byte comes back", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const tail of [[], [0x80], [0x80, 0x80]]) {
        const bytes = Uint8Array.from([first, second, ...tail]);
        assert.is(hexOf(encodeText(decodeText(bytes))), hexOf(bytes));
      }
    }
  }
});

test("valid text decodes as UTF-8 and encodes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.is(decodeText(encodeText(text)), text);
      assert.is(hexOf(encodeText(text)), Buffer.from(text, "utf8").toString("hex"));
      assert.is(hasEscapedBytes(text), false);
    }),
  );
});

test("a byte order mark is kept", () => {
  assert.is(decodeText(bytesOf("efbbbf41")), "\ufeffA");
  assert.is(hexOf(encodeText("\ufeffA")), "efbbbf41");
});

test("each bad byte is one escape", () => {
  assert.is(decodeText(bytesOf("41ff42")), "A\udcffB");
  assert.is(decodeText(bytesOf("eda080")), "\udced\udca0\udc80");
  assert.is(decodeText(bytesOf("c0af")), "\udcc0\udcaf");
  assert.is(decodeText(bytesOf("f0808080")), "\udcf0\udc80\udc80\udc80");
  assert.is(decodeText(bytesOf("f4908080")), "\udcf4\udc90\udc80\udc80");
  assert.is(decodeText(bytesOf("e282")), "\udce2\udc82");
  assert.ok(hasEscapedBytes("A\udcffB"));
});

test("memory shared between threads can be decoded", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set([0x41, 0xff, 0x42]);
  assert.is(decodeText(shared), "A\udcffB");
});

test("surrogates that stand for no byte cannot be encoded", () => {
  for (const text of ["é\ud800", "é\udc7f", "é\udd00", "é\udcff\ud900"]) {
    try {
      encodeText(text);
      assert.unreachable(text);
    } catch (error) {
      assert.instance(error, FormatError);
      assert.is((error as FormatError).code, "text-surrogate");
      assert.is((error as FormatError).offset, text.length === 3 ? 3 : 2);
    }
  }
});

test("long damaged text takes linear time", () => {
  const bytes = new Uint8Array(1 << 20).map((_, at) => (at % 64 === 0 ? 0xff : 0x61));
  const start = processorMillis();
  assert.is(encodeText(decodeText(bytes)).length, bytes.length);
  assert.ok(processorMillis() - start < 2000);
});

test.run();
