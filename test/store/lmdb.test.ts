import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  LMDB_MAGIC,
  LMDB_NO_PAGE,
  LMDB_OVERFLOW_COUNT,
  lmdbDatabaseFlags,
  lmdbLeafNode,
  lmdbMeta,
  lmdbOffsets,
  lmdbPage,
  lmdbPageFlags,
} from "../../formats/lmdb.js";
import { palmKey } from "../../formats/palm.js";
import { seededRandom } from "../../src/codec/index.js";
import { MemoryAccess } from "../../src/store/file.js";
import { InputError } from "../../src/store/input-error.js";
import { type LmdbDatabase, LmdbEnvironment } from "../../src/store/lmdb.js";
import { PalmStore } from "../../src/store/palm.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";
import { skipped } from "../support/skip.js";

const test = suite("LMDB environments");
const PAGE = 4096;
const { header: HEADER, meta: META } = lmdbOffsets;
const bytesOf = (store: string): Buffer => readFileSync(corpusPath("palm", store, "kv_home", "data.mdb"));
const open = (bytes: Uint8Array): LmdbEnvironment => new LmdbEnvironment(new MemoryAccess("data.mdb", bytes));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function entriesOf(env: LmdbEnvironment, database: LmdbDatabase): [string, string][] {
  const entries: [string, string][] = [];
  const cursor = env.cursor(database).watchForLoops();
  for (let more = cursor.first(); more; more = cursor.next())
    entries.push([hex(cursor.key()), hex(cursor.value())]);
  return entries;
}

