import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type CryptGeneration,
  type CryptPage,
  cryptPage,
  looksLikeCryptPage,
} from "../../formats/crypt-page.js";
import {
  bytesToHex,
  crc32cWithZeroedField,
  FormatError,
  hexToBytes,
  seededRandom,
} from "../../src/codec/index.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("crypt page");
const hello = new TextEncoder().encode("hello");
const { valid, invalid } = vectors("crypt_header.json");
const vector = (name: string): string => valid.find((row: { variant: string }) => row.variant === name).hex;
const codes = (page: Uint8Array, options?: object): string[] =>
  cryptPage.validate(page, options).map(({ code }) => code);
const build = (generation: CryptGeneration, fields: object): Uint8Array =>
  cryptPage.build({ generation, blob: hello, ...fields } as never);

test("valid vectors agree in both directions", () => {
  assert.is(valid.length, 4);
  for (const row of valid) {
    const value = cryptPage.parse(hexToBytes(row.hex)) as CryptPage;
    assert.is(value.generation, row.variant);
    assert.is(value.headerSize, row.header_size);
    assert.is(value.cryptSize, row.crypt_size);
    assert.is(value.checksum, Number(row.checksum));
    assert.equal(value.blob, new TextEncoder().encode(row.payload_text));
    assert.is(String("timestamp" in value ? value.timestamp : 0n), row.timestamp);
    agreesFourWays(cryptPage, row.hex, value);
  }
});

test("the vectors come from their fields alone: sizes, signature and checksum are computed", () => {
  assert.is(bytesToHex(build("K0", {})), vector("K0"));
  assert.is(bytesToHex(build("K1", { flags: 0 })), vector("K1"));
  assert.is(bytesToHex(build("K2", {})), vector("K2"));
  assert.is(bytesToHex(build("K3", { timestamp: 0x69e29c5400000001n })), vector("K3"));
});

test("invalid vectors are rejected", () => {
  const expected: Record<string, string> = { too_short: "crypt-too-short", bad_crc: "checksum" };
  assert.is(invalid.length, 2);
  for (const { name, hex } of invalid)
    assert.throws(() => cryptPage.parse(hexToBytes(hex)), failsWith(expected[name] as string), name);
});

test("both checksum ranges of the packed generations are tried", () => {
  for (const [generation, fields] of [
    ["K0", {}],
    ["K0-whole", {}],
    ["K1", { flags: 0 }],
    ["K1-blob", { flags: 0 }],
  ] as const) {
    const reading = cryptPage.read(build(generation, fields));
    assert.is(reading.generation, generation);
    assert.equal(reading.fits, [generation]);
    assert.equal(reading.issues, []);
  }
});

test("bytes behind the known header are kept and skipped", () => {
  const page = build("K3", { timestamp: 5n, extra: Uint8Array.of(1, 2, 3) });
  const value = cryptPage.parse(page);
  assert.is(value.headerSize, 27);
  assert.ok("extra" in value);
  assert.equal(value.extra, Uint8Array.of(1, 2, 3));
  assert.equal(value.blob, hello);
  assert.equal(cryptPage.build(value), page);
});

test("an empty blob is a page", () => {
  for (const generation of ["K0", "K2", "K3"] as const) {
    const page = build(generation, {
      blob: new Uint8Array(),
      ...(generation === "K3" ? { timestamp: 0n } : {}),
    });
    assert.is(cryptPage.parse(page).generation, generation);
  }
});

test("issues come in the order of the newest reader", () => {
  const fields = { timestamp: 1n, signature: 1, compatibleVersion: 3, cryptSize: 4, checksum: 9 };
  assert.equal(codes(build("K3", fields)), [
    "checksum",
    "crypt-size",
    "unsupported-version",
    "crypt-signature",
    "crypt-version",
  ]);
  assert.equal(codes(build("K3", { timestamp: 1n, headerSize: 90 })), ["crypt-header-size", "crypt-size"]);
  assert.equal(codes(build("K3", { timestamp: 1n, compatibleVersion: 2, version: 2 })), []);
  assert.equal(
    codes(build("K3", { timestamp: 1n, compatibleVersion: 2 }), { params: { readerVersion: 1 } }),
    ["unsupported-version"],
  );
  assert.equal(codes(build("K2", { unused: 3 })), ["reserved"]);
});

test("a header that claims more or less than there is, is an error with the right code", () => {
  for (const size of [0, 15, 23, 30, 255]) {
    const page = build("K3", { timestamp: 1n, headerSize: size });
    const reading = cryptPage.read(page, { generation: "K3" });
    assert.ok(reading.ok && reading.issues.some(({ code }) => code === "crypt-header-size"), String(size));
    assert.equal(cryptPage.build(reading.value), page);
  }
});

test("fewer bytes than a header are too short, with the place where they end", () => {
  const page = hexToBytes(vector("K3"));
  for (let length = 0; length < 16; length++) {
    const reading = cryptPage.read(page.subarray(0, length), { base: 100 });
    assert.ok(!reading.ok);
    assert.is(reading.error.code, "crypt-too-short");
    assert.is(reading.error.offset, 100 + length);
  }
  assert.equal(codes(hexToBytes(vector("K0")).subarray(0, 13)), ["crypt-too-short"]);
});

