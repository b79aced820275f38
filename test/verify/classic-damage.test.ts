/** Every rule of classic files fires, once and where the damage is: directories of the corpus damaged behind their checksums. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLASSIC_BLOCK } from "../../formats/block-header.js";
import { addressOf, classicAddressCookie } from "../../formats/classic-cookie.js";
import { type Extent, extentList } from "../../formats/extent-list.js";
import { PAGE_HEADER, pageTypes } from "../../formats/page-header.js";
import { MemoryAccess } from "../../src/store/file.js";
import { readLogFile } from "../../src/store/log-file.js";
import { type Finding, verify } from "../../src/verify/index.js";
import { blocksOf } from "../support/classic-files.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";
import { resealed } from "../support/reseal.js";

const { payload } = CLASSIC_BLOCK;
const HOME = ["corrupt-classic", "orig"];
/** What is where in its table. */
const METADATA_LEAF = 4096;
const OVERFLOW_LEAF = 749_568;
const C = { root: 4096, alloc: 8192, avail: 12288, internal: 294912, leaf: 299008 };

interface Expected {
  readonly code: string;
  readonly file: string;
  readonly offset?: number;
  readonly severity?: Finding["severity"];
  /** A part of what it means for the data. */
  readonly consequence?: string;
  /** Other codes that follow from the same damage. */
  readonly also?: readonly string[];
  /** The directory that is damaged, unless it is `orig`. */
  readonly home?: readonly string[];
  /** Whether all could be looked at; not asked where it is left out. */
  readonly complete?: boolean;
}
const LOGGED = ["classic-12.0", "logged"];
const LOG = "WiredTigerLog.0000000001";

/** Changes a file of a home; the block at `offset` where one is given keeps its checksum. */
function change(file: string, edit: (bytes: Uint8Array) => unknown, offset?: number) {
  return (home: string): void => {
    const path = join(home, file);
    const bytes = new Uint8Array(readFileSync(path));
    if (offset === undefined) {
      const edited = edit(bytes);
      writeFileSync(path, edited instanceof Uint8Array ? edited : bytes);
    } else {
      resealed(bytes, offset, (block) => void edit(block));
      writeFileSync(path, bytes);
    }
  };
}

/** Writes a page's own address over that of one of its children. */
function nameItself(page: number) {
  return (block: Uint8Array): void => {
    const file = new Uint8Array(readFileSync(corpusPath(...HOME, "c.wt")));
    const cookies = [...blocksOf(file)].map(({ offset, bytes: { length: size }, checksum }) => ({
      offset,
      cookie: classicAddressCookie.build(addressOf({ offset, size, checksum }, 4096)),
    }));
    const own = cookies.find(({ offset }) => offset === page)?.cookie as Uint8Array;
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
    const child = cookies.find(
      ({ cookie }) => cookie.length === own.length && bytes.includes(Buffer.from(cookie)),
    );
    assert.ok(child !== undefined);
    block.set(own, bytes.indexOf(Buffer.from(child.cookie)));
  };
}

/** Replaces text in every sound block of a file that has it. */
const everywhere = (file: string, from: string, to: string) => (home: string) => {
  const bytes = new Uint8Array(readFileSync(join(home, file)));
  for (const block of [...blocksOf(bytes)])
    if (Buffer.from(block.bytes).includes(from, 0, "latin1")) resealed(bytes, block.offset, text(from, to));
  writeFileSync(join(home, file), bytes);
};

/** Replaces text by text of the same length. */
const text =
  (from: string, to: string) =>
  (bytes: Uint8Array): void => {
    assert.is(from.length, to.length);
    const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(from, 0, "latin1");
    assert.ok(at !== -1, `${from} is there`);
    bytes.set(Buffer.from(to, "latin1"), at);
  };

