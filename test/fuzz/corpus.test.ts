/** What targets begin with is theirs alone: changing a copy of it changes nothing for the next input. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { corpusFile, corpusSeeds } from "../../fuzz/corpus.js";

const test = suite("corpus of targets");

test("slices of what is read are copies", () => {
  const files = [corpusFile("palm", "g_crash", "kv_home", "data.mdb"), ...corpusSeeds("format-page")];
  assert.ok(files.length > 1);
  for (const bytes of files) {
    const before = bytes[0] as number;
    bytes.slice()[0] = before ^ 1;
    assert.is(bytes[0], before);
  }
});

test.run();
