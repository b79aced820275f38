/** Generations that are forced, and generations too new. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blockHeader } from "../../formats/block-header.js";
import { descriptionBlock } from "../../formats/description-block.js";
import { page } from "../../formats/page.js";
import { verdictExitCode } from "../../src/cli/verify-output.js";
import { crc32cWithZeroedField } from "../../src/codec/crc32c.js";
import { decodePage } from "../../src/page/index.js";
import { InputError } from "../../src/store/input-error.js";
import { type Finding, type VerifyReport, verify } from "../../src/verify/index.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { corpusPath } from "../support/corpus.js";
import { editedAndSealed, find, findingsOf, loadContents } from "../support/log-contents.js";
import { type MemoryRecord, memoryPageLog } from "../support/memory-page-log.js";
import { cryptPages, exportedPage, pages } from "../support/samples.js";

const test = suite("generations in verify");
const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
test.after(() => rmSync(folder, { recursive: true }));

const HEADER = 28;
const brief = ({ severity, code }: Finding): string => `${severity} ${code}`;
const exitCode = ({ summary }: VerifyReport): number => verdictExitCode(summary, "error");

/** With its checksum right again. */
function sealed(block: Uint8Array): Uint8Array {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  view.setUint32(HEADER + 4, crc32cWithZeroedField(block, 0, block.length, HEADER + 4), true);
  return block;
}

const image = pages.find(({ name }) => name === "base image of a leaf")!.bytes;
/** The same page behind a header of generation D1: the flags are a byte further to the front. */
function newerImage(version: number): Uint8Array {
  const block = image.slice();
  block[HEADER + 12] = block[HEADER + 13] as number;
  block[HEADER + 13] = 0;
  block[HEADER + 1] = block[HEADER + 2] = version;
  return sealed(block);
}
const tooNew = (): Uint8Array => newerImage(9);

async function verifyBytes(bytes: Uint8Array | string, generation?: string): Promise<VerifyReport> {
  const file = join(folder, "input");
  writeFileSync(file, bytes);
  return verify([file], { kind: "block", ...(generation === undefined ? {} : { generation }) });
}

test("a name no format has is refused with those there are", async () => {
  const error = await verifyBytes(image, "D9").catch((thrown: unknown) => thrown);
  assert.instance(error, RangeError);
  for (const name of ["extended", "D1", "D'", "V2++", "K1-blob", "R3", "uB"])
    assert.ok((error as Error).message.includes(name), name);
});

test("block headers are read as they are forced to be", async () => {
  assert.equal((await verifyBytes(image)).findings, []);
  assert.equal((await verifyBytes(image)).inputs[0]?.generations, ["block D0"]);
  const forced = await verifyBytes(image, "D1");
  assert.equal(forced.inputs[0]?.generations, ["block D1"]);
  // Its flags are where D1 has a reserved byte, so the checksum covers other bytes.
  assert.ok(forced.findings.some(({ code }) => code === "block-checksum"));
  const extended = await verifyBytes(image, "extended");
  assert.ok(extended.findings.some(({ field }) => field === "combinedHeaderSize"));
});

test("key pages and turtle pages are read as they are forced to be", async () => {
  const newest = cryptPages.find(({ generation }) => generation === "K2")!;
  assert.equal((await verifyBytes(newest.bytes)).findings, []);
  const forced = await verifyBytes(newest.bytes, "K0");
  assert.equal(forced.inputs[0]?.generations, ["key page K0"]);
  assert.ok(forced.summary.errors > 0);
  const turtle = await verifyBytes(exportedPage(1, 1, 166), "V2");
  assert.equal(turtle.inputs[0]?.generations, ["turtle V2"]);
});

test("deltas are of the form they are forced to be, or that is an error", async () => {
  const delta = pages.find(({ name }) => name === "P0 delta")!.bytes;
  assert.equal((await verifyBytes(delta, "P0")).findings, []);
  const forced = await verifyBytes(delta, "Bu");
  assert.equal(
    forced.findings.map((finding) => [brief(finding), finding.expected, finding.actual]),
    [["error page-cells", "P2", "P0"]],
  );
});

