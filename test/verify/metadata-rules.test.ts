/** Rules on rows of metadata as nodes of disaggregated storage keep them in their own home. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type MetadataRow, MetadataSubject } from "../../src/verify/metadata.js";
import { metadataNamespace } from "../../src/verify/rules/metadata/metadata-namespace.js";
import { metadataReferences } from "../../src/verify/rules/metadata/metadata-reference.js";
import { metadataTable } from "../../src/verify/rules/metadata/metadata-table.js";
import { metadataUri } from "../../src/verify/rules/metadata/metadata-uri.js";

const test = suite("metadata of a node's home");
const layered = 'ingest="file:t1.wt_ingest",stable="file:t1.wt_stable"';

/** As a node of mid-2025 had them while it ran. */
const node: Readonly<Record<string, string>> = {
  "file:WiredTigerHS.wt": "block_manager=default,id=32",
  "file:WiredTigerShared.wt_stable": "block_manager=default,id=9",
  "file:WiredTigerSharedHS.wt_stable": "block_manager=disagg,id=25",
  "file:t1.wt_ingest": "block_manager=default,id=24",
  "file:t1.wt_stable": "block_manager=default,id=41",
  "file:t2": "block_manager=disagg,id=49",
  "layered:t1": layered,
};

function subject(texts: Readonly<Record<string, string>>): MetadataSubject {
  const rows = Object.entries(texts).map(
    ([uri, value]): MetadataRow => ({ uri, value, place: { path: "home" } }),
  );
  const ids = rows.flatMap(({ uri, value }): Array<[string, bigint]> => {
    const id = /id=(\d+)/.exec(value)?.[1];
    return id === undefined ? [] : [[uri, BigInt(id)]];
  });
  return new MetadataSubject(rows, new Map(ids), { path: "home" }, "local");
}

function found(texts: Readonly<Record<string, string>>): Array<string | undefined> {
  const tables: Array<string | undefined> = [];
  for (const rule of [metadataNamespace, metadataReferences])
    rule.check(subject(texts), ({ table, actual }) => tables.push(`${table} ${actual}`));
  return tables;
}

test("a sound one", () => {
  assert.equal(found(node), []);
  assert.equal(found({ ...node, "file:WiredTigerSharedHS.wt_stable": "id=18" }), []);
});

test("local tables with shared ids, and the other way round", () => {
  assert.equal(found({ ...node, "file:t1.wt_ingest": "id=25" }), ["file:t1.wt_ingest shared"]);
  assert.equal(found({ ...node, "file:t2": "block_manager=disagg,id=48" }), ["file:t2 local"]);
  assert.equal(found({ ...node, "file:a.wt": "id=15" }), ["file:a.wt unknown"]);
});

test("homes made before namespaces are not judged", () => {
  assert.equal(found({ "file:WiredTigerHS.wt": "id=1", "file:a.wt": "id=2", "file:b.wt": "id=5" }), []);
  assert.equal(found({ "file:a.wt": "id=2" }), []);
});

test("parts of a table without their table", () => {
  const parts = { "colgroup:t": "source=", "colgroup:u:a": "source=", "index:t:i": "source=" };
  const told = (rows: Readonly<Record<string, string>>): unknown[] => {
    const missing: unknown[] = [];
    metadataTable.check(subject(rows), ({ actual }) => missing.push(actual));
    return missing;
  };
  assert.equal(told(parts), ["table:t", "table:u", "table:t"]);
  assert.equal(told({ ...parts, "table:t": "colgroups=", "table:u": "colgroups=(a)" }), []);
});

test("a row of no known kind is an error only where it has a file's checkpoints", () => {
  const told = (rows: Readonly<Record<string, string>>): unknown[] => {
    const severities: unknown[] = [];
    metadataUri.check(subject(rows), ({ table, severity }) => severities.push([table, severity]));
    return severities;
  };
  assert.equal(told({ ...node, "system:oldest": "", "tiered:x": "checkpoint=" }), []);
  assert.equal(told({ "filf:a.wt": "id=1,checkpoint=(x=(addr=))", "mine:a": "id=2" }), [
    ["filf:a.wt", undefined],
    ["mine:a", "info"],
  ]);
});

test("both sides of a layered table", () => {
  const { "file:t1.wt_ingest": _, ...rest } = node;
  assert.equal(found(rest), ["layered:t1 file:t1.wt_ingest"]);
});

test.run();
