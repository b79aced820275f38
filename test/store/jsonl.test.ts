import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MemoryAccess } from "../../src/store/file.js";
import { JsonlPageLog, openJsonlExport } from "../../src/store/jsonl.js";
import type { PageLog } from "../../src/store/types.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("exports of page logs");
const EXPORT = corpusPath("palm", "a_small", "export");
const lines = readFileSync(corpusPath("palm", "a_small", "export", "pages.jsonl"), "utf8")
  .trimEnd()
  .split("\n");
const logOf = (text: readonly string[]): JsonlPageLog =>
  new JsonlPageLog("pages.jsonl", new MemoryAccess("pages.jsonl", Buffer.from(text.join("\n"))));

function summary(log: PageLog): string[] {
  const found: string[] = [];
  for (const { tableId, pageId, lsn, data } of log.records())
    found.push(`${tableId} ${pageId} ${lsn} ${Buffer.from(data).toString("hex")}`);
  return found;
}

test("the pages alone are the same records, without checkpoints and counters", () => {
  const [whole, alone] = [
    openJsonlExport(EXPORT),
    openJsonlExport(corpusPath("palm", "a_small", "export", "pages.jsonl")),
  ];
  assert.equal(summary(alone), summary(whole));
  assert.is(whole.checkpoints().length, 7);
  assert.equal(alone.checkpoints(), []);
  assert.equal(alone.globals, {});
});

test("records come in order whatever the order of the lines", () => {
  const shuffled = [...lines].sort((a, b) => (a.length % 97) - (b.length % 97));
  assert.equal(summary(logOf(shuffled)), summary(logOf(lines)));
  const log = logOf(shuffled);
  for (const line of lines.slice(0, 40)) {
    const { table_id, page_id, lsn } = JSON.parse(line) as { table_id: number; page_id: number; lsn: number };
    const chain = log.chain(BigInt(table_id), BigInt(page_id), BigInt(lsn));
    assert.not(chain[0]?.isDelta);
    assert.is(chain.at(-1)?.lsn, BigInt(lsn));
  }
});

test("numbers above 2^53 are exact", () => {
  const [first] = lines as [string];
  const log = logOf([
    first
      .replace('"lsn": 19', '"lsn": 18446744073709551614')
      .replace('"base_lsn": 0', '"base_lsn": 7594297955163570183'),
  ]);
  const [record] = [...log.records()];
  assert.equal([record?.lsn, record?.baseLsn], [18446744073709551614n, 7594297955163570183n]);
});

test("damaged lines are named and passed over; damaged fields are on their record", () => {
  const [one, two, three, four, five] = lines as [string, string, string, string, string];
  const log = logOf([
    one.slice(0, -5),
    "",
    two.replace('"table_id": 1', '"table_id": -1'),
    three.replace(/"size": \d+/, '"size": 1'),
    four.replace('"data_hex": "2', '"data_hex": "x'),
    five.replace('"is_delta": 0', '"is_delta": 1').replace('"pad": [0, 0]', '"pad": [0, 9]'),
    "[1]",
  ]);
  assert.equal(
    [...log.records()].map(({ issues }) => issues.map(({ code, path }) => `${code} ${path}`)),
    [["jsonl-field size"], ["jsonl-field data_hex"], ["delta-flag is_delta", "reserved pad"]],
  );
  assert.equal(
    log.issues.map(({ code, place, path }) => `${code} ${place.line} ${path}`),
    ["jsonl-line 1 ", "jsonl-field 3 table_id", "jsonl-line 7 "],
  );
});

test("flags are 32 bits; those without a meaning are told as PALM tells them", () => {
  const [one] = lines as [string];
  const told = [4294967298, 4294967296, 258, 10, 34, 2, 0].map((flags) => {
    const mark = (flags & 2) === 0 ? 0 : 1;
    const line = one
      .replace('"is_delta": 0', `"is_delta": ${mark}`)
      .replace('"flags": 0', `"flags": ${flags}`);
    const [record] = [...logOf([line]).records()];
    return record?.issues.map(({ severity, path, message }) => `${severity} ${path} ${message}`);
  });
  assert.equal(told, [
    ["error flags flags: not a 32-bit number"],
    ["error flags flags: not a 32-bit number"],
    ["info flags bits without a meaning: 0x100"],
    [],
    ["info flags bits without a meaning: 0x20"],
    [],
    [],
  ]);
});

