/** Chains of blocks a server dumped into its log, whole and with blocks missing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Finding, verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";
import { exportedPage, pages } from "../support/samples.js";

const test = suite("corruption dumps verified");
const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
const file = join(folder, "server.log");
test.after(() => rmSync(folder, { recursive: true }));

const CHECKSUM = 32;
const OLD_DELTA_CHECKSUM = 24;
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").replace(/../g, "$& ");

/** The lines of one block, 1024 bytes a line. */
function dump(block: Uint8Array, page = 101, table = "file:t1.wt_stable", announced?: number): string[] {
  const isOldDelta = block[20] === 0xdd && block[23] === 36;
  const at = isOldDelta ? OLD_DELTA_CHECKSUM : CHECKSUM;
  const checksum = announced ?? Buffer.from(block).readUInt32LE(at);
  const count = Math.ceil(block.length / 1024);
  const name = `{0: ${page}, ${block.length}, 0x${checksum.toString(16)}}`;
  return Array.from(
    { length: count },
    (_, i) =>
      `[1765258643:985883][7884:0x7fa6], ${table}, WT_CURSOR.search: __wt_bm_corrupt_dump, 91: ${name}: (chunk ${i + 1} of ${count}): ${hexOf(block.subarray(i * 1024, (i + 1) * 1024))}`,
  );
}

/** Page 101 of palm/a_small: its newest record first, the full image last. */
const lsns = [84, 62, 42, 22, 2];
const chain = lsns.map((lsn) => exportedPage(41, 101, lsn));

async function verifyLines(lines: readonly string[]) {
  writeFileSync(file, `${lines.join("\n")}\n`);
  return verify([file], { kind: "corruption-log" });
}
const brief = ({ code, severity, line }: Finding): string => `${severity} ${code} line ${line}`;
const found = async (lines: readonly string[]): Promise<string[]> =>
  (await verifyLines(lines)).findings.map(brief);
const lines = (...blocks: Uint8Array[]): string[] => blocks.flatMap((block) => dump(block));
const [newest, third, second, first, base] = chain as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const END = "[1765258644:1][7884:0x7fa6], the end";

test("a whole chain is sound", async () => {
  const report = await verifyLines([...lines(...chain), END]);
  assert.equal(report.findings, []);
  assert.is(report.summary.complete, true);
  assert.is(report.summary.pages, chain.length);
});

test("a delta that is missing is an error at the newer one", async () => {
  const { findings, summary } = await verifyLines([...lines(newest, third, first, base), END]);
  assert.equal(findings.map(brief), ["error dump-chain-link line 2"]);
  const [finding] = findings as [Finding];
  assert.is(finding.table, "file:t1.wt_stable");
  assert.is(finding.pageId, 101n);
  assert.is(finding.tableId, undefined);
  assert.is(finding.lsn, undefined);
  assert.ok(finding.message.includes("line 3"), finding.message);
  assert.is(summary.complete, true);
});

test("every delta of the chain may be the missing one", async () => {
  for (const gone of [1, 2, 3])
    assert.equal(await found([...lines(...chain.filter((_, i) => i !== gone)), END]), [
      `error dump-chain-link line ${gone}`,
    ]);
});

test("a base that is missing from a log that goes on is an error", async () => {
  const { findings, summary } = await verifyLines([...lines(newest, third, second, first), END]);
  assert.equal(findings.map(brief), ["error dump-chain-base line 4"]);
  assert.is(summary.complete, true);
});

test("a log that ends with a delta may be cut off: a warning, and not complete", async () => {
  const { findings, summary } = await verifyLines(lines(newest, third));
  assert.equal(findings.map(brief), ["warning dump-chain-base line 2"]);
  assert.is(summary.complete, false);
});

test("the vector ends before the full image of its page", async () => {
  const report = await verify([corpusPath("vectors", "disagg_delta_chain.log")]);
  assert.equal(report.findings.map(brief), ["warning dump-chain-base line 11"]);
  const { child_base_expected_checksum: checksum } = JSON.parse(
    readFileSync(corpusPath("vectors", "disagg_delta_chain.expected.json"), "utf8"),
  ).summary;
  assert.is(report.findings[0]?.expected, checksum);
  assert.is(report.summary.complete, false);
});

test("a chain that is dumped twice is sound twice, also by two threads at once", async () => {
  assert.equal(await found(lines(...chain, ...chain)), []);
  assert.equal(await found(chain.flatMap((block) => [...dump(block), ...dump(block)])), []);
  assert.equal(
    await found(lines(newest, newest, third, second, first, third, second, first, base, base)),
    [],
  );
});

test("a chain is dumped again after it grew", async () => {
  assert.equal(await found([...lines(second, first, base), ...lines(...chain)]), []);
});

test("a chain without base, and the page once more with it", async () => {
  assert.equal(await found([...lines(newest, third, second), ...lines(...chain), END]), [
    "error dump-chain-base line 3",
  ]);
});

test("pages of the same id in other tables are other pages", async () => {
  const twice = chain.flatMap((block) => [
    ...dump(block),
    ...dump(block, 101, "file:t2.wt_stable"),
    ...dump(block, 102),
  ]);
  assert.equal(await found(twice), []);
  const [a, b] = [dump(newest), dump(base, 101, "file:t2.wt_stable")];
  assert.equal(await found([...a, ...b, END]), ["error dump-chain-base line 1"]);
});

test("a damaged delta is said to be damaged, and nothing is made of its links", async () => {
  const damaged = third.slice();
  damaged[28]! ^= 1; // in the previous checksum of the block header
  assert.equal(await found([...lines(newest, damaged, second, first, base), END]), [
    "error block-checksum line 2",
  ]);
});

test("a block that is not the one announced", async () => {
  const { findings } = await verifyLines([...dump(base, 101, undefined, 1), END]);
  assert.equal(findings.map(brief), ["error dump-checksum line 1"]);
});

test("a block of a classic file has no page id", async () => {
  const leaf = pages[0]!.bytes.slice();
  leaf[100]! ^= 1;
  const { findings } = await verifyLines(dump(leaf, 8192, "file:a.wt", Buffer.from(leaf).readUInt32LE(32)));
  assert.equal(findings.map(brief), ["error block-checksum line 1"]);
  assert.equal(
    [findings[0]?.table, findings[0]?.pageId, findings[0]?.tableId],
    ["file:a.wt", undefined, undefined],
  );
});

test("blocks in files of their own have no ids at all", async () => {
  const block = base.slice();
  block[100]! ^= 1;
  writeFileSync(file, block);
  const { findings } = await verify([file]);
  assert.is(findings[0]?.code, "block-checksum");
  for (const key of ["tableId", "pageId", "lsn", "table"] as const) assert.is(findings[0]?.[key], undefined);
  writeFileSync(file, `version=1,compatible_version=1,checkpoint=(`);
  const text = (await verify([file], { kind: "block" })).findings[0];
  assert.is(text?.code, "turtle-page");
  for (const key of ["tableId", "pageId", "lsn"] as const) assert.is(text?.[key], undefined);
});

test.run();