/** What `mdb_dump` prints of a copy: key and value lines, hex, each after a space. */
function dumped(store: string, database: string): [string, string][] | undefined {
  return inTemporaryFolder((folder) => {
    copyFileSync(corpusPath("palm", store, "kv_home", "data.mdb"), join(folder, "data.mdb"));
    const { status, stdout, error } = spawnSync("mdb_dump", ["-s", database, folder], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (error !== undefined) return undefined;
    assert.is(status, 0);
    const lines = stdout
      .split("\n")
      .filter((line) => line.startsWith(" "))
      .map((line) => line.slice(1));
    return Array.from({ length: lines.length / 2 }, (_, i) => [
      lines[2 * i] as string,
      lines[2 * i + 1] as string,
    ]);
  });
}

test("every key and value of every database is what mdb_dump prints", () => {
  for (const store of ["a_small", "trees"]) {
    const env = open(bytesOf(store));
    const databases = env.databases();
    assert.equal([...databases.keys()], ["checkpoints", "globals", "pages", "tables"]);
    for (const [name, database] of databases) {
      const expected = dumped(store, name);
      if (expected === undefined) return skipped("mdb_dump is not installed", "other");
      const found = entriesOf(env, database);
      assert.is(found.length, expected.length, `${store} ${name}`);
      found.forEach((entry, at) => {
        assert.equal(entry, expected[at]);
      });
      assert.is(BigInt(found.length), database.entries);
    }
    assert.equal(env.issues, []);
  }
});

test("seeking and walking backwards agree with walking forwards", () => {
  const env = open(bytesOf("trees"));
  for (const database of env.databases().values()) {
    const keys = entriesOf(env, database).map(([key]) => key);
    const cursor = env.cursor(database);
    const backwards: string[] = [];
    for (let more = cursor.last(); more; more = cursor.previous()) backwards.push(hex(cursor.key()));
    assert.equal(backwards.reverse(), keys);
    keys.forEach((key, at) => {
      const bytes = Buffer.from(key, "hex");
      assert.ok(cursor.seek(bytes));
      assert.is(hex(cursor.key()), key);
      // Just above a key stands the next one. Integers sort from their last byte on: there it is another rule.
      if ((database.flags & lmdbDatabaseFlags.integerKey) !== 0) return;
      const above = cursor.seek(Buffer.concat([bytes, Buffer.of(0)]));
      assert.is(above ? hex(cursor.key()) : undefined, keys[at + 1]);
    });
  }
});

/** An environment of one page log with one record, built from the declarations. */
function builtEnvironment(value: Buffer): Buffer {
  const none = {
    pad: 0,
    flags: 0,
    depth: 0,
    branchPages: 0n,
    leafPages: 0n,
    overflowPages: 0n,
    entries: 0n,
    root: LMDB_NO_PAGE,
  };
  const tree = { ...none, depth: 1, leafPages: 1n, entries: 1n };
  const run = Math.ceil((16 + value.length) / PAGE);
  const meta = (pageNumber: bigint) =>
    lmdbMeta.build({
      pageNumber,
      pad: 0,
      flags: lmdbPageFlags.meta,
      unused: 0,
      magic: LMDB_MAGIC,
      version: 1,
      fixedAddress: 0n,
      mapSize: 1n << 30n,
      freeList: { ...none, pad: PAGE },
      main: { ...tree, root: 2n },
      lastPage: BigInt(3 + run),
      transaction: pageNumber,
    });
  const leaf = (number: number, node: Uint8Array): Buffer => {
    const upper = PAGE - node.length - (node.length % 2);
    const page = Buffer.alloc(PAGE);
    page.set(
      lmdbPage.build({
        pageNumber: BigInt(number),
        pad: 0,
        flags: lmdbPageFlags.leaf,
        lower: 18,
        upper,
        pointers: [upper],
        rest: new Uint8Array(0),
      }),
    );
    page.set(node, upper);
    return page;
  };
  const database = { kind: "database", ...tree, overflowPages: BigInt(run), root: 3n } as const;
  const main = lmdbLeafNode.build({
    sizeLow: 48,
    sizeHigh: 0,
    flags: 2,
    keySize: 5,
    key: Buffer.from("pages"),
    data: database,
  });
  const key = palmKey.build(palmKey.generate(seededRandom(1), { generation: "L88" }));
  const node = lmdbLeafNode.build({
    sizeLow: value.length & 0xffff,
    sizeHigh: value.length >>> 16,
    flags: 1,
    keySize: key.length,
    key,
    data: { kind: "overflow", page: 4n },
  });
  const file = Buffer.alloc((4 + run) * PAGE);
  file.set(meta(0n));
  file.set(meta(1n), PAGE);
  file.set(leaf(2, main), 2 * PAGE);
  file.set(leaf(3, node), 3 * PAGE);
  file.writeUInt32LE(4, 4 * PAGE);
  file.writeUInt16LE(lmdbPageFlags.overflow, 4 * PAGE + HEADER.flags);
  file.writeUInt32LE(run, 4 * PAGE + LMDB_OVERFLOW_COUNT);
  file.set(value, 4 * PAGE + 16);
  return file;
}

test("an environment built from the declarations is one, for mdb_dump too; large values are whole or named", () => {
  const value = Buffer.from(Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 7) & 0xff));
  const file = builtEnvironment(value);
  const records = (bytes: Buffer) => {
    const store = new PalmStore(new MemoryAccess("data.mdb", bytes));
    const found = [...store.records()].map(({ data, issues }) => [
      Buffer.compare(data, value),
      issues.map(({ code }) => code).join(),
    ]);
    assert.equal(store.issues, []);
    return found;
  };
  assert.equal(records(file), [[0, ""]]);
  for (const run of [1, 700])
    assert.equal(records(changed(file, (copy) => copy.writeUInt32LE(run, 4 * PAGE + LMDB_OVERFLOW_COUNT))), [
      [-1, "record-data"],
    ]);
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "data.mdb"), file);
    const { stdout, error } = spawnSync("mdb_dump", ["-s", "pages", folder], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (error !== undefined) return skipped("mdb_dump is not installed", "other");
    assert.ok(stdout.includes(`\n ${value.toString("hex")}\n`));
  });
});

/** A copy with one 16- or 64-bit number changed. */
function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}
const codes = (env: LmdbEnvironment): string[] => env.issues.map(({ code }) => code);
const pages = (env: LmdbEnvironment): LmdbDatabase => env.databases().get("pages") as LmdbDatabase;

