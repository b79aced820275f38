/** Every code of a finding has an input in corpus/ that shows it: files of verify-* are named after the code they show. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { corpusFile, corpusPath } from "../../fuzz/corpus.js";
import { verifyDamagedHome, verifyDamagedLog } from "../../fuzz/targets/verify.js";
import { verify } from "../../src/verify/index.js";
import { rules } from "../../src/verify/rules/index.js";
import type { VerifyReport } from "../../src/verify/types.js";
import { repositoryRoot } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("inputs of every code");
const codes = [...new Set(rules.map(({ code }) => code))].sort();

/** A dump is verified as a file. */
function verifyDump(input: Uint8Array): Promise<VerifyReport> {
  return inTemporaryFolderAsync((folder) => {
    writeFileSync(join(folder, "dump.log"), input.subarray(1));
    return verify([join(folder, "dump.log")], { threads: 1 });
  });
}

const reports: Readonly<Record<string, (input: Uint8Array) => VerifyReport | Promise<VerifyReport>>> = {
  "store-corruption-log": verifyDump,
  "verify-classic": verifyDamagedHome,
  "verify-page-log": (input) => verifyDamagedLog(input, { allCheckpoints: true }).report,
};

/** Shown by a file that is no target's input. */
const files: Readonly<Record<string, readonly string[]>> = {
  "base-config": ["codes", "home"],
  "dump-chain-base": ["vectors", "disagg_delta_chain.log"],
  "history-order": ["codes", "page-log"],
  "history-table": ["codes", "page-log"],
  "log-record": ["codes", "home"],
  "log-replay": ["codes", "home"],
  "log-sequence": ["codes", "home"],
  "lsn-counter": ["codes", "page-log"],
  "lsn-gap": ["corrupt-palm", "missing_base"],
  "metadata-checkpoint": ["codes", "page-log"],
  "metadata-file-id": ["codes", "page-log"],
  "metadata-namespace": ["codes", "page-log"],
  "record-chain-length": ["codes", "page-log"],
  "store-container": ["vectors", "mongodb_non_hex.log"],
  "tree-times": ["codes", "page-log"],
  "version-file-missing": ["codes", "home"],
};

/** Of a run, not of bytes: which test makes it fire. */
const elsewhere: Readonly<Record<string, string>> = {
  "findings-suppressed": "verify/fired-rules.test.ts",
  "input-unknown": "verify/fired-rules.test.ts",
  "input-unreadable": "verify/fired-rules.test.ts",
};

const isShown = ({ findings }: VerifyReport, code: string): boolean =>
  findings.some((finding) => finding.code === code);

for (const [target, report] of Object.entries(reports))
  test(`${target}: files show the codes they are named after`, async () => {
    const named = readdirSync(corpusPath(target)).filter((name) => codes.includes(name));
    assert.ok(named.length > 0);
    for (const name of named) assert.ok(isShown(await report(corpusFile(target, name)), name), name);
  });

test("other files show theirs", async () => {
  for (const [code, path] of Object.entries(files))
    assert.ok(isShown(await verify([corpusPath(...path)], { threads: 1 }), code), code);
});

test("every code has a file, or a reason", () => {
  const hasInput = (code: string): boolean =>
    Object.keys(reports).some((target) => existsSync(corpusPath(target, code)));
  const without = codes.filter((code) => !hasInput(code) && files[code] === undefined);
  assert.equal(without, Object.keys(elsewhere).sort());
  for (const [code, file] of Object.entries(elsewhere))
    assert.match(readFileSync(join(repositoryRoot, "test", file), "utf8"), `"${code}"`);
});

test.run();
