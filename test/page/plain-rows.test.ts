/** Plain rows found by WebAssembly are those the portable code finds: rows in and out of order, whole and damaged. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  CELL_TYPE_SHIFT,
  cellTypes,
  LENGTH_ADJUST,
  SHORT_LENGTH_SHIFT,
  shortCells,
} from "../../formats/cell.js";
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import { writePackedUnsigned } from "../../src/codec/packed.js";
import { PlainRows, setRowScanner } from "../../src/page/plain-rows.js";
import { ValueStarts } from "../../src/page/walk-parts.js";
import { installWasmRows } from "../../src/platform/node-plain-rows.js";
import { setWindowMemory, windowMemory } from "../../src/store/window-memory.js";

const test = suite("plain rows");
test.after(() => {
  setRowScanner();
  setWindowMemory();
});

const PAGES = 4000;
const WINDOW = 64 * 1024;

function keyCell(key: readonly number[]): number[] {
  return [(key.length << SHORT_LENGTH_SHIFT) | shortCells.keyShort, ...key];
}

function valueCell(length: number, random: RandomSource): number[] {
  const data = [...random.bytes(length)];
  if (length < LENGTH_ADJUST) return [(length << SHORT_LENGTH_SHIFT) | shortCells.valueShort, ...data];
  const head = [cellTypes.value << CELL_TYPE_SHIFT];
  writePackedUnsigned(head, BigInt(length - LENGTH_ADJUST));
  return [...head, ...data];
}

/** Keys with long common beginnings, of different lengths; in order but for some. */
function keysOf(count: number, random: RandomSource): number[][] {
  const stem = [...random.bytes(random.below(30))];
  const keys = Array.from({ length: count }, (_, at) => {
    const tail = random.below(3) === 0 ? [] : [...random.bytes(random.below(6))];
    return [...stem, at, ...tail].slice(0, 62);
  });
  if (random.below(4) === 0) {
    const at = 1 + random.below(count - 1);
    const before = keys[at - 1] as number[];
    keys[at] = [[...before], before.slice(0, -1), [...before, 0]][random.below(3)] as number[];
  }
  return keys;
}

function pageOf(random: RandomSource): { bytes: Uint8Array; cells: number } {
  const keys = keysOf(2 + random.below(40), random);
  const cells = keys.flatMap((key) => [
    keyCell(key),
    valueCell(random.below(20) === 0 ? 60 + random.below(900) : random.below(20), random),
  ]);
  const bytes = Uint8Array.from(cells.flat());
  if (random.below(3) === 0) bytes[random.below(bytes.length)] = random.below(256);
  return { bytes, cells: cells.length - (random.below(20) === 0 ? 2 : 0) };
}

const found = ({ rows, firstStart, firstEnd, keyStart, keyEnd }: PlainRows) => ({
  rows,
  firstStart,
  firstEnd,
  keyStart,
  keyEnd,
});

test("webassembly says yes to the pages that are whole, and finds the same keys", () => {
  const random = seededRandom(5);
  installWasmRows();
  const window = windowMemory(WINDOW);
  let [yes, no] = [0, 0];
  for (let page = 0; page < PAGES; page++) {
    const { bytes, cells } = pageOf(random);
    const start = random.below(50);
    const image = new Uint8Array(start + bytes.length + random.below(30)).fill(random.below(256));
    image.set(bytes, start);
    const cut = random.below(10) === 0 ? random.below(bytes.length) : 0;
    const end = start + bytes.length - cut;
    const portable = new PlainRows(new ValueStarts());
    portable.begin(image);
    const whole = portable.run(start, end, 0, -1) === end && 2 * portable.rows === cells;
    const fast = new PlainRows(new ValueStarts());
    fast.begin(image);
    // Rows that are too long on the average are left to the portable code.
    const isShort = 2 * (end - start) <= cells * 128;
    assert.is(fast.takeAll(start, end, cells), whole && isShort, `page ${page}`);
    if (whole && isShort) assert.equal(found(fast), found(portable), `page ${page}`);
    // Where it lies in a window, with other bytes around it, nothing is copied.
    const place = [0, random.below(1000), window.length - image.length][random.below(3)] as number;
    window.fill(random.below(256)).set(image, place);
    const inWindow = new PlainRows(new ValueStarts());
    inWindow.begin(window.subarray(place, place + image.length));
    assert.is(inWindow.takeAll(start, end, cells), whole && isShort, `page ${page} in the window`);
    if (whole && isShort) assert.equal(found(inWindow), found(portable), `page ${page} in the window`);
    if (whole) yes++;
    else no++;
  }
  assert.ok(yes > PAGES / 4 && no > PAGES / 4, `${yes} whole, ${no} not`);
});

test("without it nothing is taken", () => {
  setRowScanner();
  const { bytes, cells } = pageOf(seededRandom(1));
  const rows = new PlainRows(new ValueStarts());
  rows.begin(bytes);
  assert.is(rows.takeAll(0, bytes.length, cells), false);
});

test.run();
