/** The same page log kept in SQLite gives the same rows, in every layout, and is left as it was. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageLogFlags } from "../../formats/page-log.js";
import { type PaliteLayout, paliteSchemas } from "../../formats/palite.js";
import { openPageLog } from "../../src/store/open.js";
import { openDatabase } from "../../src/tree/index.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolder, snapshot } from "../support/directories.js";
import { makePalite, type TestStore } from "../support/palite-files.js";
import { type Truth, truth, truthOf } from "../support/truth.js";

/** A store of the corpus as PALite keeps it: without checkpoint ids. */
function load(name: string): TestStore {
  const store = openPageLog(corpusPath("palm", name));
  try {
    const rows = Array.from(store.records(), (record) => ({
      ...record,
      flags: record.flags | (record.isDelta ? pageLogFlags.delta : 0),
      data: record.data.slice(),
    }));
    const checkpoints = store.checkpoints().map(({ lsn, timestamp, metadata }) => ({
      lsn,
      timestamp,
      metadata: new TextDecoder().decode(metadata),
    }));
    return { rows, checkpoints, globals: [] };
  } finally {
    store.close();
  }
}

const store = load("e_ts");
const test = suite("rows of PALite stores");

for (const layout of Object.keys(paliteSchemas) as PaliteLayout[])
  test(`${layout}: rows of the first and the last checkpoint, and at a timestamp`, () => {
    inTemporaryFolder((folder) => {
      makePalite(folder, layout, store);
      const before = snapshot(folder);
      const database = openDatabase(folder);
      assert.is(database.kind, "palite");
      assert.is(database.checkpoints().length, 9);
      const expected = (path: string): Truth => truth[`palm/e_ts/truth/${path}.dump`] as Truth;
      assert.equal(truthOf(database.table("t1").rows()), expected("ckpt-9/t1"));
      assert.equal(truthOf(database.table("t1", "1").rows()), expected("ckpt-1/t1"));
      assert.equal(truthOf(database.table("t2").rows({ timestamp: 60n })), expected("ckpt-9/file_t2@ts60"));
      assert.equal(database.problems, []);
      database.close();
      assert.equal(snapshot(folder), before);
    });
  });

test.run();
