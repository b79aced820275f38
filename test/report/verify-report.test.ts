import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  detectedLine,
  findingLine,
  sarifLog,
  summaryLine,
  terminalPalette,
  verifyHtml,
  verifyJson,
  verifySarif,
  verifyText,
} from "../../src/report/index.js";
import { pathUri } from "../../src/report/sarif.js";
import type { Finding } from "../../src/verify/finding.js";
import type { VerifyReport } from "../../src/verify/types.js";
import { sampleReport } from "./sample.js";

const test = suite("verify reports");

test("text: one line a finding by input and table, hints, the verdict last", () => {
  assert.is(
    verifyText(sampleReport),
    [
      "dumps/a",
      "  table 41 (file:t1.wt_stable)",
      "    error   block-checksum page 101, lsn 7594297955163570183, data.mdb offset 8192 (0x2000): checksum is 0x42d3600f, the bytes give 0x9f96cab7 — 66 rows cannot be read",
      "    warning record-links   data.mdb, backlinkLsn: the backlink skips a \\x1b[31mrecord (expected 24, found 23)",
      "dumps/a/inner",
      "  table t.wt",
      "    error   key-order t.wt offset 2199023255552 (0x20000000000): <script>alert(1)</script> & \\xff",
      "other",
      "  info    findings-suppressed 3 more findings key-order are not listed",
      "hint block-checksum: use an older checkpoint",
      "DAMAGED: 2 errors, 1 warning, 1 note; 12,345 pages (4.77 MB) and 3 checkpoints checked in 2 inputs",
      "",
    ].join("\n"),
  );
});

test("text: a path that could not be opened stands for itself", () => {
  const findings: Finding[] = ["no/dump", "dumps/a", "no/dump"].map((path) => ({
    code: "input-unreadable",
    severity: "warning",
    path,
    message: "no such file or directory",
  }));
  assert.equal(
    verifyText({ ...sampleReport, findings })
      .split("\n")
      .slice(0, 5),
    [
      "dumps/a",
      "  warning input-unreadable no such file or directory",
      "no/dump",
      "  warning input-unreadable no such file or directory",
      "  warning input-unreadable no such file or directory",
    ],
  );
  assert.match(verifyHtml({ ...sampleReport, findings }, { version: "1" }), /<h2>no\/dump<\/h2>/);
});

test("text: notes can be left out, but not silently", () => {
  const text = verifyText(sampleReport, { notes: false });
  assert.not.ok(text.includes("findings-suppressed"));
  assert.match(text, /^DAMAGED: .* \(--notes lists the 1 note\)$/m);
});

test("text: names are not said twice", () => {
  const place = (more: Partial<Finding>): string | undefined =>
    verifyText({
      ...sampleReport,
      findings: [{ ...(sampleReport.findings[3] as Finding), path: "dumps/a", ...more }],
    })
      .split("\n")
      .slice(1, -2)
      .join("; ");
  const said = "3 more findings key-order are not listed";
  assert.is(place({ checkpoint: "backup" }), `  info    findings-suppressed checkpoint backup: ${said}`);
  assert.is(
    place({ checkpoint: "WiredTigerCheckpoint.9" }),
    `  info    findings-suppressed WiredTigerCheckpoint.9: ${said}`,
  );
  assert.is(place({ table: "file:a.wt" }), `  file:a.wt;     info    findings-suppressed ${said}`);
  assert.is(place({ tableId: 41n }), `  table 41;     info    findings-suppressed ${said}`);
});