test("without the newer meta page the older one serves; without both there is nothing", () => {
  const bytes = bytesOf("a_small");
  const env = open(bytes);
  assert.is(env.metaPage, 1);
  const older = open(changed(bytes, (copy) => copy.fill(0, PAGE + META.magic, PAGE + META.magic + 4)));
  assert.is(older.metaPage, 0);
  assert.equal(codes(older), ["lmdb-meta"]);
  const first = open(changed(bytes, (copy) => copy.writeUInt8(0x55, META.magic)));
  assert.is(first.metaPage, 1);
  assert.is(entriesOf(first, pages(first)).length, 160);
  const none = open(changed(bytes, (copy) => copy.fill(0, 0, 2 * PAGE)));
  assert.is(none.meta, undefined);
  assert.equal([...none.databases()], []);
});

test("another version of LMDB is refused, a damaged version is not", () => {
  const bytes = bytesOf("a_small");
  const one = changed(bytes, (copy) => copy.writeUInt32LE(2, META.version));
  assert.is(new PalmStore(new MemoryAccess("data.mdb", one)).issues.length, 1);
  const both = changed(one, (copy) => copy.writeUInt32LE(2, PAGE + META.version));
  assert.throws(
    () => new PalmStore(new MemoryAccess("data.mdb", both)),
    (error: unknown) =>
      error instanceof InputError && error.code === "input-unsupported" && /version 2/.test(error.message),
  );
});

/** Root of `pages` in `a_chain`: a branch page, its children leaves. */
function rootOf(bytes: Buffer): { page: number; children: number[]; nodes: number[] } {
  const page = pages(open(bytes)).root as number;
  const start = page * PAGE;
  assert.is(bytes.readUInt16LE(start + HEADER.flags), lmdbPageFlags.branch);
  const count = (bytes.readUInt16LE(start + HEADER.lower) - 16) / 2;
  const nodes = Array.from({ length: count }, (_, i) => start + bytes.readUInt16LE(start + 16 + 2 * i));
  return { page, nodes, children: nodes.map((node) => bytes.readUInt32LE(node)) };
}

/** The keys that are left, and what is said of the others. */
function survey(bytes: Buffer): { keys: number; issues: LmdbEnvironment["issues"] } {
  const env = open(bytes);
  return { keys: entriesOf(env, pages(env)).length, issues: env.issues };
}

test("a damaged leaf costs its own records only, and its place is named", () => {
  const bytes = bytesOf("a_chain");
  const all = survey(bytes).keys;
  const { children } = rootOf(bytes);
  const victim = (children[3] as number) * PAGE;
  const onLeaf = (bytes.readUInt16LE(victim + HEADER.lower) - 16) / 2;
  for (const [name, damage, code] of [
    ["own number", (copy: Buffer) => copy.writeUInt32LE(7, victim), "lmdb-page-header"],
    [
      "flags",
      (copy: Buffer) => copy.writeUInt16LE(lmdbPageFlags.overflow, victim + HEADER.flags),
      "lmdb-page-header",
    ],
    ["bounds", (copy: Buffer) => copy.writeUInt16LE(5, victim + HEADER.lower), "lmdb-page-header"],
  ] as const) {
    const { keys, issues } = survey(changed(bytes, damage));
    assert.is(keys, all - onLeaf, name);
    assert.equal(
      issues.map((issue) => issue.code),
      [code],
      name,
    );
    const offset = issues[0]?.place.offset ?? -1;
    assert.is(Math.floor(offset / PAGE) * PAGE, victim, name);
  }
  const { keys, issues } = survey(changed(bytes, (copy) => copy.writeUInt16LE(4095, victim + 16)));
  assert.is(keys, all - 1);
  assert.equal(
    issues.map(({ code, place }) => [code, place.offset]),
    [["lmdb-node", victim + 16]],
  );
});

