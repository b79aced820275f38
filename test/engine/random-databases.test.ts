/** Databases of random shape: what the real engine reads, rejects and accepts, and what we do. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLASSIC_BLOCK, DATA_CHECKSUM } from "../../formats/block-header.js";
import { pageTypes } from "../../formats/page-header.js";
import { COMPRESS_SKIP } from "../../formats/transforms.js";
import { missingEngine, RandomDatabase, type RandomTable } from "../../fuzz/engine/random-database.js";
import { type RandomSource, seededRandom } from "../../src/codec/index.js";
import { rowsOf } from "../../src/page/rows.js";
import { HexDump } from "../../src/report/rows/hex.js";
import { openDatabase } from "../../src/tree/index.js";
import type { Database, PagePart } from "../../src/tree/types.js";
import { verify } from "../../src/verify/index.js";
import { runCli } from "../support/cli.js";
import { skipped } from "../support/skip.js";

const DATABASES = 30;
const FLIPS = 1;

const missing = missingEngine();
const test = suite("random databases of the engine");
let folder = "";
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), "pugmark-random-"));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Block {
  readonly file: string;
  readonly table: RandomTable;
  readonly offset: number;
  readonly size: number;
}

function withDatabase<T>(home: string, use: (database: Database) => T): T {
  const database = openDatabase(home);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** The same through the command line. */
function assertSameCommand(made: RandomDatabase): void {
  const { uri } = made.tables[0] as RandomTable;
  const { status, stdout } = runCli("dump", made.home, uri, "--format", "hex");
  assert.is(status, 0);
  assert.ok(dumpedRows(made.wt(["dump", "-x", uri]).stdout).equals(Buffer.from(stdout)), uri);
}

/** What follows the line `Data`. */
const dumpedRows = (dump: Buffer): Buffer => dump.subarray(dump.indexOf("\nData\n") + 6);

function assertSameRows(made: RandomDatabase, database: Database): void {
  for (const { uri, config } of made.tables) {
    const { status, stdout } = made.wt(["dump", "-x", uri]);
    assert.is(status, 0);
    const ours = Buffer.concat([...new HexDump(database.table(uri).reader()).chunks()]);
    assert.ok(ours.equals(dumpedRows(stdout)), `rows of ${uri} ${config}`);
  }
  assert.equal(database.problems, []);
}

/** Only the beginning of such a block is under its checksum. */
const isUnchecked = ({ stored, image }: PagePart): boolean =>
  stored > COMPRESS_SKIP && ((image[CLASSIC_BLOCK.flags] as number) & DATA_CHECKSUM) === 0;
const hasOverflowKeys = ({ image, layout }: PagePart): boolean =>
  [pageTypes.rowLeaf, pageTypes.rowInternal].some((type) => type === layout.type) &&
  [...rowsOf(image, layout)].some(({ key }) => key === undefined);

/**
 * The bytes of a page that may be flipped. Where no checksum covers them, the engine rejects two things we do not
 * look at: bytes behind the image that are not zero, and keys out of order with a key on an overflow page.
 */
function flippableBytes(part: PagePart): number {
  if (!isUnchecked(part)) return part.stored;
  return hasOverflowKeys(part) ? COMPRESS_SKIP : Math.min(part.stored, part.layout.memSize);
}

/** The pages that can be reached. */
const blocksOf = ({ tables }: RandomDatabase, database: Database): Block[] =>
  tables.flatMap((table) =>
    [...database.table(table.uri).pages()].map(({ page }) => ({
      table,
      file: `${table.uri.replace(/^\w+:|\.wt$/g, "")}.wt`,
      offset: page.place.offset as number,
      size: flippableBytes(page.parts[0] as PagePart),
    })),
  );

function flipByte(home: string, { file, offset, size }: Block, random: RandomSource): string {
  const bytes = readFileSync(join(home, file));
  const at = offset + random.below(size);
  const mask = 1 + random.below(255);
  bytes[at] = (bytes[at] as number) ^ mask;
  writeFileSync(join(home, file), bytes);
  return `${file} byte ${at} ^ ${mask}, block ${offset}+${size}`;
}

/** Whenever the engine rejects the copy, we do. */
async function assertNothingMissed(made: RandomDatabase, block: Block, random: RandomSource): Promise<void> {
  const home = join(folder, "flipped");
  cpSync(made.home, home, { recursive: true });
  const what = flipByte(home, block, random);
  const { errors } = (await verify([home], { threads: 1 })).summary;
  const engine = made.wt(["verify", block.table.uri], { home });
  if (engine.status !== 0)
    assert.ok(errors > 0, `missed ${what}: ${block.table.config}: ${engine.status} ${engine.stderr}`);
  rmSync(home, { recursive: true });
}

for (let seed = 1; seed <= DATABASES; seed++)
  test(`database ${seed}`, async () => {
    if (missing !== undefined) return skipped(missing);
    const random = seededRandom(seed);
    const home = join(folder, `home${seed}`);
    mkdirSync(home);
    const made = new RandomDatabase(home, random);
    made.make();
    const { summary, findings } = await verify([home], { threads: 1 });
    assert.equal(
      findings.filter(({ severity }) => severity !== "info"),
      [],
    );
    assert.ok(summary.complete);
    const blocks = withDatabase(home, (database) => {
      assertSameRows(made, database);
      return blocksOf(made, database);
    });
    if (seed === 1) assertSameCommand(made);
    for (const { uri } of made.tables) assert.is(made.wt(["verify", uri]).status, 0, uri);
    for (let i = 0; i < FLIPS && blocks.length > 0; i++)
      await assertNothingMissed(made, blocks[random.below(blocks.length)] as Block, random);
    rmSync(home, { recursive: true });
  });

test.run();
