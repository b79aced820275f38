/** Damaged databases judged by the real engine and by us: nothing it rejects passes here. Needs the build. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ourDefects, runEngineCampaign, verdicts } from "../../fuzz/engine/differential.js";
import { quickStart } from "../../fuzz/engine/quick-start.js";
import { LIBRARIES, missingEngine } from "../../fuzz/engine/random-database.js";
import { runWt } from "../../fuzz/engine/run-wt.js";
import { corpusPath } from "../support/corpus.js";
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

test("an engine that starts at once says what the installed one says", async () => {
  if (missing !== undefined) return skipped(missing);
  await inTemporaryFolderAsync(async (folder) => {
    const env = quickStart(folder, LIBRARIES);
    if (env === undefined) return skipped("another build of the engine");
    const home = join(folder, "home");
    for (const [store, uri] of [
      ["classic-3.2.1/deb_basic", "table:row"],
      ["corrupt-classic/leaf_body/db", "table:c"],
    ] as const) {
      cpSync(corpusPath(store), home, { recursive: true });
      for (const command of [
        ["verify", uri],
        ["dump", "-x", uri],
      ]) {
        const [quick, slow] = [
          await runWt(["-h", home, ...command], { env }),
          await runWt(["-h", home, ...command]),
        ];
        assert.equal({ status: quick.status, rows: quick.rows }, { status: slow.status, rows: slow.rows });
      }
    }
  });
});

test.run();
