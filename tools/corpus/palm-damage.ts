/**
 * Which record of a damaged page log differs from the healthy one, and how. LMDB keeps both in key order and
 * the healthy store's export names its records in that order, so no key layout is needed here.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Damage = {
  tableId: number;
  pageId: number;
  lsn: number;
} & ({ change: "removed" } | { change: "changed"; bytes: { offset: number; old: number; new: number }[] });

interface Named {
  key: string;
  value: string;
  tableId: number;
  pageId: number;
  lsn: number;
}

/** Both are folders with `kv_home/data.mdb`; the healthy one also has `export/pages.jsonl`. */
export function findDamage(healthy: string, damaged: string): Damage {
  const left = new Map(dumpPages(damaged));
  const differing = namedRecords(healthy).filter(({ key, value }) => left.get(key) !== value);
  const [record, ...others] = differing;
  if (record === undefined || others.length > 0) {
    throw new Error(`${damaged}: ${differing.length} records differ, not one`);
  }
  const { tableId, pageId, lsn } = record;
  const value = left.get(record.key);
  if (value === undefined) return { tableId, pageId, lsn, change: "removed" };
  return { tableId, pageId, lsn, change: "changed", bytes: differingBytes(record.value, value) };
}

function namedRecords(store: string): Named[] {
  const lines = readFileSync(join(store, "export", "pages.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  const records = dumpPages(store);
  if (lines.length !== records.length) throw new Error(`${store}: the export has another number of records`);
  return records.map(([key, value], index) => {
    const line = JSON.parse(lines[index] ?? "") as Record<string, unknown>;
    if (line.data_hex !== value)
      throw new Error(`${store}: line ${index + 1} of the export is another record`);
    return {
      key,
      value,
      tableId: Number(line.table_id),
      pageId: Number(line.page_id),
      lsn: Number(line.lsn),
    };
  });
}

function differingBytes(before: string, after: string): { offset: number; old: number; new: number }[] {
  const [old, now] = [Buffer.from(before, "hex"), Buffer.from(after, "hex")];
  if (old.length !== now.length) throw new Error("a changed record has another length");
  const offsets = [...old.keys()].filter((offset) => old[offset] !== now[offset]);
  return offsets.map((offset) => ({ offset, old: old[offset] as number, new: now[offset] as number }));
}

/** Key and value, in hex, of every record of the `pages` database. */
function dumpPages(store: string): [key: string, value: string][] {
  // mdb_dump creates lock.mdb beside what it reads: let it have a copy.
  const copy = mkdtempSync(join(tmpdir(), "pugmark-corpus-"));
  try {
    copyFileSync(join(store, "kv_home", "data.mdb"), join(copy, "data.mdb"));
    const dump = spawnSync("mdb_dump", ["-s", "pages", copy], { encoding: "utf8", maxBuffer: 2 ** 30 });
    if (dump.error) throw dump.error;
    if (dump.status !== 0) throw new Error(`mdb_dump of ${store}: ${dump.stderr}`);
    const lines = dump.stdout.split("\n").filter((line) => line.startsWith(" "));
    return Array.from({ length: lines.length / 2 }, (_, row) => [
      (lines[2 * row] ?? "").trim(),
      (lines[2 * row + 1] ?? "").trim(),
    ]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
