/** Directories that are not as an engine leaves them: two stores in one, links that lead nowhere, logs that are gone. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Finding, type VerifyReport, verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("odd homes");

/** Verifies a copy of a store of the corpus to which something was done. */
async function verified(store: string[], change: (home: string) => void): Promise<VerifyReport> {
  let report: VerifyReport | undefined;
  await inTemporaryFolderAsync(async (folder) => {
    const home = join(folder, "home");
    cpSync(corpusPath(...store), home, { recursive: true });
    change(home);
    report = await verify([home]);
  });
  return report as VerifyReport;
}
const notable = ({ findings }: VerifyReport): Finding[] =>
  findings.filter(({ severity }) => severity !== "info");
const shown = ({ code, path }: Finding): string => `${code} ${path.replace(/^.*\/home\/?/, "")}`;

test("a page log and local tables in one home: both are verified", async () => {
  const report = await verified(["tiny"], (home) => {
    cpSync(corpusPath("palm", "a_small", "kv_home"), join(home, "kv_home"), { recursive: true });
    const file = readFileSync(join(home, "row.wt"));
    file[2100] = (file[2100] as number) ^ 1;
    writeFileSync(join(home, "row.wt"), file);
  });
  assert.equal(
    report.inputs.map(({ kind }) => kind),
    ["palm", "classic-directory"],
  );
  assert.equal(notable(report).map(shown), ["block-checksum row.wt"]);
});

test("a link that leads to itself stops nothing but its own file", async () => {
  const report = await verified(["tiny"], (home) => {
    rmSync(join(home, "row.wt"));
    symlinkSync("row.wt", join(home, "row.wt"));
  });
  assert.equal(notable(report).map(shown), ["input-unreadable row.wt"]);
  assert.is(report.summary.complete, false);
});

test("a directory in place of the turtle file is named", async () => {
  const report = await verified(["tiny"], (home) => {
    rmSync(join(home, "WiredTiger.turtle"));
    mkdirSync(join(home, "WiredTiger.turtle"));
  });
  assert.ok(notable(report).map(shown).includes("input-unreadable WiredTiger.turtle"));
});

test("a text of the input in a finding is as long as a reader can use", async () => {
  const report = await verified(["tiny"], (home) => truncateSync(join(home, "WiredTiger.turtle"), 1 << 20));
  assert.ok(notable(report).length > 0);
  const longest = Math.max(...report.findings.map((finding) => JSON.stringify(finding).length));
  assert.ok(longest < 40_000, `${longest} characters`);
});

test("a key that no release has, in the turtle file", async () => {
  const report = await verified(["tiny"], (home) => {
    const path = join(home, "WiredTiger.turtle");
    const text = readFileSync(path, "latin1");
    assert.ok(text.includes(",leaf_item_max="));
    writeFileSync(path, text.replace(",leaf_item_max=", ",0eaf_item_max="), "latin1");
  });
  assert.equal(notable(report).map(shown), ["turtle-file WiredTiger.turtle"]);
  assert.match(notable(report)[0]?.message ?? "", "no key is called 0eaf_item_max");
});

test("a checkpoint without its size, in the turtle file", async () => {
  const report = await verified(["tiny"], (home) => {
    const path = join(home, "WiredTiger.turtle");
    const text = readFileSync(path, "latin1");
    assert.ok(text.includes(",size="));
    writeFileSync(path, text.replace(",size=", ",sizx="), "latin1");
  });
  assert.equal(notable(report).map(shown), ["checkpoint-cookie WiredTiger.turtle"]);
  assert.match(notable(report)[0]?.message ?? "", "has no size=");
});

const LOG = "WiredTigerLog.0000000001";
const logged = (change: (home: string) => void): Promise<VerifyReport> =>
  verified(["classic-12.0", "logged"], change);

for (const [what, change] of [
  ["emptied", (path: string) => truncateSync(path, 0)],
  ["full of zeros", (path: string) => writeFileSync(path, new Uint8Array(1 << 20))],
] as const)
  test(`a log file that is ${what} is damage`, async () => {
    const report = await logged((home) => change(join(home, LOG)));
    assert.equal(notable(report).map(shown), [`log-record ${LOG}`, `log-sequence ${LOG}`]);
    assert.is(report.summary.errors, 1);
  });

test("a log that ends in front of the checkpoint's position is told, and one that is gone", async () => {
  const cut = await logged((home) => truncateSync(join(home, LOG), 256));
  assert.equal(notable(cut).map(shown), [`log-sequence ${LOG}`]);
  assert.match(notable(cut)[0]?.message ?? "", "the log ends at (1,256), in front of position (1,693632)");
  const gone = await logged((home) => rmSync(join(home, LOG)));
  assert.equal(notable(gone).map(shown), ["log-sequence "]);
  assert.match(notable(gone)[0]?.message ?? "", "there are no log files");
});

test.run();
