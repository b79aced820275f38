/** A short campaign with a fixed seed: over every target where CI is set, over some of them elsewhere. Needs the build. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runCampaign } from "../../fuzz/campaign/campaign.js";
import { reproduce } from "../../fuzz/campaign/report.js";
import { targets } from "../../fuzz/targets/index.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("a short campaign");
const whole = process.env.CI !== undefined;
/** Of all targets; the time goes on until each had its turn. */
const SECONDS = whole ? 60 : 8;
const chosen = whole ? targets : targets.filter((_, index) => index % 10 === 0);

test("every target is run, and none is broken", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const { targets: run, findings } = await runCampaign(
      {
        targets: chosen,
        seconds: SECONDS,
        seed: 2026,
        jobs: 2,
        keepGoing: true,
        known: [],
        folder,
        inputSeconds: 30,
        shortestSlice: 0.7,
        everyTarget: true,
      },
      new AbortController().signal,
    );
    for (const { target, executions } of run) assert.ok(executions > 0, `${target.name} was not run`);
    assert.equal(
      findings.map((finding) => [finding.signature, finding.stack, reproduce(finding)]),
      [],
    );
  });
});

test.run();