/** Changes the ranges of an extent list without changing its length. */
const extents =
  (runs: number, edit: (extents: Mutable[]) => void) =>
  (block: Uint8Array): void => {
    const params = { allocationSize: 4096, runs, fileSize: Number.MAX_SAFE_INTEGER };
    const reading = extentList.read(block.subarray(payload), { params });
    if (!reading.ok) throw reading.error;
    const list = reading.value.extents.map((extent: Extent) => ({ ...extent }));
    edit(list);
    const built = extentList.build({ ...reading.value, extents: list }, { params });
    block.set(built, payload);
  };

type Mutable = { offset: bigint; size: bigint };
const first = (list: readonly Mutable[]): Mutable => list[0] as Mutable;
const largest = (list: readonly Mutable[]): Mutable =>
  list.reduce((most, extent) => (extent.size > most.size ? extent : most));

const shrink = (extent: Mutable, by: bigint): void => {
  extent.size -= by;
};

/** The cookie behind the key of a child on the internal page. */
function cookieAt(block: Uint8Array, key: string): number {
  const at = Buffer.from(block.buffer, block.byteOffset, block.length).indexOf(key, 0, "latin1");
  assert.ok(at !== -1);
  return at + key.length + 2;
}

const cases: Array<[string, (home: string) => void, Expected]> = [
  [
    "a byte of a leaf",
    change("c.wt", (bytes) => bytes.set([0xff], C.leaf + 100)),
    {
      code: "block-checksum",
      file: "c.wt",
      offset: C.leaf,
      consequence: "the rows on this page are lost",
    },
  ],
  [
    "a leaf that says it is an internal page",
    change("c.wt", (block) => block.set([pageTypes.rowInternal], PAGE_HEADER.at.type), C.leaf),
    { code: "block-header", file: "c.wt", offset: C.leaf },
  ],
  [
    "an address that is no packed integer",
    change("c.wt", (block) => block.set([0], cookieAt(block, "key00015")), C.internal),
    {
      code: "tree-address",
      file: "c.wt",
      offset: C.internal,
      consequence: "the rows below this address are out of reach",
      also: ["space-live", "space-leak"],
    },
  ],
  [
    "a byte of the description block",
    change("c.wt", (bytes) => bytes.set([0xff], 8)),
    {
      code: "file-description",
      file: "c.wt",
      offset: 8,
      consequence: "the engine refuses to open the file",
    },
  ],
  [
    "a leaf of the metadata",
    change("WiredTiger.wt", (bytes) => bytes.set([0xff], METADATA_LEAF + 100)),
    {
      code: "metadata-incomplete",
      file: "WiredTiger.wt",
      consequence: "only found by looking at the files",
      also: ["block-checksum", "unchecked"],
    },
  ],
  [
    "no turtle file",
    (home) => rmSync(join(home, "WiredTiger.turtle")),
    {
      code: "turtle-file-missing",
      file: "WiredTiger.turtle",
      consequence: "starts an empty database",
      also: ["unchecked"],
    },
  ],
  [
    "no turtle file, so no metadata",
    (home) => rmSync(join(home, "WiredTiger.turtle")),
    { code: "unchecked", file: "", severity: "warning", also: ["turtle-file-missing"] },
  ],
  [
    "no turtle file, and blocks no longer used",
    (home) => rmSync(join(home, "WiredTiger.turtle")),
    {
      code: "space-unreferenced",
      file: "c.wt",
      severity: "info",
      offset: 98_304,
      also: ["turtle-file-missing", "unchecked"],
    },
  ],
  [
    "a turtle file of two minds about its version",
    change("WiredTiger.turtle", text("minor=2", "minor=1")),
    { code: "turtle-file", file: "WiredTiger.turtle", consequence: "the engine cannot open the database" },
  ],
  [
    "a checkpoint of the metadata without an address",
    change("WiredTiger.turtle", text("(addr=", "(adds=")),
    {
      code: "checkpoint-cookie",
      file: "WiredTiger.turtle",
      consequence: "the checkpoint cannot be read",
      also: ["unchecked"],
    },
  ],
  [
    "an extent that is not on allocation units",
    change(
      "c.wt",
      extents(1, (list) => shrink(largest(list), 512n)),
      C.alloc,
    ),
    {
      code: "extent-list",
      file: "c.wt",
      also: ["unchecked"],
      consequence: "the alloc list of the checkpoint cannot be used",
    },
  ],
  [
    "free space that is shorter than it was",
    change(
      "c.wt",
      extents(2, (list) => shrink(largest(list), 4096n)),
      C.avail,
    ),
    { code: "space-leak", file: "c.wt", severity: "warning" },
  ],
  [
    "free space that begins in a block",
    change(
      "c.wt",
      extents(2, (list) => {
        first(list).offset -= 4096n;
        first(list).size += 4096n;
      }),
      C.avail,
    ),
    { code: "space-overlap", file: "c.wt", consequence: "the engine will write over live data" },
  ],
  [
    "an allocated range that is shorter than the tree",
    change(
      "c.wt",
      extents(1, (list) => shrink(largest(list), 4096n)),
      C.alloc,
    ),
    { code: "space-live", file: "c.wt", consequence: "the engine may write over them" },
  ],
  [
    "a cookie of another version",
    change("WiredTiger.wt", text('addr="018081e40b5020dc', 'addr="008081e40b5020dc'), METADATA_LEAF),
    { code: "checkpoint-cookie", file: "WiredTiger.wt", consequence: "the checkpoint cannot be read" },
  ],
  [
    "bytes behind the newest checkpoint",
    change("c.wt", (bytes) => Buffer.concat([bytes, new Uint8Array(8192)])),
    { code: "file-tail", file: "c.wt", severity: "info", offset: size("c.wt") },
  ],
  [
    "a file that ends early",
    change("c.wt", (bytes) => bytes.subarray(0, bytes.length - 8192)),
    {
      code: "file-size",
      file: "c.wt",
      offset: size("c.wt") - 8192,
      also: ["block-place", "extent-list", "space-live"],
    },
  ],
  [
    "a file the metadata does not know",
    (home) => cpSync(join(home, "c.wt"), join(home, "stray.wt")),
    { code: "metadata-file-unlisted", file: "stray.wt", severity: "info" },
  ],
  [
    "another version text",
    change("WiredTiger", text("3.2.1", "3.2.0")),
    { code: "turtle-file-version", file: "WiredTiger", offset: 26 },
  ],
  [
    "a damaged month in the file WiredTiger",
    change("WiredTiger", text("August", "Aufust")),
    { code: "turtle-file-version", file: "WiredTiger", offset: 32 },
  ],
  [
    "a file WiredTiger without its second line",
    change("WiredTiger", (bytes) => bytes.subarray(0, 11)),
    { code: "turtle-file-version", file: "WiredTiger", offset: 11 },
  ],
  [
    "a damaged month in the turtle",
    change("WiredTiger.turtle", text("August", "Aufust")),
    { code: "turtle-file-version", file: "WiredTiger.turtle", offset: 47 },
  ],
  [
    "a year that differs, where nothing else tells it",
    change("WiredTiger", text("2019", "2018")),
    { code: "turtle-file-version", file: "WiredTiger.turtle", offset: 59 },
  ],
  [
    "a turtle whose checkpoint is not called so",
    change("WiredTiger.turtle", text(",checkpoint=", ",cheakpoint=")),
    {
      code: "turtle-file",
      file: "WiredTiger.turtle",
      offset: 124,
      also: ["unchecked"],
      consequence: "no table can be found",
    },
  ],
  [
    "a turtle that ends in its configuration",
    change("WiredTiger.turtle", (bytes) => Buffer.from(`${Buffer.from(bytes.subarray(0, 163))}\n`)),
    {
      code: "turtle-file",
      file: "WiredTiger.turtle",
      offset: 124,
      also: ["unchecked"],
      consequence: "no table can be found",
    },
  ],
  [
    "a leaf's first key below its separator",
    change("c.wt", (block) => block.set([0x21], payload + 3), C.leaf),
    { code: "tree-key-range", file: "c.wt", offset: C.leaf },
  ],
  [
    "a separator above the keys below it",
    change("c.wt", text("key00015", "key00019"), C.internal),
    { code: "tree-key-range", file: "c.wt" },
  ],
  [
    "an address beyond the file",
    change(
      "c.wt",
      (block) => {
        block[cookieAt(block, "key00015") + 1] = 0xdf;
      },
      C.internal,
    ),
    {
      code: "block-place",
      file: "c.wt",
      offset: C.internal,
      also: ["unchecked"],
      consequence:
        "file:c.wt: the rows below this address are out of reach: keys from 6b65793030303135 to below 6b657930303032",
    },
  ],
  [
    "an address that is another child's",
    change(
      "c.wt",
      (block) => {
        const cookie = cookieAt(block, "key00015");
        block.copyWithin(cookie, cookieAt(block, "key00005"), cookieAt(block, "key00005") + 10);
      },
      C.internal,
    ),
    { code: "tree-loop", file: "c.wt", offset: C.internal, also: ["space-live", "space-leak"] },
  ],
  [
    "a file that is gone",
    (home) => rmSync(join(home, "c.wt")),
    { code: "metadata-file-missing", file: "WiredTiger.wt", consequence: "file:c.wt cannot be opened" },
  ],
  [
    "two files with one id",
    change("WiredTiger.wt", text(",id=19,", ",id=02,"), METADATA_LEAF),
    { code: "metadata-duplicate-id", file: "WiredTiger.wt" },
  ],
  [
    "a file with an id of shared tables",
    everywhere("WiredTiger.wt", ",id=32,", ",id=33,"),
    {
      code: "metadata-namespace",
      file: "WiredTiger.wt",
      severity: "warning",
      home: ["classic-12.0", "basic"],
    },
  ],
  [
    "a column group of a file that is not there",
    change("WiredTiger.wt", text('source="file:c.wt"', 'source="file:d.wt"'), METADATA_LEAF),
    { code: "metadata-reference", file: "WiredTiger.wt", consequence: "colgroup:c cannot be opened" },
  ],
  [
    "a row of the metadata that is no configuration",
    change("WiredTiger.wt", text("columns=,", "columns=("), METADATA_LEAF),
    { code: "metadata-row-config", file: "WiredTiger.wt", consequence: "the table cannot be opened" },
  ],
  [
    "a table without its column group",
    change("WiredTiger.wt", text("colgroup:c", "colgroup;c"), METADATA_LEAF),
    {
      code: "metadata-table",
      file: "WiredTiger.wt",
      also: ["metadata-uri"],
      consequence: "table:c cannot be opened",
    },
  ],
  [
    "a table's row of another name",
    change("WiredTiger.wt", text("table:c", "tabld:c"), METADATA_LEAF),
    { code: "metadata-uri", file: "WiredTiger.wt", severity: "info", also: ["metadata-table"] },
  ],
  [
    "no version file",
    (home) => rmSync(join(home, "WiredTiger")),
    { code: "version-file-missing", file: "WiredTiger", severity: "warning" },
  ],
  [
    "a log file of which another is missing",
    (home) => cpSync(join(home, LOG), join(home, "WiredTigerLog.0000000003")),
    {
      code: "log-sequence",
      file: "WiredTigerLog.0000000003",
      also: ["log-replay"],
      severity: "warning",
      home: LOGGED,
      consequence: "operations in the missing part cannot be replayed",
    },
  ],
  [
    "a damaged log record",
    change(LOG, (bytes) => bytes.set([0x55], 300)),
    { code: "log-record", file: LOG, home: LOGGED, consequence: "recovery stops here" },
  ],
  [
    "a damaged log record where MongoDB has its log",
    (home) => {
      mkdirSync(join(home, "journal"));
      renameSync(join(home, LOG), join(home, "journal", LOG));
      change(join("journal", LOG), (bytes) => bytes.set([0x55], 300))(home);
    },
    { code: "log-record", file: join("journal", LOG), home: LOGGED, consequence: "recovery stops here" },
  ],
  [
    "a log that ends before its last checkpoint",
    change(LOG, (bytes) => bytes.fill(0, lastCheckpoint(bytes))),
    { code: "log-replay", file: LOG, home: LOGGED, severity: "info" },
  ],
  [
    "versions of a table that is not in the metadata",
    everywhere("WiredTiger.wt", ",id=16,", ",id=96,"),
    {
      code: "history-table",
      file: "WiredTigerHS.wt",
      severity: "info",
      home: ["classic-12.0", "ts_hs"],
      consequence: "nothing, if the table was dropped",
    },
  ],
  [
    "a page that names itself",
    change("c.wt", nameItself(C.internal), C.internal),
    {
      code: "tree-loop",
      file: "c.wt",
      offset: C.internal,
      also: ["space-live", "space-leak"],
      consequence: "rows appear twice",
    },
  ],
  [
    "an overflow key that is above its neighbour",
    change("ovfl.wt", text("k000004LONGKEY", "z000004LONGKEY"), 16384),
    {
      code: "page-cells",
      file: "ovfl.wt",
      home: ["classic-12.0", "basic"],
      consequence: "rows are not found by their keys",
      also: ["tree-key-range"],
    },
  ],
  [
    "a leaf whose overflow items nothing else refers to",
    change("ovfl.wt", (bytes) => bytes.set([0x55], OVERFLOW_LEAF + 100)),
    {
      code: "block-checksum",
      file: "ovfl.wt",
      offset: OVERFLOW_LEAF,
      home: ["classic-12.0", "basic"],
      also: ["unchecked"],
      complete: false,
    },
  ],
  [
    "a leaf without overflow items",
    change("c.wt", (bytes) => bytes.set([0x55], C.leaf + 2000)),
    { code: "block-checksum", file: "c.wt", offset: C.leaf, complete: true },
  ],
  [
    "the list of free space",
    change("c.wt", (bytes) => bytes.set([0x55], C.avail + 100)),
    { code: "block-checksum", file: "c.wt", offset: C.avail, also: ["unchecked"], complete: false },
  ],
  [
    "bytes that no checksum covers",
    () => undefined,
    {
      code: "checksum-partial",
      file: "cksum_off.wt",
      home: ["classic-12.0", "basic"],
      severity: "info",
      complete: true,
    },
  ],
  ...(
    [
      ["version=(", "versxon=("],
      ["version=(", "version=(("],
      ["version=(major=", "version=(major=9"],
      ["minor=", "minox="],
      ["# Do", "X Do"],
    ] as const
  ).map(([from, to]): [string, (home: string) => void, Expected] => [
    `${to} in the base configuration`,
    change("WiredTiger.basecfg", (bytes) => Buffer.from(Buffer.from(bytes).toString().replace(from, to))),
    { code: "base-config", file: "WiredTiger.basecfg", consequence: "the engine refuses to open" },
  ]),
  [
    "a small block that says it is of 4 GB",
    change("c_snappy.wt", (block) => block.set([0xf0, 0xff, 0xff, 0xff], PAGE_HEADER.at.memSize), 65_536),
    {
      code: "page-inflate",
      file: "c_snappy.wt",
      home: ["classic-3.2.1", "deb_compress"],
      consequence: "the rows on this page are lost",
    },
  ],
  [
    "a column-store leaf that begins with another record",
    change("colvar.wt", (block) => block.set([0xff], PAGE_HEADER.at.recno), 61_440),
    { code: "tree-key-range", file: "colvar.wt", offset: 61_440, home: ["classic-12.0", "basic"] },
  ],
  [
    "a page whose header counts another number of cells",
    change("c.wt", (block) => block.set([98], PAGE_HEADER.at.entries), C.leaf),
    { code: "page-cells", file: "c.wt", offset: C.leaf },
  ],
];