/** The lines of a file of the export, with one of them changed. */
function changed(name: string, at: number, from: string | RegExp, to: string): MemoryAccess {
  const text = readFileSync(corpusPath("palm", "a_small", "export", name), "utf8")
    .trimEnd()
    .split("\n");
  const line = (text[at] as string).replace(from, to);
  assert.is.not(line, text[at], `${from} is there`);
  return new MemoryAccess(
    name,
    Buffer.from(text.map((old, index) => (index === at ? line : old)).join("\n")),
  );
}
const problemsOf = (checkpoints?: MemoryAccess, globals?: MemoryAccess): string[] => {
  const pages = new MemoryAccess("pages.jsonl", Buffer.from(lines[0] as string));
  const log = new JsonlPageLog("export", pages, checkpoints, globals);
  log.checkpoints();
  return log.issues.map(({ place, message }) => `${place.line} ${message}`);
};

test("what lines say twice is compared", () => {
  const checkpoints: Array<[string | RegExp, string, string[]]> = [
    ["metadata_lsn=39", "metadata_lsn=38", ["2 metadata: another text than metadata_hex"]],
    ['"metadata": "id=2,metadata_lsn=39"', '"metadata": 7', ["2 metadata: not a text"]],
    ['"lsn": 40', '"lsn": 41', ["2 key_hex: it holds 40, and lsn is 41"]],
    ['"checkpoint_id": 2', '"checkpoint_id": 3', ["2 key_hex: it holds 2, and checkpoint_id is 3"]],
    ['"timestamp": 0', '"timestamp": 1', ["2 key_hex: it holds 0, and timestamp is 1"]],
    ['"timestamp": 0', '"timestamp": "x"', ["2 timestamp: missing, or not a 64-bit number"]],
    [/"key_hex": ".*"/, '"key_hex": "00"', ["2 key_hex: no key of a checkpoint"]],
    [/"key_hex": ".*"/, '"key_hex": "q"', ["2 key_hex: no hex digit at character 0"]],
    [/, "key_hex": ".*"/, "", []],
  ];
  for (const [from, to, expected] of checkpoints)
    assert.equal(problemsOf(changed("checkpoints.jsonl", 1, from, to)), expected, to);
  const globals: Array<[string | RegExp, string, string[]]> = [
    ['"value": 7', '"value": 6', ["2 value_hex: it holds 7, and value is 6"]],
    ['"key": 1, ', "", ["2 key: missing, or not a 64-bit number"]],
    [
      "CHECKPOINT_COMPLETED",
      "REVISION",
      ["2 name: not the name of counter 1, which is CHECKPOINT_COMPLETED"],
    ],
    [/^.*$/, '{"key": 0, "value": 168}', ["2 key: counter 0 was given before"]],
    ['"key_hex": "01', '"key_hex": "02', ["2 key_hex: it holds 2, and key is 1"]],
    ['"value_hex": "07', '"value_hex": "0', ["2 value_hex: an odd number of hex digits (15)"]],
  ];
  for (const [from, to, expected] of globals)
    assert.equal(problemsOf(undefined, changed("globals.jsonl", 1, from, to)), expected, to);
  const [record] = [...logOf([(lines[0] as string).replace('"pad": [0, 0]', '"pad": "q"')]).records()];
  assert.equal(
    record?.issues.map(({ message }) => message),
    ["pad: not a list of numbers"],
  );
});

test("a checkpoint's long text alone is its metadata", () => {
  const text = `metadata_lsn=5,${"x".repeat(100)}`;
  const file = new MemoryAccess("checkpoints.jsonl", Buffer.from(`{"lsn": 6, "metadata": "${text}"}`));
  const log = new JsonlPageLog("export", new MemoryAccess("pages.jsonl", Buffer.from("")), file);
  assert.equal(
    log.checkpoints().map(({ metadata }) => Buffer.from(metadata).toString()),
    [text],
  );
  assert.equal(log.issues, []);
});

test.run();
