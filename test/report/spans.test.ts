import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as codec from "../../src/codec/index.js";
import { hexdumpText, plainHexdump, spanJson, terminalPalette, treeText } from "../../src/report/index.js";

const test = suite("trees and hexdumps");

const sample = codec.format(
  { name: "sample", title: "a sample", source: "none" },
  codec.struct({
    magic: codec.u32le({ constant: 0x68637477, hex: true, doc: "always the same" }),
    kind: codec.u8({ symbols: { base: [7, "full image"], delta: 8 } }),
    flags: codec.u8({ flags: { compressed: [1, "is compressed"], level: 6 } }),
    low: codec.nibble(),
    high: codec.nibble(),
    checksum: codec.crc32cField(),
    lsn: codec.packed(),
    baseLsn: codec.packed({ differenceFrom: "lsn" }),
    list: codec.array(codec.u32le(), { count: 5 }),
    key: codec.bytes(4),
    name: codec.text("nul"),
    blob: codec.bytes(undefined, { secret: true }),
  }),
);
const value = {
  ...{ magic: 0x68637477, kind: 7, flags: 5, low: 1, high: 2, lsn: 9n, baseLsn: 4n, list: [1, 2, 3, 4, 5] },
  ...{ key: Uint8Array.of(0x6b, 0x65, 0x79, 0x31), name: "a\u001bb", blob: new Uint8Array(64).fill(0x5a) },
};
const bytes = sample.build(value as never);

test("tree: raw value, symbol, description, remarks; key material stays hidden", () => {
  assert.is(
    treeText(sample.annotate(bytes), bytes, { limit: 3 }),
    [
      "offset       size  field",
      "00000000      105  sample",
      "00000000        4    magic: 0x68637477 — always the same",
      "00000004        1    kind: 7 base — full image",
      "00000005        1    flags: 5 compressed|level",
      "            bit 0      compressed: 1 — is compressed",
      "         bits 1-2      level: 2",
      "00000006        ½    low: 1",
      "00000006½       ½    high: 2",
      `00000007        4    checksum: 0x${hexLe(bytes.subarray(7, 11))} (valid)`,
      "0000000b        1    lsn: 9",
      "0000000c        1    baseLsn: 4 (derived)",
      "0000000d       20    list: 5 elements",
      "0000000d        4      [0]: 1",
      "00000011        4      [1]: 2",
      "00000015        4      [2]: 3",
      "                       … 2 more",
      '00000021        4    key: 6b657931 "key1"',
      '00000025        4    name: "a\\x1bb"',
      `00000029       64    blob: (secret, 64 bytes, ${codec.secretSummary(value.blob).fingerprint})`,
      "",
    ].join("\n"),
  );
});

const hexLe = (field: Uint8Array): string => codec.bytesToHex(field.slice().reverse());

test("tree: a damaged checksum and a wrong magic say so where they are", () => {
  const damaged = bytes.slice();
  damaged[0] = 0x78;
  const text = treeText(sample.annotate(damaged), damaged);
  assert.match(text, /checksum: 0x[0-9a-f]{8} \(invalid\)\n +! error checksum: checksum is 0x/);
  assert.match(text, /magic: 0x68637478.*\n +! error constant: not the only valid value/);
});

test("tree: input cut short shows what there is, a gap, and an unchecked checksum", () => {
  const cut = bytes.slice(0, 16);
  const text = treeText(sample.annotate(cut), cut);
  assert.match(text, /checksum: 0x[0-9a-f]{8} \(unchecked\)/);
  assert.match(text, /list: 1 element$/m);
  assert.match(text, /^0000000d +3 +\(gap\): 3 bytes — not understood$/m);
  assert.match(text, /! error truncated/);
});

test("hexdump: each field beside its bytes, secrets masked", () => {
  const lines = hexdumpText(sample.annotate(bytes), bytes).split("\n");
  assert.is(
    lines[0],
    "00000000  77 74 63 68                                      wtch              magic = 0x68637477",
  );
  assert.is(
    lines[1],
    "00000000              07                                       .             kind = 7 base",
  );
  assert.is(
    lines[4],
    "00000000                    21                                   !           high = 2",
  );
  assert.ok(lines.some((line) => /^00000020 {2} {3}6b 65 79 31 .* key1 .* key = 4 bytes$/.test(line)));
  const text = lines.join("\n");
  assert.not.ok(text.includes("5a 5a"));
  assert.not.ok(text.includes("ZZ"));
  assert.ok(text.includes("·· ··"));
  assert.match(text, /… \d+ more bytes/);
  assert.not.ok(text.includes("\u001b"));
});

