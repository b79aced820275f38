import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type AddressCookie, addressCookie, checkpointCookie } from "../../formats/index.js";
import { bytesToHex, FormatError, hexToBytes } from "../../src/codec/index.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("address cookies of page logs");

type Row = Record<string, string | number>;
const vectors = JSON.parse(readFileSync(corpusPath("vectors", "cookies.json"), "utf8")) as Record<
  string,
  Row[]
>;
const rows = (key: string): Row[] => {
  const found = vectors[key] as Row[];
  assert.ok(found.length > 0, `${key} has rows`);
  return found;
};

function versioned(row: Row): AddressCookie {
  return {
    generation: "D",
    version: Number(row.version),
    minVersion: Number(row.min_version),
    pageId: BigInt(row.page_id as string),
    flags: Number(row.flags),
    lsn: BigInt(row.lsn as string),
    baseLsn: BigInt(row.base_lsn as string),
    size: Number(row.size),
    checksum: Number(row.checksum),
  };
}

for (const key of ["disagg_v0", "disagg_v0_synthetic"]) {
  test(`${key}: both directions, and through JSON`, () => {
    for (const row of rows(key)) {
      const hex = String(row.hex);
      const value = addressCookie.parse(hexToBytes(hex));
      assert.equal(value, versioned(row), hex);
      assert.is(bytesToHex(addressCookie.build(versioned(row))), hex);
      const json = JSON.parse(JSON.stringify(addressCookie.toJson(value)));
      assert.is(json.lsn, row.lsn);
      assert.is(json.baseLsn, row.base_lsn);
      assert.is(json.pageId, row.page_id);
      assert.is(json.size, row.size);
      assert.is(bytesToHex(addressCookie.build(addressCookie.fromJson(json))), hex);
    }
  });
}

test("generation B: both directions, also as checkpoint cookie", () => {
  for (const row of rows("disagg_b")) {
    const expected: AddressCookie = {
      generation: "B",
      pageId: BigInt(row.page_id as string),
      lsn: BigInt(row.lsn as string),
      checkpointId: BigInt(row.checkpoint_id as string),
      reconciliationId: Number(row.reconciliation_id),
      size: Number(row.size),
      checksum: Number(row.checksum),
    };
    const bytes = hexToBytes(String(row.hex));
    assert.equal(addressCookie.parse(bytes), expected);
    assert.equal(checkpointCookie.parse(bytes), expected);
    assert.is(bytesToHex(addressCookie.build(expected)), row.hex);
  }
});

test("generation A has five varints", () => {
  const value: AddressCookie = {
    generation: "A",
    pageId: 101n,
    checkpointId: 2n,
    reconciliationId: 0,
    size: 61,
    checksum: 0x5bac3602,
  };
  const bytes = addressCookie.build(value);
  assert.is(bytesToHex(bytes), "c0258280bde45bac15c2");
  assert.equal(addressCookie.parse(bytes), value);
});

test("an absent address of A and B is all zeros", () => {
  assert.is(addressCookie.parse(hexToBytes("8080808080")).generation, "A");
  assert.is(addressCookie.parse(hexToBytes("808080808080")).generation, "B");
  assert.is(codeOf("818080808080"), "absent-address");
  assert.is(codeOf("8081808081c040"), "absent-address", "a size without a page");
});

test("C, D and D' are told apart by what is known of the page", () => {
  const hex = "00c02481c029c028c0005479ba6c"; // lsn 105; 104 is a base LSN (C) or a distance (D)
  const bytes = hexToBytes(hex);
  const read = (params: Record<string, number>): [string | undefined, readonly string[] | undefined] => {
    const { generation, fits } = addressCookie.read(bytes, { params });
    return [generation, fits];
  };
  assert.equal(read({}), ["D", ["D", "D'", "C"]]);
  assert.equal(read({ baseLsn: 104 }), ["C", ["C", "D", "D'"]]);
  assert.is(read({ baseLsn: 1 })[0], "D");
  assert.is(read({ newestLength: 44, chainLength: 64 })[0], "D'");
  assert.is(read({ newestLength: 64, chainLength: 150 })[0], "D");
  assert.is(read({ baseLsn: 7 })[0], "D", "what fits nothing decides nothing");
});

test("a full image in C has base LSN 0, which D would read as its own LSN", () => {
  const value: AddressCookie = {
    generation: "C",
    version: 0,
    minVersion: 0,
    pageId: 101n,
    flags: 0,
    lsn: 4n,
    baseLsn: 0n,
    size: 61,
    checksum: 1,
  };
  const bytes = addressCookie.build(value);
  assert.is(bytesToHex(bytes), "00c025808480bd01000000");
  assert.equal(addressCookie.parse(bytes), value);
});

function codeOf(hex: string): string {
  const reading = addressCookie.read(hexToBytes(hex));
  const issue = reading.issues.find(({ severity }) => severity === "error");
  assert.throws(
    () => addressCookie.parse(hexToBytes(hex)),
    (error: unknown) => error instanceof FormatError && error.code === issue?.code,
  );
  return String(issue?.code);
}

test("what is wrong has a code", () => {
  assert.is(codeOf("00 80 80 84 84 bd 3d981d30"), "value-range", "page id 0");
  assert.is(codeOf("00 c025 80 84 84 80 3d981d30"), "value-range", "size 0");
  assert.is(codeOf("00 c025 81 84 85 bd 3d981d30"), "difference-range", "distance above the LSN");
  assert.is(codeOf("00 c025 81 84 84 bd 3d981d30"), "base-lsn", "a delta without a base");
  assert.is(codeOf("10 c025 80 84 84 bd 3d981d30"), "unsupported-version");
  assert.is(codeOf("10 ff"), "unsupported-version", "whatever follows");
  assert.is(codeOf("00 c025 80 84 84 bd 3d981d30 00"), "trailing-bytes");
  assert.is(codeOf("00 c025 80 84 84 bd 3d981d"), "truncated");
  assert.is(codeOf("c026 a6 82 80 bd e45bac15c2 80"), "trailing-bytes");
  assert.is(codeOf(""), "truncated");
  assert.is(codeOf("08"), "truncated");
});

test("bytes of a newer version or of unknown flags are kept", () => {
  for (const hex of ["01c025808484bd3d981d30aabb", "00c025828484bd3d981d30c000"]) {
    const value = addressCookie.parse(hexToBytes(hex));
    assert.ok("extension" in value && value.extension?.length === 2, hex);
    assert.is(bytesToHex(addressCookie.build(value)), hex);
  }
});

test("every bit flip and every truncation gives a value or an issue", () => {
  const seeds = [...rows("disagg_v0"), ...rows("disagg_b"), ...rows("disagg_v0_synthetic")];
  for (const { hex } of seeds) {
    const good = hexToBytes(String(hex));
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      const reading = addressCookie.read(bad);
      if (reading.ok && reading.issues.length === 0) assert.equal(addressCookie.build(reading.value), bad);
      addressCookie.annotate(bad);
    }
    for (let length = 0; length < good.length; length++)
      assert.ok(
        addressCookie.validate(good.subarray(0, length)).some(({ severity }) => severity === "error"),
        `${hex} cut to ${length}`,
      );
  }
});

test.run();
