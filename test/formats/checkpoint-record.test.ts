import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkpointRecord } from "../../formats/checkpoint-record.js";
import { bytesToHex, encodeText, FormatError } from "../../src/codec/index.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("formats: checkpoint-record");

interface Row {
  readonly text: string;
  readonly expect: Record<string, unknown> & string;
}
const rows: { valid: Row[]; invalid: Row[] } = vectors("checkpoint_meta.json");
const generations: Record<string, string> = {
  "metadata_lsn=123,metadata_checksum=c0ffee12": "R2",
  "metadata_lsn=123,metadata_checksum=0xc0ffee12": "R2",
  "metadata_lsn=4294967296,metadata_checksum=1a2b,database_size=4096,version=2,compatible_version=1": "R3",
  "metadata_lsn=5": "R0",
  "id=71,metadata_lsn=567": "R1",
};

test("the vectors are all here", () => {
  assert.is(rows.valid.length, 5);
  assert.is(rows.invalid.length, 2);
});

for (const { text, expect } of rows.valid) {
  test(`valid: ${text}`, () => {
    const value = checkpointRecord.parse(encodeText(text));
    assert.is(value.generation, generations[text]);
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the format.
    const json: any = checkpointRecord.toJson(value);
    const { metadataChecksum: checksum } = json;
    const shown: Record<string, unknown> = {
      id: json.id,
      metadata_lsn: json.metadataLsn,
      metadata_checksum: checksum === undefined ? undefined : `0x${checksum.toString(16).padStart(8, "0")}`,
      database_size: json.databaseSize,
      version: json.version,
      compatible_version: json.compatibleVersion,
    };
    for (const [key, wanted] of Object.entries(expect)) assert.is(shown[key], wanted, key);
    agreesFourWays(checkpointRecord, bytesToHex(encodeText(text)), value);
    const hasPrefix = text.includes("=0x");
    assert.is(json.text, hasPrefix ? text : undefined);
    if (!hasPrefix) agreesFourWays(checkpointRecord, bytesToHex(encodeText(text)), structuredClone(value));
  });
}

const failure = (text: string, params: Record<string, number> = {}): FormatError => {
  try {
    checkpointRecord.parse(encodeText(text), { params });
  } catch (error) {
    assert.instance(error, FormatError, String(error));
    return error as FormatError;
  }
  return assert.unreachable(`accepted: ${text}`) as never;
};

test("invalid and unsupported are told apart", () => {
  const codes = rows.invalid.map(({ text }) => failure(text).code);
  assert.equal(codes, ["version-order", "unsupported-version"]);
  const base = "metadata_lsn=1,metadata_checksum=1,version=2,compatible_version=2";
  assert.is(checkpointRecord.parse(encodeText(base)).compatibleVersion, 2);
  assert.is(failure(base, { readerVersion: 1 }).code, "unsupported-version");
});

test("more rules", () => {
  assert.is(checkpointRecord.parse(encodeText("id=7")).id, 7n);
  const rejected: ReadonlyArray<readonly [string, string, string]> = [
    ["", "missing-key", "metadata_lsn"],
    ["metadata_checksum=1", "missing-key", "metadata_lsn"],
    ["metadata_lsn=x", "config-number", "metadata_lsn"],
    ["metadata_lsn=18446744073709551616", "config-number-range", "metadata_lsn"],
    ["metadata_lsn=1,metadata_checksum=100000000", "config-number-range", "metadata_checksum"],
    ["metadata_lsn=1,version=2147483648", "value-range", "version"],
    ["metadata_lsn=1)", "config-syntax", ""],
  ];
  for (const [text, code, path] of rejected) {
    const error = failure(text);
    assert.equal([error.code, error.path], [code, path], text);
  }
  const { other } = checkpointRecord.parse(encodeText("metadata_lsn=1,metadata_checksum=2,new=(a,b)"));
  assert.equal(other, ["new=(a,b)"]);
});

test("every bit flip and truncation is read or refused, never worse", () => {
  for (const { text } of rows.valid) {
    eachBitFlip(encodeText(text), (damaged) => detects(checkpointRecord, damaged));
    eachTruncation(encodeText(text), (shorter) => detects(checkpointRecord, shorter));
  }
});

test.run();