test("hexdump: a long list is cut with a line that says so", () => {
  const dump = hexdumpText(sample.annotate(bytes), bytes, { limit: 3 });
  assert.match(dump, /list\[2\] = 3\n {10}… 2 more elements of list\n/);
  assert.not.ok(dump.includes("list[3]"));
  assert.ok(hexdumpText(sample.annotate(bytes), bytes, { limit: 0 }).includes("list[4]"));
});

test("hexdump: all bytes of all fields are there once", () => {
  const shown = hexdumpText(sample.annotate(bytes), bytes, { rows: 0 });
  const digits = shown
    .split("\n")
    .filter((line) => line !== "" && !line.includes("high ="))
    .map((line) => line.slice(10, 10 + 47).replaceAll(" ", ""))
    .join("");
  assert.is(digits.length, 2 * bytes.length);
  assert.is(digits.slice(0, 2 * 41), codec.bytesToHex(bytes.subarray(0, 41)));
});

test("offsets from 4 GiB on", () => {
  const base = 2 ** 41 + 3;
  const root = sample.annotate(bytes, { base });
  const dump = hexdumpText(root, bytes, { base });
  assert.match(dump, /^020000000000 {2} {9}77 74 63 68/);
  assert.match(treeText(root, bytes, { base }), /^020000000003 {6}105 {2}sample$/m);
  const blank = " ".repeat(9);
  assert.is(
    plainHexdump(Uint8Array.of(0x41, 0x7f), base),
    `020000000000  ${blank}41 7f${" ".repeat(33)}     A.\n`,
  );
});

test("plain hexdump shows every byte value at its column", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const lines = plainHexdump(all).trimEnd().split("\n");
  assert.is(lines.length, 16);
  assert.is(lines[4], "00000040  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO");
  assert.is(lines[15], `000000f0  f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe ff  ${".".repeat(16)}`);
  const large = plainHexdump(new Uint8Array(10_000).fill(0x71), 4090);
  assert.is(large.match(/ 71/g)?.length, 10_000);
});

test("user data is hidden on request", () => {
  const root = sample.annotate(bytes);
  const hide = ({ name }: { name: string }): boolean => name === "key";
  const options = { hide };
  assert.match(treeText(root, bytes, options), /key: \(hidden, 4 bytes\)/);
  assert.not.ok(hexdumpText(root, bytes, options).includes("key1"));
  const json = JSON.stringify(spanJson(root, bytes, options));
  assert.not.ok(json.includes("6b657931"));
  assert.ok(json.includes('"hidden":{"length":4}'));
});

test("JSON tree: values, ranges, bits; fingerprints in place of keys", () => {
  const json = spanJson(sample.annotate(bytes), bytes) as { children: Array<Record<string, unknown>> };
  const field = (name: string): Record<string, unknown> =>
    json.children.find((child) => child.name === name) as Record<string, unknown>;
  assert.is(field("lsn").value, "9");
  assert.is(field("key").value, "6b657931");
  assert.is(field("baseLsn").derived, true);
  assert.is(field("checksum").checksum, "valid");
  assert.equal((field("flags").children as Array<{ bits: unknown }>)[1]?.bits, { from: 1, to: 3 });
  assert.equal(field("blob").secret, codec.secretSummary(value.blob));
  assert.not.ok(JSON.stringify(json).includes("5a5a5a5a"));
});

test("colours leave the text as it is", () => {
  const root = sample.annotate(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
  const bare = (text: string): string => text.replace(/\u001b\[\d+m/g, "").replace(/ +$/gm, "");
  assert.is(bare(treeText(root, bytes, { palette: terminalPalette })), treeText(root, bytes));
  assert.is(bare(hexdumpText(root, bytes, { palette: terminalPalette })), hexdumpText(root, bytes));
});

test.run();
