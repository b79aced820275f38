/** The metadata's tree edited: every changed row is there, every other one as it was, and the space adds up. */
import { closeSync, cpSync, existsSync, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { encodeText } from "../../src/codec/text.js";
import { METADATA_FILE, readMetadata, TURTLE_FILE } from "../../src/repair/classic/home.js";
import { buildTail, type Tail, type TailOptions } from "../../src/repair/classic/tail.js";
import type { RowChange } from "../../src/repair/classic/tree-edit.js";
import { RepairRefusal } from "../../src/repair/error.js";
import { verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";

const CORPUS = corpusPath();
const homes = ["classic-12.0", "classic-3.2.1"].flatMap((version) =>
  readdirSync(join(CORPUS, version), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${version}/${name}`),
);
const TIME: TailOptions = { time: 1_800_000_000n };

const change = (uri: string, value: string | undefined): RowChange => ({
  key: encodeText(`${uri}\0`),
  value: value === undefined ? undefined : encodeText(`${value}\0`),
});
const sorted = (changes: readonly RowChange[]): RowChange[] =>
  [...changes].sort((a, b) => Buffer.compare(a.key, b.key));

function write(home: string, tail: Tail): void {
  const file = openSync(join(home, METADATA_FILE), "r+");
  for (const { bytes, offset } of tail.blocks) writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
  writeFileSync(join(home, TURTLE_FILE), encodeText(tail.turtle));
}

const textRows = (home: string): Map<string, string> =>
  new Map([...readMetadata(home).rows].map(([uri, { value }]) => [uri, value]));

/** Makes the changes, then compares every row and lets the whole directory be verified. */
async function assertEdited(home: string, changes: readonly RowChange[], options = TIME): Promise<Tail> {
  const before = readMetadata(home);
  const expected = textRows(home);
  for (const { key, value } of changes) {
    const uri = Buffer.from(key).toString("latin1").slice(0, -1);
    if (value === undefined) expected.delete(uri);
    else expected.set(uri, Buffer.from(value).toString("latin1").slice(0, -1));
  }
  const tail = buildTail(before, sorted(changes), options);
  write(home, tail);
  const after = readMetadata(home);
  assert.equal(
    new Map([...after.rows].map(([uri, { value }]) => [uri, value])),
    new Map([...expected].sort(([a], [b]) => Buffer.compare(Buffer.from(`${a}\0`), Buffer.from(`${b}\0`)))),
  );
  assert.is(after.length, tail.fileSize);
  assert.is(after.tree.bytes, tail.checkpoint.size);
  assert.ok(after.tree.writeGen > before.tree.writeGen);
  assert.is(after.checkpoint.order, before.checkpoint.order + 1n);
  const { findings, summary } = await verify([home], { threads: 1 });
  // The rows' own contents are the test's business; everything they are stored in has to be sound.
  const bad = findings.filter(({ severity, code }) => severity !== "info" && !code.startsWith("metadata-"));
  assert.equal(
    bad.map(({ code, message, path }) => `${path} ${code}: ${message}`),
    [],
  );
  assert.ok(summary.complete);
  return tail;
}

const test = suite("repair: tail");

for (const name of homes)
  test(`${name}: one value shorter, equal, longer, much longer; first, middle and last row`, async () => {
    await inTemporary(name, async (home) => {
      const rows = [...textRows(home)];
      for (const place of [0, 0.5, 1]) {
        const [uri, value] = rows[Math.round(place * (rows.length - 1))] as [string, string];
        const values = [
          value.slice(0, -3),
          "x".repeat(value.length),
          `a=${"y".repeat(100_000)}`,
          `${value}longer`,
        ];
        // Every length at one place of a home, and at every place of all homes.
        for (const next of values.slice(place * 2, place * 2 + 2))
          await assertEdited(home, [change(uri, next)]);
      }
    });
  });

async function inTemporary(name: string, work: (home: string) => Promise<void>): Promise<void> {
  const { mkdtempSync, rmSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const folder = mkdtempSync(join(tmpdir(), "pugmark-repair-"));
  try {
    const home = join(folder, "home");
    cpSync(join(CORPUS, name), home, { recursive: true });
    await work(home);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const name of ["classic-12.0/basic", "classic-3.2.1/deb_basic"]) {
  test(`${name}: rows come and go, by thousands and at random, on metadata of one to three levels`, async () => {
    await inTemporary(name, async (home) => {
      const [, sample] = [...textRows(home)].find(([uri]) => uri.startsWith("table:")) as [string, string];
      const many = Array.from({ length: 6000 }, (_, i) =>
        change(`table:t${String(i * 7).padStart(6, "0")}`, sample + "x".repeat(i % 1900)),
      );
      const tail = await assertEdited(home, many);
      assert.ok(readMetadata(home).tree.levels >= 3, `${readMetadata(home).tree.levels} levels`);
      assert.ok(tail.blocks.filter(({ role }) => role === "leaf").length > 100);
      const random = seededRandom(5);
      for (let round = 0; round < 5; round++) {
        const uris = [...textRows(home).keys()].filter((uri) => uri.startsWith("table:t0"));
        const changes = new Map<string, RowChange>();
        for (let i = random.below(40); i >= 0; i--) {
          const uri = uris[random.below(uris.length)] as string;
          const kind = random.below(3);
          if (kind === 0) changes.set(uri, change(uri, undefined));
          else if (kind === 1)
            changes.set(uri, change(uri, `app_metadata=${"z".repeat(random.below(5000))}`));
          else changes.set(`${uri}b`, change(`${uri}b`, sample));
        }
        await assertEdited(home, [...changes.values()], { ...TIME, keep: round % 4 === 3 });
      }
      await assertEdited(
        home,
        [...textRows(home).keys()]
          .filter((uri) => uri.startsWith("table:t0"))
          .map((uri) => change(uri, undefined)),
      );
    });
  });
}

test("the checkpoint before is kept on request, and a named one always", async () => {
  await inTemporary("classic-12.0/basic", async (home) => {
    const before = readMetadata(home);
    const [uri] = [...before.rows.keys()].filter((name) => name.startsWith("table:"));
    const tail = await assertEdited(home, [change(uri as string, "app_metadata=kept")], {
      ...TIME,
      keep: true,
    });
    assert.is(tail.mode, "keep");
    assert.is(readMetadata(home).config.checkpoints.length, before.config.checkpoints.length + 1);
    const again = await assertEdited(home, [change(uri as string, "app_metadata=replaced")]);
    assert.is(again.mode, "replace");
    assert.is(readMetadata(home).config.checkpoints.length, before.config.checkpoints.length + 1);
  });
});

test("the same edit gives the same bytes, and reading changes nothing", () => {
  const home = join(CORPUS, "classic-12.0/basic");
  const metadata = readMetadata(home);
  const [uri] = [...metadata.rows.keys()];
  const make = (): Tail => buildTail(readMetadata(home), [change(uri as string, "a=1")], TIME);
  assert.equal(make(), make());
});

test("a flipped byte in any block the repair rests on is refused", () => {
  const source = join(CORPUS, "classic-12.0/basic");
  const { checkpoint, tree } = readMetadata(source);
  const lists = [checkpoint.alloc, checkpoint.avail, checkpoint.discard].flatMap(({ block }) => block ?? []);
  for (const { offset, size } of [...lists, tree.root.location])
    for (const at of [offset + 3, offset + 33, offset + size - 1])
      inTemporaryFolder((folder) => {
        const home = join(folder, "home");
        cpSync(source, home, { recursive: true });
        const file = openSync(join(home, METADATA_FILE), "r+");
        writeSync(file, Uint8Array.of(0x5a), 0, 1, at);
        closeSync(file);
        assert.throws(
          () => readMetadata(home),
          (error: unknown) => error instanceof RepairRefusal && error.code === "metadata-damaged",
        );
      });
  assert.ok(existsSync(source));
});

test.run();
