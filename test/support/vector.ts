/** Rows of corpus/vectors, and the four ways each is tested. */
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { bytesToHex, type Format, hexToBytes } from "../../src/codec/index.js";
import { corpusPath } from "./corpus.js";

// biome-ignore lint/suspicious/noExplicitAny: each file has its own shape.
export const vectors = (name: string): any => JSON.parse(readFileSync(corpusPath("vectors", name), "utf8"));

/** Decode, encode, decode what was encoded, encode what was decoded; over values and over their JSON. */
export function agreesFourWays<T>(format: Format<T>, hex: string, value: T): void {
  const bytes = hexToBytes(hex);
  assert.equal(format.parse(bytes), value, `decode ${hex}`);
  assert.is(bytesToHex(format.build(value)), hex, `encode ${hex}`);
  assert.equal(format.parse(format.build(value)), value, `decode(encode) ${hex}`);
  assert.is(bytesToHex(format.build(format.parse(bytes))), hex, `encode(decode) ${hex}`);
  const json = JSON.parse(JSON.stringify(format.toJson(value, { secrets: "reveal" })));
  assert.is(bytesToHex(format.build(format.fromJson(json))), hex, `encode(JSON) ${hex}`);
}