test("a generation that applies to nothing in the input changes nothing", async () => {
  assert.equal((await verifyBytes(image, "B")).findings, []);
  assert.equal((await verifyBytes(image, "R3")).findings, []);
});

test("a sound block of a version too new is no damage, and not judged", async () => {
  const report = await verifyBytes(tooNew());
  assert.equal(report.findings.map(brief), ["warning unsupported-version"]);
  assert.is(report.findings[0]?.actual, 9);
  assert.is(report.summary.complete, false);
  assert.is(report.summary.unsupported, 1);
  assert.is(exitCode(report), 3);
});

test("a version too new that the checksum does not fit is damage", async () => {
  const block = newerImage(1);
  block[HEADER + 2] = 9;
  const report = await verifyBytes(block);
  assert.is(report.summary.unsupported, 0);
  assert.ok(report.findings.some((finding) => brief(finding) === "error block-checksum"));
  assert.is(exitCode(report), 1);
});

test("decoding says the version is not supported, and nothing wrong besides", () => {
  const block = tooNew();
  assert.is(blockHeader.read(block.subarray(HEADER, HEADER + 16)).generation, "D1");
  for (const issues of [blockHeader.validate(block.subarray(HEADER, HEADER + 16)), decodePage(block).issues])
    assert.equal(
      issues.filter(({ severity }) => severity === "error").map(({ code }) => code),
      ["unsupported-version"],
    );
  try {
    page.parse(block);
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: string }).code, "unsupported-version");
  }
});

const RECORD = "metadata_lsn=";
interface Pages {
  readonly record?: (text: string) => string;
  readonly data?: (record: MemoryRecord) => Uint8Array;
}