test("every flipped bit and every truncation of a checksummed page is detected", () => {
  for (const row of valid) {
    const page = hexToBytes(row.hex);
    const covered = row.checksum_range === "blob" ? 14 : 0;
    eachBitFlip(page, (damaged, at, bit) => {
      const found = detects(cryptPage, damaged);
      if (at >= covered) assert.ok(found, `${row.variant} byte ${at} bit ${bit}`);
    });
    eachTruncation(page, (shorter) =>
      assert.ok(detects(cryptPage, shorter), `${row.variant} ${shorter.length}`),
    );
  }
});

test("a long blob: every flipped bit is detected", () => {
  const page = build("K3", { timestamp: 7n, blob: seededRandom(5).bytes(1024) });
  eachBitFlip(page, (damaged, at, bit) => assert.ok(detects(cryptPage, damaged), `byte ${at} bit ${bit}`));
});

test("generations hold their own under 2,000 generated pages", () => {
  for (let seed = 0; seed < 2000; seed++) {
    const value = cryptPage.generate(seededRandom(seed));
    const page = cryptPage.build(value);
    const reading = cryptPage.read(page);
    assert.ok(reading.ok, `seed ${seed}`);
    assert.ok(reading.fits?.includes(value.generation), `seed ${seed}`);
    assert.equal(cryptPage.build(reading.value), page, `seed ${seed}`);
  }
});

test("the blob is nowhere in what is shown, whatever bit of the page is damaged", () => {
  const secret = Uint8Array.from({ length: 48 }, (_, i) => 0x90 + i);
  for (const [generation, fields] of [
    ["K3", { timestamp: 1n }],
    ["K2", {}],
    ["K1", { flags: 0 }],
    ["K0", {}],
  ] as const) {
    const page = build(generation, { ...fields, blob: secret });
    const quiet = (shown: Uint8Array, what: string) => {
      const { value, ...reading } = cryptPage.read(shown) as { value?: CryptPage };
      const json = value === undefined ? {} : cryptPage.toJson(value);
      const leaked = leakIn([reading, json, cryptPage.annotate(shown)]);
      assert.is(leaked, undefined, `${generation} ${what}: ${leaked}`);
    };
    quiet(page, "sound");
    eachBitFlip(page, (damaged, at, bit) => quiet(damaged, `byte ${at} bit ${bit}`));
    eachTruncation(page, (shorter) => quiet(shorter, `${shorter.length} bytes`));
  }
});

/** What holds three neighbouring bytes of the ascending secret, as hex or as part of a number. */
function leakIn(shown: unknown): string | undefined {
  let leak: string | undefined;
  const isSecret = (hex: string): boolean => {
    const bytes = hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    return bytes.some(
      (byte, i) => byte >= 0x90 && byte < 0xc0 && bytes[i + 1] === byte + 1 && bytes[i + 2] === byte + 2,
    );
  };
  JSON.stringify(shown, (key, item) => {
    if (key === "checksum" || key === "checksumValid") return item;
    if (item instanceof Uint8Array && isSecret(bytesToHex(item))) leak = `${key}: bytes`;
    if (typeof item === "bigint" && isSecret(item.toString(16).padStart(16, "0"))) leak = `${key}: ${item}`;
    if (typeof item === "number" && item > 0xff && isSecret(item.toString(16).padStart(8, "0")))
      leak = `${key}: ${item}`;
    if (typeof item === "string" && /^[0-9a-f]{4,}$/.test(item) && isSecret(item)) leak = `${key}: ${item}`;
    if (typeof item === "bigint") return String(item);
    return item instanceof Uint8Array ? bytesToHex(item) : item;
  });
  return leak;
}

test("a fingerprint is not enough to write a page", () => {
  const json = cryptPage.toJson(cryptPage.parse(hexToBytes(vector("K3")))) as {
    blob: { fingerprint: string };
  };
  assert.equal(Object.keys(json.blob), ["length", "fingerprint"]);
  assert.match(json.blob.fingerprint, /^sha256:[0-9a-f]{16}$/);
  assert.throws(() => cryptPage.fromJson(json), failsWith("value-type"));
});

test("key pages are told from turtle pages by their signature", () => {
  assert.ok(looksLikeCryptPage(hexToBytes(vector("K0"))));
  assert.not(looksLikeCryptPage(new TextEncoder().encode("checkpoint=()")));
  assert.not(looksLikeCryptPage(Uint8Array.of(0x77, 0x74)));
});

test("the checksum is over the whole item with its own field zero", () => {
  const page = hexToBytes(vector("K3"));
  assert.is(cryptPage.parse(page).checksum, crc32cWithZeroedField(page, 0, page.length, 12));
});

const failsWith = (code: string) => (error: unknown) => error instanceof FormatError && error.code === code;

test.run();