/** Offset of the log's last checkpoint record that has commits behind the checkpoint before it. */
function lastCheckpoint(bytes: Uint8Array): number {
  const source = new MemoryAccess(LOG, bytes);
  let [commit, found] = [false, 0];
  for (const entry of readLogFile(source)) {
    if (entry.kind !== "record") continue;
    if (entry.content?.kind === "commit") commit = true;
    else if (entry.content?.kind === "checkpoint" && commit) {
      found = entry.offset;
      commit = false;
    }
  }
  return found;
}

function size(file: string): number {
  return readFileSync(corpusPath(...HOME, file)).length;
}

const test = suite("damaged classic directories");
for (const [name, damage, expected] of cases)
  test(`${name}: ${expected.code}`, () =>
    inTemporaryFolderAsync(async (folder) => {
      const home = join(folder, "home");
      cpSync(corpusPath(...(expected.home ?? HOME)), home, { recursive: true });
      damage(home);
      const { findings, summary } = await verify([home], { showKeys: true });
      const known = ["space-unreferenced", "checksum-partial", expected.code, ...(expected.also ?? [])];
      const listed = findings
        .map((finding) => `\n${JSON.stringify(finding, (_, v) => (typeof v === "bigint" ? String(v) : v))}`)
        .join("");
      const found = findings.filter(({ code }) => code === expected.code);
      assert.is(found.length, 1, `once${listed}`);
      const [finding] = found as [Finding];
      assert.is(finding.path, join(home, expected.file));
      assert.is(finding.severity, expected.severity ?? "error", listed);
      if (expected.offset !== undefined) assert.is(finding.offset, expected.offset, listed);
      if (expected.complete !== undefined) assert.is(summary.complete, expected.complete, listed);
      if (expected.consequence !== undefined) assert.match(finding.consequence ?? "", expected.consequence);
      const others = findings.filter(({ code }) => !known.includes(code));
      assert.equal(others, [], listed);
    }));
