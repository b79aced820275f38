/** A thread that reads ahead: the bytes are those of the file, whatever becomes of the thread. */
import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FileAccess } from "../../src/store/file.js";
import { type IdentifiedFile, ReadAhead } from "../../src/store/read-ahead.js";
import { ReadWindow } from "../../src/store/read-window.js";
import { inTemporaryFolder } from "../support/directories.js";
import { skipped } from "../support/skip.js";

const test = suite("reading ahead");

const SIZE = 24 * 1024 * 1024 + 12_345;
const PROGRAM = new URL("../../src/store/read-ahead-worker.js", import.meta.url);
const bytes = new Uint8Array(SIZE);
for (let at = 0; at < SIZE; at++) bytes[at] = (at * 31 + (at >> 8) + (at >> 16) * 7) & 0xff;

/** A file with those bytes, and whatever reads ahead in it. */
function withFile(
  program: URL,
  use: (file: FileAccess, ahead: ReadAhead | undefined) => void,
  truncated = SIZE,
): void {
  inTemporaryFolder((folder) => {
    const path = join(folder, "data");
    writeFileSync(path, bytes);
    const file = new FileAccess(path, true);
    let ahead: ReadAhead | undefined;
    file.readAhead = (offset) => {
      ahead = ReadAhead.from(file, offset, { program, worth: 0, patience: 300 });
      truncateSync(path, truncated);
      return ahead;
    };
    try {
      const window = new ReadWindow(file);
      for (let at = 0; ahead === undefined && at < SIZE; at += 4096) window.view(at, 4096);
      use(file, ahead);
    } finally {
      ahead?.close();
      file.close();
    }
  });
}

/** Values one behind the other, of many lengths, with gaps; how many the thread had read. */
function readAll(ahead: ReadAhead, window: ReadWindow, from: number, to = SIZE): number {
  let byThread = 0;
  for (let at = from, step = 0; at < to; step++) {
    const length = Math.min(16 + ((step * 7919) % 90_000), SIZE - at);
    const read = ahead.view(at, length);
    const view = read ?? window.view(at, length);
    assert.is(Buffer.compare(view, bytes.subarray(at, at + length)), 0, `${length} bytes at ${at}`);
    if (read !== undefined) byThread++;
    at += length + ((step * 13) % 4096);
  }
  return byThread;
}

/** Threads start when they like. */
function untilReading(ahead: ReadAhead, from: number): void {
  for (let tries = 0; !ahead.isReading && tries < 2000; tries++) {
    ahead.view(from, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  assert.ok(ahead.isReading, "the thread reads");
}

test("what the thread reads is what is in the file", () => {
  if (!existsSync(PROGRAM)) return skipped("not built: there is no program for a thread", "other");
  withFile(PROGRAM, (file, ahead) => {
    assert.ok(ahead !== undefined);
    const from = 3 * 1024 * 1024;
    untilReading(ahead as ReadAhead, from);
    const byThread = readAll(ahead as ReadAhead, new ReadWindow(file), from);
    assert.ok(byThread > 200, `${byThread} values by the thread`);
  });
});

test("a jump far ahead, or back, is not what it is for: it says so, and ends", () => {
  if (!existsSync(PROGRAM)) return skipped("not built: there is no program for a thread", "other");
  withFile(PROGRAM, (_file, found) => {
    const ahead = found as ReadAhead;
    untilReading(ahead, 3 * 1024 * 1024);
    assert.is(ahead.view(20 * 1024 * 1024, 100), undefined);
    assert.is(ahead.view(0, 100), undefined);
    assert.is(ahead.view(SIZE - 10, 100), undefined);
    for (let at = 0; at < 20; at++) assert.is(ahead.view(at, 1), undefined);
    assert.not(ahead.isReading);
  });
});

test("a file that is cut meanwhile ends the thread", () => {
  if (!existsSync(PROGRAM)) return skipped("not built: there is no program for a thread", "other");
  const cut = 12 * 1024 * 1024;
  withFile(
    PROGRAM,
    (file, found) => {
      const ahead = found as ReadAhead;
      untilReading(ahead, 3 * 1024 * 1024);
      readAll(ahead, new ReadWindow(file), 3 * 1024 * 1024, cut - 1024 * 1024);
      assert.is(ahead.view(cut - 10, 100), undefined);
    },
    cut,
  );
});

for (const [what, code] of [
  ["that dies at its start", `throw new Error("no");`],
  [
    "that stops reading",
    `import { workerData } from "node:worker_threads"; Atomics.compareExchange(workerData.control, 2, 0, 1); setInterval(() => {}, 1000);`,
  ],
] as const)
  test(`a thread ${what} is not waited for long`, () => {
    inTemporaryFolder((folder) => {
      const program = pathToFileURL(join(folder, "program.mjs"));
      writeFileSync(program, code);
      withFile(program, (file, found) => {
        const window = new ReadWindow(file);
        readAll(found as ReadAhead, window, 3 * 1024 * 1024);
      });
    });
  });

test("a small file, or one core, needs no thread", () => {
  const file: IdentifiedFile = { path: "x", identity: "x", size: 1000, readInto: () => 0 };
  assert.is(ReadAhead.from(file, 0), undefined);
});

test.run();
