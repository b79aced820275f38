/** Damage that only shows when pages are compared with each other: every checksum fits its own bytes. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressCookie } from "../../formats/address-cookie.js";
import { cellTags } from "../../formats/cell.js";
import type { CheckpointRecord, PageRecord } from "../../src/store/types.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { pageRows } from "../../src/tree/walk.js";
import type { Finding } from "../../src/verify/index.js";
import { verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";
import {
  type Contents,
  editedAndSealed,
  errorsOf,
  find,
  findingsOf,
  loadContents,
  logOf,
  mapRecords,
  occurrences,
} from "../support/log-contents.js";

const test = suite("page logs across pages");

interface Leaf {
  readonly record: PageRecord;
  /** The full image of its chain. */
  readonly image: PageRecord;
  /** The parent's record, and the bytes of the child's address in it. */
  readonly parent: PageRecord;
  readonly cookie: Uint8Array;
}

/** Leaves of the newest checkpoint with their parents; those of the largest table first. */
function leavesOf(contents: Contents): Leaf[] {
  const { records } = contents;
  const database = new PageLogDatabase(logOf(contents), "memory", {});
  const leaves: Leaf[] = [];
  for (const { uri, id } of database.tables())
    for (const { page } of database.table(uri).pages())
      for (const { data, tag, part } of pageRows(page.parts)) {
        if (tag !== cellTags.addressLeafNoOverflow && tag !== cellTags.addressLeaf) continue;
        const address = addressCookie.parse(data) as { pageId: bigint; lsn: bigint };
        const origin = page.parts[part]?.origin;
        const at = (
          { tableId, pageId, lsn }: PageRecord,
          wanted: { pageId?: bigint; lsn?: bigint },
        ): boolean => tableId === id && pageId === wanted.pageId && lsn === wanted.lsn;
        const record = records.find((other) => at(other, address));
        const parent = records.find((other) => at(other, origin ?? {}));
        const image = records.findLast(
          (other) => at(other, { ...address, lsn: other.lsn }) && other.lsn <= address.lsn && !other.isDelta,
        );
        if (record !== undefined && image !== undefined && parent !== undefined)
          leaves.push({ record, image, parent, cookie: data.slice() });
      }
  const sizeOf = (leaf: Leaf): number =>
    leaves.filter(({ record }) => record.tableId === leaf.record.tableId).length;
  return leaves.sort((a, b) => sizeOf(b) - sizeOf(a));
}

const isAt =
  ({ tableId, pageId, lsn }: PageRecord) =>
  (finding: Finding): boolean =>
    finding.tableId === tableId && finding.pageId === pageId && finding.lsn === lsn;

const listed = (findings: readonly Finding[]): string =>
  findings.map(({ code, message }) => `\n${code}: ${message}`).join("");