test.run();

const { cases: corrupted } = JSON.parse(
  readFileSync(corpusPath("corrupt-classic", "results.json"), "utf8"),
) as { cases: Record<string, { file: string }> };

/** What each damaged directory of the corpus has lost. */
const losses: Record<string, RegExp> = {
  desc_checksum: /the engine refuses to open the file/,
  desc_magic: /the engine refuses to open the file/,
  desc_padding: /the engine refuses to open the file/,
  desc_version: /the engine refuses to open the file/,
  extlist_alloc: /space accounting is lost.*all rows can be read/,
  extlist_avail: /space accounting is lost.*all rows can be read/,
  internal_body: /every row below this page is out of reach: all keys below 6b6579303035313836/,
  leaf_blkhdr_checksum: leafLost(),
  leaf_blkhdr_disksize: leafLost(),
  leaf_body: leafLost(),
  leaf_pagehdr_memsize: leafLost(),
  meta_desc_magic: /the engine refuses to open the file/,
  meta_leaf_body: /the rows on this page are lost/,
  meta_root_body: /the tree cannot be opened: all its rows are out of reach/,
  root_body: /file:c.wt: the tree cannot be opened: all its rows are out of reach/,
  turtle_addr: /the tree cannot be opened: all its rows are out of reach/,
  turtle_key: /the engine cannot open the database/,
  turtle_wtversion: /the engine cannot open the database/,
};

function leafLost(): RegExp {
  return /^file:c.wt: the rows on this page are lost: keys from 6b6579[0-9a-f]* to below 6b6579[0-9a-f]*; 50 rows or a few more are lost/;
}

const corpus = suite("what damaged directories of the corpus have lost");
for (const [name, { file }] of Object.entries(corrupted))
  corpus(name, async () => {
    const home = corpusPath("corrupt-classic", name, "db");
    const { findings } = await verify([home], { showKeys: true });
    const of = findings.filter(({ severity, path }) => severity === "error" && path === join(home, file));
    const said = of.map(({ consequence }) => consequence ?? "").join("\n");
    assert.match(said, losses[name] as RegExp);
    const redacted = (await verify([home])).findings.map(({ consequence }) => consequence).join("\n");
    assert.not.match(redacted, /6b6579/, "keys are user data");
  });
corpus.run();
