/** Fields read where they lie are those that the declared formats read. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type AddressCookie, addressCookie } from "../../formats/address-cookie.js";
import { AddressFields } from "../../formats/address-fields.js";
import { historyKey, historyValue } from "../../formats/history.js";
import { HistoryFields } from "../../formats/history-fields.js";
import { hexToBytes, seededRandom } from "../../src/codec/index.js";
import { corpusPath } from "../support/corpus.js";
import { eachBitFlip, eachTruncation } from "../support/damage.js";

const test = suite("fields where they lie");
const fields = new AddressFields();

const vectors = JSON.parse(readFileSync(corpusPath("vectors", "cookies.json"), "utf8")) as Record<
  string,
  Array<{ hex: string }>
>;
const cookies = ["disagg_v0", "disagg_v0_synthetic", "disagg_b"].flatMap((key) =>
  (vectors[key] as Array<{ hex: string }>).map(({ hex }) => hexToBytes(hex)),
);

function check(cookie: Uint8Array, value: AddressCookie): void {
  assert.is(fields.pageId, value.pageId);
  assert.is(fields.size, value.size);
  assert.is(fields.checksum, value.checksum);
  assert.is(fields.hasLsn, value.generation !== "A");
  if (value.generation !== "A") assert.is(fields.lsn, value.lsn);
  if ("checkpointId" in value) assert.is(fields.checkpointId, value.checkpointId);
  if (!("baseLsn" in value)) return;
  assert.is(fields.isDelta, (value.flags & 1) !== 0);
  const [absolute, relative] = [fields.base, fields.lsn - fields.base];
  assert.ok(absolute === value.baseLsn || relative === value.baseLsn, Buffer.from(cookie).toString("hex"));
}

test("addresses: every vector", () => {
  assert.ok(cookies.length > 10);
  for (const cookie of cookies) {
    assert.ok(fields.read(cookie), Buffer.from(cookie).toString("hex"));
    check(cookie, addressCookie.parse(cookie));
  }
});

test("addresses: generated ones, taken from values as well", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 500; i++) {
    const cookie = addressCookie.build(addressCookie.generate(random));
    const value = addressCookie.parse(cookie);
    if (fields.read(cookie)) check(cookie, value);
    else
      assert.ok(value.size === 0 || "extension" in value || ("flags" in value && value.flags > 1), String(i));
    assert.is(fields.take(value), value.pageId > 0n);
    if (value.pageId > 0n) check(cookie, value);
  }
});

test("addresses: damaged ones are left to the format, or read as it reads them", () => {
  const compare = (damaged: Uint8Array): void => {
    const reading = addressCookie.read(damaged);
    if (!fields.read(damaged)) return;
    assert.ok(reading.ok, Buffer.from(damaged).toString("hex"));
    if (reading.ok) check(damaged, reading.value);
  };
  for (const cookie of cookies.slice(0, 6)) {
    eachBitFlip(cookie, compare);
    eachTruncation(cookie, compare);
  }
});

test("history: keys and values, in order and not", () => {
  const history = new HistoryFields();
  const key = (startTimestamp: bigint): Uint8Array =>
    historyKey.build({ btreeId: 41, key: Uint8Array.of(1, 2, 3), startTimestamp, counter: 0n } as never);
  const value = (start: bigint, stop: bigint): Uint8Array =>
    historyValue.build({
      stopDurableTimestamp: stop,
      startDurableTimestamp: start,
      updateType: 3,
      data: Uint8Array.of(9),
    } as never);
  const inOrder = (keyStart: bigint, start: bigint, stop: bigint): boolean => {
    const [k, v] = [key(keyStart), value(start, stop)];
    assert.ok(history.readKey(k, 0, k.length) && history.readValue(v, 0, v.length));
    assert.is(history.btreeId, 41);
    return history.inOrder;
  };
  assert.ok(inOrder(10n, 10n, 20n));
  assert.ok(inOrder(10n, 70n, 10_000n));
  assert.ok(inOrder(10n, 10n, (1n << 64n) - 1n));
  assert.not(inOrder(10n, 10n, 9n));
  assert.not(inOrder(100n, 99n, 200n));
  const whole = key(5n);
  eachTruncation(whole, (shorter) => assert.not(history.readKey(shorter, 0, shorter.length)));
});

test.run();
