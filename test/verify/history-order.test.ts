/** Versions of one row: each ends before the next one begins. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HISTORY_KEY_FORMAT, HISTORY_VALUE_FORMAT, updateTypes } from "../../formats/history.js";
import { packStruct } from "../../formats/packed-struct.js";
import { encodeText } from "../../src/codec/index.js";
import type { PagePart } from "../../src/tree/types.js";
import { HistoryCheck } from "../../src/verify/page-log/history-check.js";
import { Run } from "../../src/verify/run.js";
import { leafPage } from "../support/fake-tree.js";

const NO_STOP = (1n << 64n) - 1n;
const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

type Version = readonly [key: string, start: bigint, stop: bigint];

/** Keys and values of the versions, in the order of a history store. */
const rowsOf = (versions: readonly Version[]): Record<string, string> =>
  Object.fromEntries(
    versions.map(([key, start, stop], counter) => [
      latin(packStruct(HISTORY_KEY_FORMAT, [41, encodeText(key), start, BigInt(counter)])),
      latin(packStruct(HISTORY_VALUE_FORMAT, [stop, start, BigInt(updateTypes.standard), encodeText("v")])),
    ]),
  );

/** What is found on leaves with these versions. */
function found(leaves: ReadonlyArray<readonly Version[]>, inKeyOrder = true): unknown[] {
  const run = new Run({}, 0);
  const check = new HistoryCheck(run, { get: () => true }, inKeyOrder);
  for (const [index, versions] of leaves.entries()) {
    const { image, layout } = leafPage("leaf", rowsOf(versions)).parts[0] as PagePart;
    check.add(image, layout, () => ({ path: `leaf ${index}` }));
  }
  check.finish();
  return run.report().findings.map(({ code, severity, path }) => [code, severity, path]);
}

const test = suite("order of versions");

test("one after the other, or at once", () => {
  assert.equal(
    found([
      [
        ["a", 10n, 20n],
        ["a", 20n, 30n],
        ["a", 35n, 35n],
        ["b", 5n, 9000n],
        ["c", 1n, 2n],
      ],
    ]),
    [],
  );
});

test("a version begins before the one before it has ended", () => {
  assert.equal(
    found([
      [
        ["a", 10n, 21n],
        ["a", 20n, 30n],
      ],
    ]),
    [["history-order", "warning", "leaf 0"]],
  );
  assert.equal(
    found([
      [
        ["a", 10n, 1n << 62n],
        ["a", 20n, 30n],
      ],
    ]),
    [["history-order", "warning", "leaf 0"]],
  );
});

test("a version that ends before it began is an error", () => {
  assert.equal(found([[["a", 10n, 9n]]]), [["history-order", "error", "leaf 0"]]);
});

test("a version without a stop was followed by a prepared update", () => {
  assert.equal(
    found([
      [
        ["a", 10n, NO_STOP],
        ["a", 20n, 30n],
      ],
    ]),
    [],
  );
});

test("neighbouring leaves are compared where they come in the order of keys", () => {
  const leaves: Version[][] = [[["a", 10n, 21n]], [["a", 20n, 30n]]];
  assert.equal(found(leaves), [["history-order", "warning", "leaf 1"]]);
  assert.equal(found(leaves, false), []);
});

test.run();