test("text: colours are added, nothing else changes", () => {
  const coloured = verifyText(sampleReport, { palette: terminalPalette });
  assert.is.not(coloured, verifyText(sampleReport));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
  assert.is(coloured.replace(/\u001b\[\d+m/g, ""), verifyText(sampleReport));
});

const counts = { errors: 0, warnings: 0, infos: 0 };
const withSummary = (summary: Partial<VerifyReport["summary"]>): VerifyReport => ({
  ...sampleReport,
  findings: [],
  summary: { ...sampleReport.summary, ...counts, ...summary },
});

test("text: the verdict's word", () => {
  assert.match(verifyText(withSummary({})), /^SOUND: no errors;/);
  assert.match(verifyText(withSummary({ warnings: 1 })), /^SOUND, with warnings: no errors, 1 warning;/);
  assert.match(
    verifyText(withSummary({ complete: false })),
    /^INCOMPLETE: .*not everything could be checked$/m,
  );
  assert.match(verifyText(withSummary({ complete: false, errors: 1 })), /^DAMAGED: 1 error;/);
});

test("text: more findings of a code than the limit are one line", () => {
  const [first] = sampleReport.findings as [Finding];
  const findings = Array.from({ length: 30 }, (_, i) => ({ ...first, pageId: BigInt(i) }));
  const lines = verifyText({ ...sampleReport, findings }, { limit: 5 }).split("\n");
  assert.is(lines.filter((line) => line.includes("error   block-checksum")).length, 5);
  assert.ok(lines.includes("    … 25 more findings block-checksum"));
});

test("JSON: 64-bit numbers are strings, keys have one order, text is safe", () => {
  const text = verifyJson(sampleReport);
  const document = JSON.parse(text);
  assert.equal(Object.keys(document), ["schemaVersion", "inputs", "summary", "findings"]);
  assert.is(document.findings[0].lsn, "7594297955163570183");
  assert.is(document.findings[1].expected, "24");
  assert.equal(Object.keys(document.findings[1]), [
    ...["code", "severity", "path", "field", "table", "tableId", "message", "expected", "actual"],
  ]);
  assert.is(document.findings[2].message, sampleReport.findings[2]?.message);
  assert.not.ok(text.includes("\u001b"));
});

test("JSON: key order does not depend on how a finding was made", () => {
  const [finding] = sampleReport.findings as [Finding];
  const reversed = Object.fromEntries(Object.entries(finding).reverse()) as unknown as Finding;
  assert.is(findingLine(reversed), findingLine(finding));
});

test("JSONL: only the last line has a summary", () => {
  const last = JSON.parse(summaryLine(sampleReport));
  assert.equal(Object.keys(last), ["schemaVersion", "inputs", "summary"]);
  for (const finding of sampleReport.findings) {
    const line = findingLine(finding);
    assert.not.ok(line.includes("\n"));
    assert.not.ok("summary" in JSON.parse(line));
  }
});

test("SARIF: rules, levels, places", () => {
  const rules = [
    { code: "key-order", severity: "error", title: "keys ascend", doc: "Within a page." },
  ] as const;
  const log = JSON.parse(verifySarif(sampleReport, { version: "1.2.3", rules }));
  assert.is(log.version, "2.1.0");
  const [run] = log.runs;
  assert.is(run.tool.driver.name, "pugmark");
  assert.equal(
    run.tool.driver.rules.map((rule: { id: string }) => rule.id),
    ["block-checksum", "findings-suppressed", "key-order", "record-links"],
  );
  assert.is(run.tool.driver.rules[2].shortDescription.text, "keys ascend");
  assert.equal(
    run.results.map((result: { level: string }) => result.level),
    ["error", "warning", "error", "note"],
  );
  for (const result of run.results) {
    assert.is(run.tool.driver.rules[result.ruleIndex].id, result.ruleId);
    assert.ok(result.message.text.length > 0);
  }
  assert.equal(run.results[0].locations, [
    {
      physicalLocation: { artifactLocation: { uri: "dumps/a/data.mdb" }, region: { byteOffset: 8192 } },
      logicalLocations: [
        { fullyQualifiedName: "table 41 (file:t1.wt_stable), page 101, lsn 7594297955163570183" },
      ],
    },
  ]);
  assert.is(run.results[3].locations, undefined);
  assert.is(run.results[0].properties.lsn, "7594297955163570183");
});

test("SARIF: without texts of rules it still names them", () => {
  const { runs } = sarifLog(sampleReport, { version: "1.2.3" }) as {
    runs: Array<{ tool: { driver: { rules: unknown[] } } }>;
  };
  assert.equal(runs[0]?.tool.driver.rules[0], { id: "block-checksum" });
});

test("SARIF: paths become URIs", () => {
  assert.is(pathUri("a b/c#d/é.wt"), "a%20b/c%23d/%C3%A9.wt");
  assert.is(pathUri("/data/x"), "file:///data/x");
  assert.is(pathUri("C:\\data\\x"), "file:///C:/data/x");
  assert.is(pathUri("bad\udc80"), "bad%EF%BF%BD");
});

test("HTML: one page, nothing loaded, nothing of the input is mark-up", () => {
  const page = verifyHtml(sampleReport, { version: "1.2.3" });
  assert.match(page, /^<!doctype html>/);
  assert.not.ok(page.includes("<script>alert"));
  assert.ok(page.includes("&lt;script&gt;alert(1)&lt;/script&gt; &amp; \\xff"));
  assert.not.match(page, /(?:src|href)=|url\(|@import|https?:/);
  assert.not.ok(page.includes("\u001b"));
  for (const { code } of sampleReport.findings) assert.ok(page.includes(`<code>${code}</code>`));
  assert.ok(page.includes("DAMAGED") && page.includes("66 rows cannot be read"));
  assert.is(page.split("<script>").length, 2);
});

test("HTML: no finding, no filter", () => {
  const page = verifyHtml(withSummary({}), { version: "1.2.3" });
  assert.ok(page.includes("<p>None.</p>"));
  assert.not.ok(page.includes('type="checkbox"'));
});

test("what was detected, as a line", () => {
  const [palm, classic] = sampleReport.inputs;
  assert.is(
    detectedLine(palm as never),
    "dumps/a: page log (PALM, LMDB); generations B, D0; compressor snappy",
  );
  assert.is(detectedLine(classic as never), "dumps/a/inner: classic directory; allocation size 4096");
});

test.run();
