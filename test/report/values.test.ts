import { suite } from "uvu";
import * as assert from "uvu/assert";
import { byteCount, grouped, plainValue, visible } from "../../src/report/index.js";
import { jsonLine } from "../../src/report/json.js";
import { offsetText } from "../../src/report/numbers.js";
import { messageText } from "../../src/report/place.js";

const test = suite("values as text");

test("numbers", () => {
  assert.is(grouped(1234567), "1,234,567");
  assert.is(grouped(123n), "123");
  assert.is(byteCount(0), "0 bytes");
  assert.is(byteCount(1), "1 byte");
  assert.is(byteCount(999), "999 bytes");
  assert.is(byteCount(1000), "0.98 KB");
  assert.is(byteCount(64 * 1024 * 1024), "64.0 MB");
  assert.is(byteCount(1023 * 1024), "1.00 MB");
  assert.is(byteCount(2 ** 53), "8.00 PB");
  assert.is(offsetText(9), "9");
  assert.is(offsetText(2 ** 40), "1099511627776 (0x10000000000)");
});

test("text cannot steer a terminal", () => {
  assert.is(
    visible("a\u001b[31m\r\n\u0000\u009b\u202e\ufeffé😀"),
    "a\\x1b[31m\\x0d\\n\\x00\\x9b\\u202e\\ufeffé😀",
  );
  assert.is(visible("\udc80\udcff\ud800"), "\\x80\\xff\\ud800");
  assert.is(jsonLine("\u009b\u202e\u007f"), '"\\u009b\\u202e\\u007f"');
  assert.is(JSON.parse(jsonLine("\u009b\u202e\u007f\udc80")), "\u009b\u202e\u007f\udc80");
});

test("values for JSON", () => {
  const value = {
    a: 1n,
    b: Uint8Array.of(0, 255),
    c: undefined,
    d: [2n, { e: null }],
    f: new Map([["g", 3n]]),
  };
  assert.equal(plainValue(value), { a: "1", b: "00ff", d: ["2", { e: null }], f: [["g", "3"]] });
  assert.equal(plainValue(new Set([1n])), ["1"]);
});

const said = (message: string, expected?: unknown, actual?: unknown): string =>
  messageText({ code: "c", severity: "error", path: "", message, ...{ expected, actual } });

test("expected and found are added unless the message has them", () => {
  assert.is(said("off"), "off");
  assert.is(said("off", 1, 2), "off (expected 1, found 2)");
  assert.is(said("15 is not 25", 5, 2), "15 is not 25 (expected 5, found 2)");
  assert.is(said("5 is not 0x00000010", 5, 16n), "5 is not 0x00000010");
  assert.is(said("1.5 there", 5), "1.5 there (expected 5)");
  assert.is(said("ends with 5.", 5), "ends with 5.");
  assert.is(said("bytes", Uint8Array.of(1, 2), { lsn: 3n }), 'bytes (expected 0102, found {"lsn":"3"})');
});

test.run();
