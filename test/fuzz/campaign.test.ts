/** The parts of a campaign, and campaigns over targets that misbehave. Needs the build, as campaigns do. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetBundle } from "../../fuzz/campaign/bundle.js";
import { type CampaignStatus, runCampaign } from "../../fuzz/campaign/campaign.js";
import { Distiller } from "../../fuzz/campaign/distill.js";
import { mergedMarkdown, mergeReports } from "../../fuzz/campaign/merged.js";
import { minimize } from "../../fuzz/campaign/minimize.js";
import { replay, targetOf, UnknownTarget } from "../../fuzz/campaign/replay.js";
import { campaignHtml, campaignJson, campaignText } from "../../fuzz/campaign/report.js";
import { type Outcome, Runner } from "../../fuzz/campaign/runner.js";
import { signatureOf } from "../../fuzz/campaign/signature.js";
import { selfTests } from "../../fuzz/targets/self-tests.js";
import { plainPalette } from "../../src/report/palette.js";
import { inTemporaryFolder, inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("fuzz campaigns");

test.before(() => {
  assert.ok(existsSync(targetBundle()), "built");
});

test("a signature is the same for the same defect, whatever the input", () => {
  const broken = (offset: number): Error => new RangeError(`at ${offset} of 0x${offset.toString(16)}`);
  assert.is(signatureOf(broken(12)), signatureOf(broken(4711)));
  assert.is.not(signatureOf(broken(12)), signatureOf(new TypeError("at 12 of 0xc")));
  assert.is(signatureOf("text 5"), "thrown string: text #");
});

test("targets are told by folder or by the longest name a file begins with", () => {
  const names = ["format-page", "format-page-header", "config"];
  assert.is(targetOf("corpus/config/abc", names), "config");
  assert.is(targetOf("findings/format-page-header-0123", names), "format-page-header");
  assert.is(targetOf("findings/format-page-0123", names), "format-page");
  assert.is(targetOf("corpus/palm/a_small/config.txt", names), undefined);
});

test("an input is made as small as its defect", async () => {
  const input = new Uint8Array(65_536).map((_, at) => at % 251);
  input.set([0xde, 0xad], 40_000);
  const breaks = async (bytes: Uint8Array): Promise<Outcome> =>
    Buffer.from(bytes).includes(Buffer.of(0xde, 0xad))
      ? { kind: "broken", signature: "dead", message: "", stack: "" }
      : { kind: "fine" };
  const { input: small, tries } = await minimize("config", input, breaks);
  assert.equal([...small], [0xde, 0xad]);
  assert.ok(tries < 1000, `${tries} tries`);
  const least = Buffer.of(0xde, 0xad);
  assert.equal([...(await minimize("config", least, breaks)).input], [...least]);
  try {
    await minimize("config", Uint8Array.of(1), breaks);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, RangeError);
  }
});

test("a runner contains what a target does", async () => {
  const runner = new Runner({ inputSeconds: 2, memoryMiB: 64 });
  const outcomeOf = (name: string, first = 0xff) => runner.run(`selftest-${name}`, Uint8Array.of(first));
  assert.is((await outcomeOf("hang", 0)).kind, "fine");
  assert.match(signature(await outcomeOf("hang")), "takes more than 2 s");
  assert.match(signature(await outcomeOf("memory")), "lost: ");
  assert.match(signature(await outcomeOf("exit")), "the thread ended");
  assert.is(signature(await outcomeOf("thrown")), "thrown string: no error at all");
  assert.is((await outcomeOf("crash", 0)).kind, "fine");
  await runner.close();
});
const signature = (outcome: Outcome): string => (outcome.kind === "fine" ? "fine" : outcome.signature);

test("files are replayed in order, each on its target", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    mkdirSync(join(folder, "config"));
    writeFileSync(join(folder, "config", "b"), "a=(");
    writeFileSync(join(folder, "config", "a"), "a=1");
    writeFileSync(join(folder, "notes.txt"), "no input");
    const seen: string[] = [];
    const run = async (target: string, input: Uint8Array): Promise<Outcome> => {
      seen.push(`${target} ${Buffer.from(input)}`);
      return { kind: "fine" };
    };
    for await (const { outcome } of replay(folder, ["config"], { run })) assert.is(outcome.kind, "fine");
    assert.equal(seen, ["config a=1", "config a=("]);
    try {
      for await (const _ of replay(join(folder, "notes.txt"), ["config"], { run })) assert.unreachable();
      assert.unreachable();
    } catch (error) {
      assert.instance(error, UnknownTarget);
    }
  });
});

test("a corpus is distilled to what reaches something", () => {
  inTemporaryFolder((folder) => {
    for (const [name, text] of Object.entries({ a: "a=1", b: "a=1", c: 'a="x",b=(c=[1])', d: "bb=22" }))
      writeFileSync(join(folder, name), text);
    const { keep, drop, reached } = new Distiller().distill("config", [folder]);
    assert.ok(keep.length >= 2 && keep.length < 4 && reached > 20, `${keep}`);
    assert.ok(
      drop.some((file) => file.endsWith("b")),
      "a copy adds nothing",
    );
  });
});

const counts = (name: string, executions: number) => ({
  name,
  executions,
  seconds: 2,
  processorSeconds: 1,
  discoveries: 1,
});
const coverage = (missing: readonly string[], codes: readonly string[]) => ({
  format: "page-header",
  binary: true,
  declared: 3,
  reached: 3 - missing.length,
  missing,
  kinds: { fields: 3, names: 0, flags: 0 },
  generations: missing.length === 0 ? ["v2", "v1"] : ["v2"],
  missingGenerations: missing.length === 0 ? [] : ["v1"],
  codes,
  missingRules: [],
});

test("reports of several campaigns are added up", () => {
  inTemporaryFolder((folder) => {
    const finding = { target: "config", signature: "a | b" };
    const reports = [
      { seed: 1, seconds: 9, targets: [counts("config", 1000), counts("pages", 5)], findings: [finding] },
      { seed: 2, seconds: 1, targets: [counts("config", 500)], findings: [finding] },
    ].map((report, at) => ({
      ...report,
      coverage: [coverage(at === 0 ? ["a", "b"] : ["b"], [at === 0 ? "truncated" : "checksum"])],
    }));
    const files = reports.map(({ seed }) => join(folder, `${seed}.json`));
    for (const [at, report] of reports.entries()) writeFileSync(files[at] as string, JSON.stringify(report));
    const merged = mergeReports(files);
    assert.equal(merged.seeds, [1, 2]);
    assert.equal(
      merged.targets.map(({ executions }) => executions),
      [1500, 5],
    );
    assert.equal(merged.coverage[0], { ...coverage(["b"], ["checksum", "truncated"]) });
    assert.equal(merged.findings, [{ ...finding, seeds: [1, 2] }]);
    const text = mergedMarkdown(merged);
    assert.match(
      text,
      "1,505 executions of 2 targets in 3 s of processor time (10 s of wall time), seeds 1, 2.",
    );
    assert.match(text, "| `config` | 1,500 | 2 | 750 | 2 |");
    assert.match(text, "| `page-header` | 2 of 3 | `checksum` `truncated` |");
    assert.match(text, "- `config`: a \\| b (seeds 1, 2)");
    const odd = { ...reports[0], coverage: [{ format: "page-header" }] };
    for (const bad of ["{", "[1]", "null", JSON.stringify(odd)]) {
      writeFileSync(files[0] as string, bad);
      assert.throws(() => mergeReports(files), /no report of a campaign/);
    }
    assert.throws(() => mergeReports([join(folder, "none.json")]), /none.json/);
  });
});

test("a campaign goes on whatever its targets do, and reports each", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const common = { seconds: 1, seed: 1, keepGoing: true, known: [], folder, everyTarget: true };
    const signal = new AbortController().signal;
    // These end their slices themselves, so that long ones cost nothing.
    const fatal = selfTests.filter(({ name }) => /hang|memory|output/.test(name));
    const limits = { inputSeconds: 2, memoryMiB: 128, shortestSlice: 60 };
    const first = await runCampaign({ ...common, ...limits, targets: fatal, jobs: 1 }, signal);
    // On a busy machine one of them may be too slow as well.
    assert.is(new Set(first.findings.map(({ target }) => target)).size, fatal.length);
    const others = selfTests.filter((target) => !fatal.includes(target));
    const status = await runCampaign({ ...common, targets: others, jobs: 2, shortestSlice: 3 }, signal);
    for (const [target, what] of [
      ["selftest-hang", "takes too long"],
      ["selftest-memory", "takes too much memory"],
      ["selftest-output", "prints without end"],
      ["selftest-exit", "ends its process"],
      ["selftest-thrown", "no error at all"],
    ] as const) {
      const found = status.findings.filter((finding) => finding.target === target);
      assert.ok(
        found.some(({ signature: said }) => said.includes(what)),
        `${target}: ${found.map(({ signature: said }) => said).join("; ")}`,
      );
    }
    for (const { file } of status.findings) assert.ok(readFileSync(file).length > 0, file);
    assert.ok(readdirSync(join(folder, "corpus", "selftest-crash")).length >= 2);
    checkReports(status);
  });
});

test("a campaign that cannot run anything says why, and ends", async () => {
  await inTemporaryFolderAsync(async (folder) => {
    const bundle = join(folder, "none.cjs");
    const targets = selfTests.slice(0, 2);
    const options = { targets, bundle, seconds: 600, seed: 1, jobs: 1, keepGoing: true, known: [], folder };
    const status = await runCampaign(options, new AbortController().signal);
    assert.equal(
      status.targets.map(({ slices, executions }) => [slices, executions]),
      [
        [2, 0],
        [1, 0],
      ],
    );
    assert.type(status.targets[0]?.failure, "string");
    assert.is(status.findings.length, 0);
  });
});

function checkReports(status: CampaignStatus): void {
  const report = { ...status, seed: 1, jobs: 2, coverage: [coverage(["a"], ["truncated"])] };
  const json = JSON.parse(campaignJson(report));
  assert.is(json.findings.length, status.findings.length);
  assert.match(json.findings[0].reproduce, "npx pugmark fuzz replay");
  assert.is(json.history.at(-1).findings, status.findings.length);
  assert.match(campaignText(report, plainPalette), "selftest-hang");
  assert.match(campaignText(report, plainPalette), /page-header +1\/2 +2\/3 /);
  assert.match(campaignHtml(report), "<polyline");
  assert.match(campaignHtml(report), "1/2 not v1");
}

test.run();
