import { suite } from "uvu";
import * as assert from "uvu/assert";
import { MetadataModel } from "../../fuzz/targets/repair-model.js";
import type { RepairEdit } from "../../src/repair/index.js";

const test = suite("model of a page log's repair");

const before = new Map([
  ["file:a.wt_stable", "app_metadata=,checkpoint=(c.1=(addr=1)),id=17"],
  ["file:b.wt_stable", "app_metadata=,checkpoint=(c.1=(addr=2)),id=25"],
  ["layered:a", 'app_metadata=,stable="file:a.wt_stable"'],
]);
const modelOf = (...edits: RepairEdit[]): MetadataModel => new MetadataModel(before, edits);

/** The rows with some changed or, where undefined, gone. */
function made(changes: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const rows = new Map<string, string | undefined>([...before, ...Object.entries(changes)]);
  return new Map([...rows].flatMap(([uri, text]) => (text === undefined ? [] : [[`${uri}\0`, `${text}\0`]])));
}

const set: RepairEdit = { edit: "set", uri: "layered:a", key: "app_metadata", value: "1" };
const done = { "layered:a": 'app_metadata=1,stable="file:a.wt_stable"' };

test("the row that is edited is another, and no other row is", () => {
  const model = modelOf(set);
  assert.ok(model.mustBeDone);
  model.check(made(done));
  assert.throws(() => model.check(made({})), /app_metadata is , not 1/);
  assert.throws(
    () => model.check(made({ ...done, "file:b.wt_stable": before.get("file:a.wt_stable") })),
    /file:b/,
  );
  assert.throws(() => model.check(made({ ...done, "file:b.wt_stable": undefined })), /no row file:b/);
  assert.throws(() => model.check(made({ "layered:a": `${done["layered:a"]},x=1` })), /a key x/);
});

test("keys and values end in one NUL", () => {
  const rows = made(done);
  rows.delete("layered:a\0");
  rows.set("layered:a", `${done["layered:a"]}\0`);
  assert.throws(() => modelOf(set).check(rows), /"layered:a" in the metadata/);
});

test("an id is changed with the checkpoint beside it, and is nobody else's", () => {
  const model = modelOf({ edit: "change-id", uri: "file:a.wt_stable", id: "auto" });
  assert.ok(model.mustBeDone);
  model.check(made({ "file:a.wt_stable": "app_metadata=,checkpoint=(c.2=(addr=3)),id=33" }));
  const shared = made({ "file:a.wt_stable": "app_metadata=,checkpoint=(c.2=(addr=3)),id=25" });
  assert.throws(() => model.check(shared), /two rows have one id/);
});

test("tables come and go whole", () => {
  const model = modelOf(
    { edit: "create-table", name: "t", config: "key_format=S,value_format=S" },
    { edit: "remove", uri: "layered:a" },
  );
  assert.ok(model.mustBeDone);
  const row = "id=33,key_format=S,value_format=S";
  const rows = { "file:t.wt_stable": row, "layered:t": row.slice(6), "layered:a": undefined };
  model.check(made(rows));
  assert.throws(() => model.check(made({ ...rows, "layered:t": undefined })), /no row layered:t/);
  assert.throws(() => model.check(made({ ...rows, "layered:a": "" })), /nobody asked for/);
});

test("what cannot be done is not done", () => {
  for (const edit of [
    { edit: "remove", uri: "layered:x" },
    { edit: "insert", uri: "layered:a", config: "" },
    { edit: "set", uri: "layered:a", key: "x", value: "1" },
  ] as const) {
    assert.not.ok(modelOf(edit).mustBeDone);
    assert.throws(() => modelOf(edit).check(made({})), /done all the same/);
  }
  assert.not.ok(modelOf({ ...set, value: "" }).mustBeDone);
});

test.run();
