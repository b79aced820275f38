/** Older versions out of a history store: also what the corpus has none of, lists of changes. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  HISTORY_KEY_FORMAT,
  HISTORY_VALUE_FORMAT,
  modifyList,
  modifyListOf,
  updateTypes,
} from "../../formats/history.js";
import { packStruct } from "../../formats/packed-struct.js";
import { decodeText, encodeText } from "../../src/codec/index.js";
import { TableHistory } from "../../src/tree/history.js";
import { fakeSource, internalPage, leafPage } from "../support/fake-tree.js";

const BTREE = 41;

interface Version {
  readonly key: string;
  readonly start: number;
  readonly counter?: number;
  readonly value: Uint8Array;
  readonly type?: number;
}

const change = (offset: number, size: number, data: string): Uint8Array =>
  modifyList.build(modifyListOf([{ data: encodeText(data), offset: BigInt(offset), size: BigInt(size) }]));

/** In the store's order; none has a stop of its own. */
const versions: readonly Version[] = [
  { key: "a", start: 10, value: encodeText("a at 10") },
  { key: "k", start: 10, value: encodeText("k at 10") },
  { key: "k", start: 20, value: change(0, 1, "K"), type: updateTypes.modify },
  { key: "k", start: 20, counter: 1, value: change(5, 2, "20"), type: updateTypes.modify },
  { key: "k", start: 30, value: encodeText("k at 30") },
  { key: "k", start: 40, value: change(5, 2, "40"), type: updateTypes.modify },
  { key: "z", start: 10, value: encodeText("z at 10") },
  // A longer key is behind all shorter ones: its length comes first.
  { key: "bb", start: 10, value: encodeText("bb at 10") },
];

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const rows = versions.map(({ key, start, counter = 0, value, type = updateTypes.standard }) => [
  latin(packStruct(HISTORY_KEY_FORMAT, [BTREE, encodeText(key), BigInt(start), BigInt(counter)])),
  latin(packStruct(HISTORY_VALUE_FORMAT, [0n, BigInt(start), BigInt(type), value])),
]);

/** Two rows a leaf: the versions of a key lie on several pages. */
const leaves: Record<string, Record<string, string>> = {};
const separators: Record<string, string> = {};
for (let at = 0; at < rows.length; at += 2) {
  leaves[`leaf${at}`] = Object.fromEntries(rows.slice(at, at + 2));
  separators[rows[at]?.[0] as string] = `leaf${at}`;
}

let loads = 0;
const source = fakeSource((name) => {
  loads++;
  const leaf = leaves[name];
  return name === "root" ? internalPage("root", separators) : leaf && leafPage(name, leaf);
});
const history = new TableHistory(source, encodeText("root"), BigInt(BTREE), "u");

function at(key: string, timestamp: number): string | undefined {
  const value = history.valueAt(encodeText(key), BigInt(timestamp), () => encodeText("k at 50"));
  return value && decodeText(value);
}

const test = suite("history of a table");

test("no version is old enough", () => {
  assert.is(at("k", 9), undefined);
  assert.is(at("nothing", 100), undefined);
});

test("the newest version that is old enough", () => {
  assert.is(at("k", 10), "k at 10");
  assert.is(at("k", 19), "k at 10");
  assert.is(at("k", 30), "k at 30");
  assert.is(at("a", 99), "a at 10");
  assert.is(at("z", 99), "z at 10");
  assert.is(at("bb", 99), "bb at 10");
});

test("a list of changes leads back from the next newer version", () => {
  assert.is(at("k", 25), "k at 20", "the later of two versions of one time, from the whole one at 30");
  assert.is(at("k", 45), "k at 40", "from the value on the table's page");
});

test("pages are kept: looking again reads nothing", () => {
  const before = loads;
  assert.is(at("k", 25), "k at 20");
  assert.is(loads, before);
});

test.run();