/** palm/a_small by its exports, with other bytes. */
function verifyStore({ record = (text) => text, data = ({ data: same }) => same }: Pages): VerifyReport {
  const rows = (name: string): Array<Record<string, string | number>> =>
    readFileSync(corpusPath("palm", "a_small", "export", name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const records = rows("pages.jsonl").map((row): MemoryRecord => {
    const content = {
      tableId: BigInt(row.table_id as number),
      pageId: BigInt(row.page_id as number),
      lsn: BigInt(row.lsn as number),
      backlinkLsn: BigInt(row.backlink_lsn as number),
      baseLsn: BigInt(row.base_lsn as number),
      flags: row.flags as number,
      data: Uint8Array.from(Buffer.from(row.data_hex as string, "hex")),
    };
    return { ...content, data: data(content) };
  });
  const checkpoints = rows("checkpoints.jsonl").map((row) => ({
    lsn: BigInt(row.lsn as number),
    timestamp: BigInt(row.timestamp as number),
    metadata: new TextEncoder().encode(record(row.metadata as string)),
  }));
  const run = new Run({}, 0);
  const store = memoryPageLog(records, checkpoints);
  const detected = new Detected("memory", store.kind);
  run.addInput(detected);
  verifyPageLog(store, run, detected);
  return run.report();
}

test("the store itself is sound", () => {
  const report = verifyStore({});
  assert.is(
    report.summary.errors,
    0,
    JSON.stringify(report.findings, (_, v) => (typeof v === "bigint" ? `${v}` : v)),
  );
  assert.is(exitCode(report), 0);
});

test("checkpoint records too new: all of them, or the newest", () => {
  const newer = (text: string): string => `${text},version=9,compatible_version=9`;
  for (const record of [newer, (text: string) => (text.includes(`${RECORD}166`) ? newer(text) : text)]) {
    const report = verifyStore({ record });
    const found = report.findings.filter(({ code }) => code === "unsupported-version");
    assert.ok(found.length > 0);
    assert.ok(found.every(({ lsn, checkpoint }) => lsn !== undefined && checkpoint !== undefined));
    assert.is(
      report.summary.errors,
      0,
      JSON.stringify(report.findings, (_, v) => (typeof v === "bigint" ? `${v}` : v)),
    );
    assert.is(report.summary.complete, false);
    assert.is(exitCode(report), 3);
  }
});

test("one page too new: the rest is verified", () => {
  const report = verifyStore({
    data: ({ data, tableId, pageId, lsn }) =>
      tableId === 41n && pageId === 128n && lsn === 93n ? tooNewOf(data) : data,
  });
  const found = report.findings.filter(({ code }) => code === "unsupported-version");
  assert.equal([found.length, found[0]?.tableId, found[0]?.pageId, found[0]?.lsn], [1, 41n, 128n, 93n]);
  assert.ok(report.summary.pages > 100);
});

test("one page too new, and every address of it fits: a leaf, a root", () => {
  const contents = loadContents("a_small");
  for (const [pageId, lsn] of [
    [150, 142],
    [163, 163],
  ] as const) {
    const changed = editedAndSealed(contents, find(contents, 41, pageId, lsn), (data) => {
      data[HEADER + 1] = data[HEADER + 2] = 9;
    });
    const found = findingsOf(changed).map(({ code, severity, lsn: at }) => [code, severity, at]);
    assert.equal(found, [["unsupported-version", "warning", BigInt(lsn)]]);
  }
});

function tooNewOf(data: Uint8Array): Uint8Array {
  const block = data.slice();
  block[HEADER + 1] = block[HEADER + 2] = 9;
  return sealed(block);
}

test("key pages too new", async () => {
  for (const { generation, bytes } of cryptPages.filter((sample) => /^K[23]$/.test(sample.generation))) {
    const newer = bytes.slice();
    newer[4] = newer[5] = 9;
    newer.set(crcOf(newer, 12), 12);
    const report = await verifyBytes(newer);
    assert.equal(report.findings.map(brief), ["warning unsupported-version"], generation);
    assert.is(exitCode(report), 3);
    assert.not.ok(
      JSON.stringify(report.findings, (_, v) => (typeof v === "bigint" ? `${v}` : v)).includes("blob"),
    );
  }
});

function crcOf(bytes: Uint8Array, at: number): Uint8Array {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32cWithZeroedField(bytes, 0, bytes.length, at));
  return crc;
}

/** A copy of a home in which one file's description block is of another version. */
function homeWith(file: string): string {
  const home = join(folder, `home-${file}`);
  mkdirSync(home);
  cpSync(corpusPath("corrupt-classic", "orig"), home, { recursive: true });
  const path = join(home, file);
  const bytes = new Uint8Array(readFileSync(path));
  const newer = descriptionBlock.build({ magic: 120897, major: 9, minor: 0, unused: 0, tail: 4080 } as never);
  bytes.set(newer);
  writeFileSync(path, bytes);
  return home;
}

test("a table file too new in a directory: the rest is verified", async () => {
  const home = homeWith("c.wt");
  const report = await verify([home]);
  assert.equal(
    report.findings
      .filter(({ severity }) => severity !== "info")
      .map((finding) => [brief(finding), finding.path, finding.offset]),
    [["warning unsupported-version", join(home, "c.wt"), 4]],
  );
  assert.is(report.summary.complete, false);
  assert.is(exitCode(report), 3);
});

test("the metadata file too new", async () => {
  const report = await verify([homeWith("WiredTiger.wt")]);
  assert.is(report.summary.errors, 0);
  assert.is(exitCode(report), 3);
});

test("a turtle file of a release too new", async () => {
  const home = join(folder, "turtle");
  mkdirSync(home);
  cpSync(corpusPath("corrupt-classic", "orig"), home, { recursive: true });
  for (const name of ["WiredTiger.turtle", "WiredTiger"]) {
    const text = readFileSync(join(home, name), "latin1");
    const newer = text
      .replace(/major=\d+,minor=\d+,patch=\d+/, "major=99,minor=0,patch=0")
      .replace(/WiredTiger \d+\.\d+\.\d+/g, "WiredTiger 99.0.0");
    writeFileSync(join(home, name), newer, "latin1");
  }
  const report = await verify([home]);
  assert.equal(report.findings.map(brief), ["warning unsupported-version"]);
  assert.is(exitCode(report), 3);
});

test("the one file given too new: nothing to report on", async () => {
  const error = await verify([join(homeWith("WiredTigerLAS.wt"), "WiredTigerLAS.wt")]).catch(
    (thrown) => thrown,
  );
  assert.instance(error, InputError);
  assert.is((error as InputError).code, "input-unsupported");
});

test.run();
