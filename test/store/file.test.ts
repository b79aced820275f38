import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FileAccess, MemoryAccess, readRange } from "../../src/store/file.js";
import { InputError } from "../../src/store/input-error.js";
import { IssueLog } from "../../src/store/issue-log.js";
import { PageSet } from "../../src/store/page-set.js";
import { ReadWindow } from "../../src/store/read-window.js";
import { RecordIndex } from "../../src/store/record-index.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("positioned reads and indexes");
const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

test("a window gives what is in the file, whatever was asked for before", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ jump: fc.integer({ min: -40_000, max: 40_000 }), length: fc.nat({ max: 70_000 }) }),
        { maxLength: 30 },
      ),
      (steps) => {
        const window = new ReadWindow(new MemoryAccess("memory", bytes));
        let at = 0;
        for (const { jump, length } of steps) {
          at = Math.max(0, at + jump);
          assert.ok(
            Buffer.compare(window.view(at, length), bytes.subarray(at, at + length)) === 0,
            `${at} + ${length}`,
          );
          at += length;
        }
      },
    ),
  );
});

test("more files than a process may have open are read all the same", () => {
  inTemporaryFolder((folder) => {
    const files = Array.from({ length: 450 }, (_, i) => {
      const path = join(folder, String(i));
      writeFileSync(path, `file ${i}`);
      return new FileAccess(path);
    });
    for (const order of [files, [...files].reverse()])
      for (const file of order)
        assert.is(Buffer.from(readRange(file, 5, 99)).toString(), file.path.slice(folder.length + 1));
    for (const file of files) file.close();
  });
});

test("a file that is replaced while it was closed is not mistaken for the one opened first", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "a");
    writeFileSync(path, "first");
    const file = new FileAccess(path);
    file.close();
    writeFileSync(join(folder, "b"), "other");
    renameSync(join(folder, "b"), path);
    assert.throws(
      () => readRange(file, 0, 5),
      (error: unknown) => error instanceof InputError && error.code === "input-unreadable",
    );
  });
});

test("directories and devices are no files", () => {
  inTemporaryFolder((folder) => {
    mkdirSync(join(folder, "sub"));
    for (const path of [join(folder, "sub"), "/dev/null"])
      assert.throws(
        () => new FileAccess(path),
        (error: unknown) => error instanceof InputError && error.code === "input-unreadable",
      );
  });
});

test("each issue once, and no more than can be kept", () => {
  const log = new IssueLog();
  for (let run = 0; run < 2; run++)
    for (let offset = 0; offset < 12_000; offset++) log.add("code", { file: "f", offset }, "message");
  assert.is(log.list.length, 10_001);
  assert.is(log.list.at(-1)?.code, "issues-suppressed");
});

test("an index of records is in order and finds them", () => {
  const id = fc.bigInt({ min: 0n, max: 3n });
  const lsn = fc.oneof(
    fc.bigInt({ min: 0n, max: 20n }),
    fc.bigInt({ min: (1n << 64n) - 3n, max: (1n << 64n) - 1n }),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(id, id, lsn), { selector: String, maxLength: 60 }),
      id,
      id,
      lsn,
      (keys, table, page, at) => {
        const index = new RecordIndex();
        keys.forEach(([tableId, pageId, number], i) => {
          index.add(tableId, pageId, number, i, -i);
        });
        index.sort();
        const sorted = [...keys].sort(
          ([a, b, c], [d, e, f]) => compare(a, d) || compare(b, e) || compare(c, f),
        );
        sorted.forEach((key, i) => {
          assert.equal([index.tableId(i), index.pageId(i), index.lsn(i)], key);
          assert.equal(keys[index.first(i)], key);
          assert.is(index.second(i), -index.first(i));
        });
        assert.is(index.firstOf(table), sorted.filter(([tableId]) => tableId < table).length);
        const expected = sorted.findLastIndex(([a, b, c]) => a === table && b === page && c <= at);
        assert.is(index.lastAtOrBelow(table, page, at), expected);
      },
    ),
  );
});
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

test("a set of pages knows those it met, and none that do not exist", () => {
  const met = new PageSet(20);
  for (const page of [0, 7, 8, 20]) assert.not(met.addAgain(page));
  for (const page of [0, 7, 8, 20]) assert.ok(met.addAgain(page));
  for (const page of [1, 19]) assert.not(met.addAgain(page));
  for (let run = 0; run < 2; run++)
    for (const page of [1000, 2 ** 40, -1, Number.NaN]) assert.not(met.addAgain(page));
});

test.run();
