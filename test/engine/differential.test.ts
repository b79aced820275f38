/** Damaged databases judged by the real engine and by us: nothing it rejects passes here. Needs the build. */
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ourDefects, runEngineCampaign, verdicts } from "../../fuzz/engine/differential.js";
import { missingEngine } from "../../fuzz/engine/random-database.js";
import { inTemporaryFolderAsync } from "../support/directories.js";
import { skipped } from "../support/skip.js";

const missing = missingEngine();
const test = suite("differential against the engine");

test("what the engine rejects is rejected, and what it reads is read alike", async () => {
  if (missing !== undefined) return skipped(missing);
  await inTemporaryFolderAsync(async (folder) => {
    const { counts, cases, findings } = await runEngineCampaign(
      { cases: 40, first: 0, seed: 11, jobs: 2, seconds: 30, folder: join(folder, "kept") },
      new AbortController().signal,
    );
    assert.ok(cases > 0);
    assert.is(
      verdicts.reduce((sum, verdict) => sum + counts[verdict], 0),
      cases,
    );
    assert.equal(
      findings.filter(({ verdict }) => ourDefects.has(verdict)),
      [],
    );
  });
});

test.run();
