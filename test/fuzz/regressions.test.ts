/** Inputs that broke a target once: one file a mended defect, named after the target and what was wrong. */
import { readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetOf } from "../../fuzz/campaign/replay.js";
import { corpusFile, corpusPath } from "../../fuzz/corpus.js";
import { targetByName, targets } from "../../fuzz/targets/index.js";

const test = suite("mended defects stay mended");
const names = targets.map(({ name }) => name);

for (const file of readdirSync(corpusPath("regressions")).sort())
  test(file, () => {
    const target = targetByName(targetOf(file, names) ?? "");
    assert.ok(target, `${file} is named after no target`);
    target.fuzz(corpusFile("regressions", file));
  });

test.run();