test("pages in circles, pages used twice and page numbers out of range end the walk, not the program", () => {
  const bytes = bytesOf("a_chain");
  const { page, children, nodes } = rootOf(bytes);
  for (const [target, code] of [
    [page, "lmdb-page-twice"],
    [children[0], "lmdb-page-twice"],
    [1, "lmdb-page-number"],
    [0xffffff, "lmdb-page-number"],
  ] as const) {
    const { keys, issues } = survey(
      changed(bytes, (copy) => copy.writeUInt32LE(target as number, nodes[2] as number)),
    );
    assert.equal(
      issues.map((issue) => issue.code),
      [code],
    );
    assert.is(issues[0]?.place.offset, nodes[2]);
    assert.ok(keys > 0);
  }
});

test("branches that lead to one another on countless ways are given up on", () => {
  const bytes = bytesOf("a_chain");
  const { page, children } = rootOf(bytes);
  // Every child becomes a branch page like the root: from each, every other can be reached.
  const tangle = changed(bytes, (copy) => {
    for (const child of children) {
      copy.copy(copy, child * PAGE, page * PAGE, (page + 1) * PAGE);
      copy.writeUInt32LE(child, child * PAGE);
    }
  });
  const env = open(tangle);
  const cursor = env.cursor(pages(env));
  const started = Date.now();
  assert.not(cursor.first());
  assert.not(cursor.last());
  assert.not(cursor.seek(Buffer.alloc(24, 1)));
  assert.ok(Date.now() - started < 1000, "took over a second");
  assert.ok(codes(env).includes("lmdb-page-twice"));
});

test("a file that ends early is named, and what is there is read", () => {
  const bytes = bytesOf("trees");
  const { main } = open(bytes);
  const { keys, issues } = survey(bytes.subarray(0, ((main?.root as number) + 1) * PAGE) as Buffer);
  assert.is(issues[0]?.code, "lmdb-truncated");
  assert.ok(issues.slice(1).every(({ code }) => code === "lmdb-page-number"));
  assert.ok(keys > 1000, `${keys} keys`);
});

/** Reads all there is, every way there is; damage may show, but nothing may escape. */
function exercise(bytes: Uint8Array): void {
  let store: PalmStore;
  try {
    store = new PalmStore(new MemoryAccess("data.mdb", bytes));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return;
  }
  const places: [bigint, bigint, bigint][] = [];
  for (const { tableId, pageId, lsn, data } of store.records()) {
    assert.ok(data.length <= bytes.length);
    places.push([tableId, pageId, lsn]);
    assert.ok(places.length < 10_000, "more records than the file can hold");
  }
  for (const [tableId, pageId, lsn] of places.slice(0, 20)) store.chain(tableId, pageId, lsn);
  store.checkpoints();
}

test("no flipped byte and no cut makes it throw, loop or grow", () => {
  const bytes = bytesOf("a_small");
  // Meta pages and tree pages; the insides of values are other people's business.
  const structural = Array.from({ length: bytes.length / PAGE }, (_, page) => page).filter((page) => {
    const flags = bytes.readUInt16LE(page * PAGE + HEADER.flags);
    return (
      (flags & (lmdbPageFlags.branch | lmdbPageFlags.leaf | lmdbPageFlags.meta)) !== 0 ||
      flags === lmdbPageFlags.overflow
    );
  });
  const flip = fc.record({
    page: fc.constantFrom(...structural),
    at: fc.nat({ max: 199 }),
    mask: fc.integer({ min: 1, max: 255 }),
  });
  const before = process.memoryUsage();
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 6 }), (flips) => {
      exercise(
        changed(bytes, (copy) => {
          for (const { page, at, mask } of flips)
            copy[page * PAGE + at] = (copy[page * PAGE + at] as number) ^ mask;
        }),
      );
    }),
    { numRuns: 1500 },
  );
  for (let length = 0; length < bytes.length; length += 1021) exercise(bytes.subarray(0, length));
  const after = process.memoryUsage();
  assert.ok(after.rss - before.rss < 200 * 1024 * 1024, `memory grew by ${after.rss - before.rss}`);
});

test.run();
