/** Pages of a log by table id, and its checkpoint records by LSN. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openDatabase } from "../../src/tree/index.js";
import { corpusPath } from "../support/corpus.js";
import { runStep } from "./transcript.js";

const test = suite("table ids and checkpoint LSNs of a page log");

test("the history of a page of the turtle table: its records, nothing of their content", () => {
  const database = openDatabase(corpusPath("palm", "a_small"));
  const versions = [...(database.pageHistory?.("1", 1n) ?? [])];
  assert.is(versions.length, 7);
  assert.ok(versions.every(({ entries, changes, problem }) => !entries && !problem && changes.length === 0));
  assert.is([...(database.pageHistory?.("41", 100n) ?? [])].length > 0, true);
  assert.equal([...(database.pageHistory?.("77", 1n) ?? [])], []);
  database.close();
});

test("an LSN that is a checkpoint's shows its completion record", () => {
  const out = runStep("pugmark inspect corpus/palm/a_small --lsn 20").join("\n");
  assert.match(out, /completion record of the checkpoint at LSN 20/);
  assert.match(out, /metadata_lsn|metadataLsn/);
});

test.run();