for (const store of ["a_small", "g_crash", "f_switch", "trees"]) {
  const contents = loadContents(store);
  const leaves = leavesOf(contents);

  test(`${store}: the whole store is sound, every checkpoint of it`, () => {
    assert.equal(errorsOf(contents, { allCheckpoints: true }), []);
    assert.ok(leaves.length > 1);
  });

  test(`${store}: two leaves change places`, () => {
    const [a, b] = leaves as [Leaf, Leaf];
    const swapped = mapRecords(contents, (record) => {
      if (record === a.image) return { ...record, data: b.image.data };
      return record === b.image ? { ...record, data: a.image.data } : record;
    });
    const errors = errorsOf(swapped);
    for (const { record } of [a, b]) {
      const found = errors.filter(
        ({ tableId, pageId }) => tableId === record.tableId && pageId === record.pageId,
      );
      assert.ok(
        found.some(({ code }) => code === "tree-keys-lost"),
        listed(errors),
      );
      assert.ok(
        found.some(({ code }) => code === "address-agreement" || code === "block-previous-checksum"),
        listed(errors),
      );
    }
  });

  test(`${store}: an older image of a page stands at its newer LSN`, () => {
    const { records } = contents;
    const before = (record: PageRecord): PageRecord | undefined =>
      records.find(
        ({ tableId, pageId, lsn, isDelta }) =>
          tableId === record.tableId && pageId === record.pageId && lsn < record.lsn && !isDelta,
      );
    const rewritten = leaves.filter(({ record }) => !record.isDelta && before(record) !== undefined);
    // Where no live leaf was written twice as an image, an older page takes the place.
    const [newer = (leaves.find(({ record }) => !record.isDelta) as Leaf).record] = rewritten.map(
      ({ record }) => record,
    );
    const older =
      before(newer) ??
      (records.find(
        ({ tableId, lsn, isDelta }) => tableId === newer.tableId && lsn < newer.lsn && !isDelta,
      ) as PageRecord);
    const replayed = mapRecords(contents, (record) =>
      record === newer ? { ...record, data: older.data } : record,
    );
    const errors = errorsOf(replayed).filter(isAt(newer));
    assert.ok(
      errors.some(({ code }) => code === "address-agreement"),
      listed(errors),
    );
    assert.ok(
      errors.some(({ code }) => code === "tree-keys-lost"),
      listed(errors),
    );
  });

  test(`${store}: the LSN in an address is another, and all checksums above it fit`, () => {
    const { record, parent, cookie } = leaves.find(
      (leaf) => occurrences(leaf.parent.data, leaf.cookie).length === 1,
    ) as Leaf;
    const address = addressCookie.parse(cookie);
    const other = addressCookie.build({ ...address, lsn: record.lsn - 1n } as typeof address);
    assert.is(other.length, cookie.length);
    const errors = errorsOf(
      editedAndSealed(contents, parent, (data) => data.set(other, occurrences(data, cookie)[0] as number)),
    );
    assert.ok(
      errors.some(
        ({ code, pageId, lsn }) =>
          code === "address-record" && pageId === record.pageId && lsn === record.lsn - 1n,
      ),
      listed(errors),
    );
    assert.ok(
      errors.some(
        ({ code, consequence = "" }) => code === "tree-keys-lost" && consequence.includes("cannot be read"),
      ),
      listed(errors),
    );
  });

  test(`${store}: a child's checksum in its parent is another: the address is named, not the sound page`, () => {
    const { record, parent, cookie } = leaves.find(
      (leaf) => occurrences(leaf.parent.data, leaf.cookie).length === 1,
    ) as Leaf;
    const changed = editedAndSealed(contents, parent, (data) => {
      const end = (occurrences(data, cookie)[0] as number) + cookie.length;
      data[end - 1] = (data[end - 1] as number) ^ 1;
    });
    const found = errorsOf(changed).filter(({ code }) => code === "address-agreement");
    assert.is(found.length, 1);
    assert.ok(isAt(parent)(found[0] as Finding), listed(found));
    assert.ok(found[0]?.message.includes(`page ${record.pageId} at LSN ${record.lsn}`));
  });
}

test("damage below an older checkpoint alone", () => {
  const contents = loadContents("a_small");
  // The root of checkpoint 6: the last separator is raised above the keys of its child.
  const record = find(contents, 41, 144, 130);
  const [last] = occurrences(record.data, new TextEncoder().encode("key000")).slice(-1) as [number];
  const changed = editedAndSealed(contents, record, (data) => {
    data[last + 3] = 0x39;
  });
  assert.equal(errorsOf(changed), []);
  assert.equal(
    errorsOf(changed, { allCheckpoints: true }).map(({ code, pageId, lsn }) => [code, pageId, lsn]),
    [["tree-key-range", 114n, 129n]],
  );
});

test("the keys of a lost page are named on request only", () => {
  const contents = loadContents("a_small");
  const damaged = mapRecords(contents, (record) =>
    record.tableId === 41n && record.pageId === 101n && record.lsn === 22n ? undefined : record,
  );
  const told = (showKeys: boolean): string =>
    errorsOf(damaged, { showKeys }).find(({ code }) => code === "tree-keys-lost")?.consequence ?? "";
  assert.match(
    told(false),
    /^a range of keys of file:small.wt_stable \(-k shows it\) cannot be read; .*65 rows/,
  );
  assert.match(told(true), /^keys from 6b65793030303037 to below 6b6579303030313335 of file:small.wt_stable/);
});

test("an export without its checkpoints lacks their LSNs, which is no error", async () => {
  const { findings } = await verify([corpusPath("palm", "a_small", "export", "pages.jsonl")]);
  assert.equal(
    findings.filter(({ severity }) => severity === "error"),
    [],
  );
  assert.equal(
    findings.filter(({ code }) => code === "lsn-gap").map(({ severity }) => severity),
    ["info"],
  );
});

