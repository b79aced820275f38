/**
 * Blocks that ask for more than they hold, in classic files and in page logs: headers that say 4 GB, and streams of
 * every compressor that go on beyond their image. Checksums fit. A finding, within a second and 64 MB.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PAGE_HEADER, pageFlags, pageTypes } from "../../formats/page-header.js";
import { COMPRESS_SKIP } from "../../formats/transforms.js";
import { readBlockHeaders } from "../../src/page/block-headers.js";
import type { PageRecord } from "../../src/store/types.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { type Finding, verify } from "../../src/verify/index.js";
import { Bounded } from "../support/bounded.js";
import { blocksOf } from "../support/classic-files.js";
import { everyCompressor } from "../support/codecs.js";
import { corpusPath } from "../support/corpus.js";
import { edited, findingsOf, loadContents, logOf } from "../support/log-contents.js";
import { resealed } from "../support/reseal.js";

const test = suite("bombs");
const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
test.after(() => rmSync(folder, { recursive: true }));

const MOST_ZEROS = 2 ** 23;
const NEARLY_4_GB = 0xffff_fff0;

/** The stream of the most zeros that fits into so many bytes, and how many those are. */
function bomb(name: string, room: number): { stream: Uint8Array; zeros: number } {
  const known = everyCompressor.filter((compressor) => compressor.name === name);
  for (let zeros = MOST_ZEROS; zeros > 0; zeros /= 2)
    for (const compressor of known) {
      const stream = compressor.compress(new Uint8Array(zeros));
      if (stream.length <= room) return { stream, zeros };
    }
  throw new Error(`nothing of ${name} fits into ${room} bytes`);
}

const memSizeOf = (block: Uint8Array): number =>
  new DataView(block.buffer, block.byteOffset).getUint32(PAGE_HEADER.at.memSize, true);

function setMemSize(block: Uint8Array, size: number): void {
  new DataView(block.buffer, block.byteOffset).setUint32(PAGE_HEADER.at.memSize, size, true);
}

type Damage = readonly [what: string, edit: (block: Uint8Array) => void];
/** Of one compressor; the damaged block keeps its length. */
const damages = (compressor: string): Damage[] => [
  ["says it is of 4 GB", (block) => setMemSize(block, NEARLY_4_GB)],
  ["says it is of 400 MB", (block) => setMemSize(block, 400 * 2 ** 20)],
  [
    "goes on beyond its image",
    (block) => {
      const { stream, zeros } = bomb(compressor, block.length - COMPRESS_SKIP);
      assert.ok(zeros > 2 * memSizeOf(block), `${zeros} zeros`);
      block.fill(0, COMPRESS_SKIP);
      block.set(stream, COMPRESS_SKIP);
    },
  ],
  [
    "goes on beyond its image, and says it is of 4 GB",
    (block) => {
      block.set(bomb(compressor, block.length - COMPRESS_SKIP).stream, COMPRESS_SKIP);
      setMemSize(block, NEARLY_4_GB);
    },
  ],
];

const isFound = (findings: readonly Finding[]): boolean =>
  findings.some(
    ({ code, severity }) => severity === "error" && ["page-inflate", "block-header"].includes(code),
  );
const listed = (findings: readonly Finding[]): string =>
  findings.map(({ code, message }) => `\n${code} ${message}`).join("");

for (const name of ["snappy", "zlib", "lz4", "zstd"])
  test(`a block of a classic file, ${name}`, async () => {
    const whole = new Uint8Array(readFileSync(corpusPath("classic-12.0", "compressors", `c_${name}.wt`)));
    const leaf = [...blocksOf(whole)].findLast(
      ({ type, bytes }) =>
        type === pageTypes.rowLeaf && ((bytes[PAGE_HEADER.at.flags] as number) & pageFlags.compressed) !== 0,
    );
    assert.ok(leaf !== undefined);
    const file = join(folder, `c_${name}.wt`);
    writeFileSync(file, whole);
    assert.is((await verify([file])).summary.errors, 0);
    const made = damages(name).map(([what, edit]): [string, Uint8Array] => {
      const damaged = whole.slice();
      resealed(damaged, leaf.offset, edit);
      return [what, damaged];
    });
    const bounded = new Bounded(name, () => {});
    for (const [what, damaged] of made) {
      writeFileSync(file, damaged);
      const { findings } = await bounded.wait(what, () => verify([file]));
      assert.ok(isFound(findings.filter(({ offset }) => offset === leaf.offset)), what + listed(findings));
    }
    bounded.finish();
  });

const contents = loadContents("c_compress");
const tables = new PageLogDatabase(logOf(contents), "memory", {}).tables();

/** The longest compressed image of a leaf. */
function compressedLeaf(tableId: bigint | undefined): PageRecord | undefined {
  const leaves = contents.records.filter((record) => {
    if (
      record.tableId !== tableId ||
      record.isDelta ||
      record.data[PAGE_HEADER.at.type] !== pageTypes.rowLeaf
    )
      return false;
    return readBlockHeaders(record.data).compressed;
  });
  return leaves.sort((a, b) => b.data.length - a.data.length)[0];
}

test("the store has tables of several compressors", () => {
  assert.ok(new Set(tables.map(({ compressor }) => compressor).filter((name) => name !== "")).size > 1);
});

for (const { id, name, compressor } of tables) {
  const record = compressor === "" || compressor === "none" ? undefined : compressedLeaf(id);
  if (record === undefined) continue;
  test(`a record of a page log, ${compressor}, ${name}`, () => {
    findingsOf(contents);
    const made = damages(compressor).map(([what, edit]) => ({
      what,
      damaged: edited(contents, record, edit),
    }));
    const bounded = new Bounded(compressor, () => {});
    for (const { what, damaged } of made) {
      const findings = bounded.call(what, () => findingsOf(damaged));
      const there = findings.filter(({ pageId, lsn }) => pageId === record.pageId && lsn === record.lsn);
      assert.ok(isFound(there), what + listed(findings));
    }
    bounded.finish();
  });
}

test.run();