test("an export whose counters name checkpoints that are not there is damaged", async () => {
  for (const left of [undefined, ""])
    await inExport({ "checkpoints.jsonl": left }, async (folder) => {
      const { findings } = await verify([folder]);
      const codes = findings.filter(({ severity }) => severity === "error").map(({ code }) => code);
      assert.equal([...new Set(codes)].sort(), ["checkpoint-counter", "lsn-gap"]);
      const counter = findings.find(({ code }) => code === "checkpoint-counter");
      assert.equal([counter?.expected, counter?.actual], [7n, 0n]);
    });
});

test("an export without its counters says that they could not be checked", async () => {
  for (const left of [undefined, ""])
    await inExport({ "globals.jsonl": left }, async (folder) => {
      const { findings, summary } = await verify([folder]);
      assert.equal(
        findings.map(({ code, severity }) => [code, severity]),
        [["unchecked", "info"]],
      );
      assert.match(findings[0]?.message ?? "", "no LSN and checkpoint counters");
      assert.is(summary.complete, false);
    });
});

/** The export of a_small with other files; undefined leaves one out. */
async function inExport(
  changes: Record<string, string | undefined>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-export-"));
  try {
    for (const name of readdirSync(corpusPath("palm", "a_small", "export"))) {
      if (!(name in changes)) copyFileSync(corpusPath("palm", "a_small", "export", name), join(folder, name));
      else if (changes[name] !== undefined) writeFileSync(join(folder, name), changes[name]);
    }
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a checkpoint without an id may share an LSN with its turtle page", () => {
  const contents = loadContents("a_small");
  const shared: Contents = {
    ...contents,
    kind: "palite",
    globals: {},
    checkpoints: contents.checkpoints.map(({ checkpointId: _, ...record }) => ({
      ...record,
      lsn: record.lsn - 1n,
    })),
  };
  assert.equal(
    errorsOf(shared).filter(({ code }) => code === "lsn-unique"),
    [],
  );
});

test("a checkpoint whose own LSN was never given is named", () => {
  const contents = loadContents("a_small");
  const checkpoints = contents.checkpoints.map(({ checkpointId: _, ...record }) => record);
  const [first, ...others] = checkpoints;
  const moved = { ...(first as CheckpointRecord), lsn: (1n << 40n) + 1n };
  const palite: Contents = {
    ...contents,
    kind: "palite",
    globals: { lsnCounter: 167n, lsnCounterIs: "last" },
    checkpoints,
  };
  const named = (store: Contents): unknown[] =>
    errorsOf(store).flatMap(({ code, lsn }) => (code === "lsn-counter" ? [lsn] : []));
  assert.equal(named(palite), []);
  const damaged = { ...palite, checkpoints: [...others, moved] };
  assert.equal(named(damaged), [moved.lsn]);
  assert.equal(
    errorsOf(damaged).flatMap(({ code, field, lsn }) => (code === "checkpoint-order" ? [[field, lsn]] : [])),
    [["lsn", moved.lsn]],
  );
});

test("a checkpoint whose own LSN is another is the only one that is blamed, whichever it is", () => {
  const contents = loadContents("a_small");
  const sound = contents.checkpoints.map(({ checkpointId: _, ...record }) => record);
  const globals = { lsnCounter: 167n, lsnCounterIs: "last" } as const;
  const errors = (checkpoints: readonly CheckpointRecord[]): Finding[] =>
    errorsOf({ ...contents, kind: "palite", globals, checkpoints }, { allCheckpoints: true });
  assert.equal(errors(sound), []);
  for (const [at, record] of sound.entries())
    for (const lsn of [1n, 100n, (1n << 40n) + 1n]) {
      const [own, next] = [record.lsn - 1n, sound[at + 1]?.lsn ?? 1n << 63n];
      // Between its turtle page and the next one nothing tells that it is another.
      if (lsn >= own && lsn < next - 1n && lsn < 168n) continue;
      const moved = { ...record, lsn };
      const checkpoints = [...sound.filter((other) => other !== record), moved];
      const found = errors(checkpoints.sort((a, b) => (a.lsn < b.lsn ? -1 : 1)));
      assert.ok(found.length > 0, `${record.lsn} becomes ${lsn}`);
      for (const finding of found)
        assert.is(finding.lsn, lsn, `${record.lsn} becomes ${lsn}: ${listed([finding])}`);
    }
});

test("the orphans of a checkpoint that never completed are information; all of them are counted", () => {
  const findings = findingsOf(loadContents("g_crash"), { allCheckpoints: true });
  assert.equal(
    findings.map(({ code, severity, actual }) => [code, severity, actual]),
    [["record-orphans", "info", 30]],
  );
});

test.run();
