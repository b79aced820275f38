import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CorruptionLog, type DumpedBlock, openCorruptionLog } from "../../src/store/corruption-log.js";
import { MemoryAccess } from "../../src/store/file.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("corruption dumps in server logs");
const page = readFileSync(corpusPath("vectors", "mongodb_valid_page.bin"));
const expected = JSON.parse(readFileSync(corpusPath("vectors", "mongodb_logs.expected.json"), "utf8")) as {
  intact_page: { log_offset: number; log_size: number; log_checksum: string };
};
const { log_offset: OFFSET, log_size: SIZE, log_checksum: CHECKSUM } = expected.intact_page;

function read(log: CorruptionLog) {
  const blocks: DumpedBlock[] = [...log.blocks()];
  return {
    blocks,
    issues: log.issues.map(({ code, place, message }) => ({ code, line: place.line, message })),
  };
}
const readText = (lines: readonly string[]) =>
  read(new CorruptionLog(new MemoryAccess("log", Buffer.from(lines.join("\n")))));

const hexOf = (bytes: Uint8Array): string =>
  `${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")} `;
const chunksOf = (bytes: Uint8Array): string[] =>
  Array.from({ length: Math.ceil(bytes.length / 1024) }, (_, i) =>
    hexOf(bytes.subarray(i * 1024, (i + 1) * 1024)),
  );

/** The texts of a dump; `wording` stands in front of the block's description. */
const dumpOf = (
  chunks: readonly string[],
  wording = "__wt_bm_corrupt_dump, 91: ",
  size = SIZE,
  offset = OFFSET,
): string[] =>
  chunks.map(
    (hex, i) =>
      `${wording}{0: ${offset}, ${size}, ${CHECKSUM}}: (chunk ${i + 1} of ${chunks.length}): ${hex}`,
  );
const plain = (texts: readonly string[]): string[] =>
  texts.map((text) => `[1765258643:985883][7884:0x7fa6], file:a.wt: ${text}`);
const wrapped = (texts: readonly string[]): string[] =>
  texts.map((msg) =>
    JSON.stringify({ t: { $date: "2026-02-17T00:00:00.000Z" }, s: "E", c: "WT", attr: { message: { msg } } }),
  );
const unwrapped = (texts: readonly string[]): string[] =>
  texts.map((message) => JSON.stringify({ s: "E", c: "WT", attr: { message } }));

test("a delta chain, newest block first", () => {
  const truth = JSON.parse(
    readFileSync(corpusPath("vectors", "disagg_delta_chain.expected.json"), "utf8"),
  ) as {
    blocks: { line: number; log_page_id: number; log_size: number; log_checksum: string }[];
  };
  const { blocks, issues } = read(openCorruptionLog(corpusPath("vectors", "disagg_delta_chain.log")));
  assert.equal(issues, []);
  assert.equal(
    blocks.map((block) => [
      block.line,
      Number(block.offsetOrPageId),
      block.size,
      block.checksum,
      block.bytes.length,
    ]),
    truth.blocks.map((block) => [
      block.line,
      block.log_page_id,
      block.log_size,
      Number(block.log_checksum),
      block.log_size,
    ]),
  );
});

test("the vector with a byte that is no hex names its line and gives no block", () => {
  const { blocks, issues } = read(openCorruptionLog(corpusPath("vectors", "mongodb_non_hex.log")));
  assert.equal(blocks, []);
  assert.equal(
    issues.map(({ code, line }) => ({ code, line })),
    [{ code: "dump-hex-digit", line: 4 }],
  );
});

for (const [name, lines] of [
  ["plain, old wording", plain(dumpOf(chunksOf(page)))],
  ["plain, new wording", plain(dumpOf(chunksOf(page), "corrupt dump: "))],
  ["wrapped in attr.message.msg", wrapped(dumpOf(chunksOf(page)))],
  ["wrapped in attr.message", unwrapped(dumpOf(chunksOf(page), "corrupt dump: "))],
] as const)
  test(`the intact page, ${name}`, () => {
    const { blocks, issues } = readText(["something else", ...lines, "the end"]);
    assert.equal(issues, []);
    assert.is(blocks.length, 1);
    const [block] = blocks as [DumpedBlock];
    assert.equal(Buffer.from(block.bytes), page);
    assert.equal(
      [block.objectId, block.offsetOrPageId, block.size, block.checksum, block.line],
      [0n, BigInt(OFFSET), SIZE, Number(CHECKSUM), 2],
    );
  });

test("half a byte", () => {
  const chunks = chunksOf(page);
  chunks[2] = (chunks[2] as string).trimEnd().slice(0, -1);
  const { blocks, issues } = readText(wrapped(dumpOf(chunks)));
  assert.equal(blocks, []);
  assert.equal(
    issues.map(({ code, line }) => ({ code, line })),
    [{ code: "dump-hex-odd", line: 3 }],
  );
});

test("fewer and more bytes than the block's size", () => {
  const chunks = chunksOf(page);
  chunks[3] = (chunks[3] as string).slice(0, -6);
  const short = readText(wrapped(dumpOf(chunks)));
  assert.equal(short.blocks, []);
  assert.equal(
    short.issues.map(({ code, line }) => ({ code, line })),
    [{ code: "dump-size", line: 4 }],
  );
  const long = readText(plain(dumpOf(chunksOf(page), undefined, 3000)));
  assert.equal(long.blocks, []);
  assert.equal(
    long.issues.map(({ code, line }) => ({ code, line })),
    [{ code: "dump-size", line: 3 }],
  );
});

test("a missing, a swapped and a last missing chunk; the next block is read all the same", () => {
  const lines = plain(dumpOf(chunksOf(page)));
  const [one, two, three, four] = lines as [string, string, string, string];
  const codes = (order: string[]) => {
    const { blocks, issues } = readText([...order, ...lines]);
    assert.is(blocks.length, 1);
    assert.is(blocks[0]?.line, order.length + 1);
    return issues.map(({ code, line }) => `${code} ${line}`);
  };
  assert.equal(codes([one, three, four]), ["dump-chunk 2"]);
  assert.equal(codes([one, three, two, four]), ["dump-chunk 2"]);
  assert.equal(codes([one, two, three]), ["dump-chunk 1"]);
  assert.equal(codes([two, three, four]), ["dump-chunk 1"]);
});

test("two dumps printed at once do not mix", () => {
  const [a, b] = [plain(dumpOf(chunksOf(page))), plain(dumpOf(chunksOf(page), undefined, SIZE, 8192))];
  const { blocks, issues } = readText(a.flatMap((line, i) => [line, b[i] as string]));
  assert.equal(issues, []);
  assert.equal(
    blocks.map(({ offsetOrPageId }) => offsetOrPageId),
    [BigInt(OFFSET), 8192n],
  );
});

test("a line that only mentions a dump is named", () => {
  const { blocks, issues } = readText(["a corrupt dump: to come", '{"attr": broken __wt_bm_corrupt_dump']);
  assert.equal(blocks, []);
  assert.equal(
    issues.map(({ code, line }) => `${code} ${line}`),
    ["dump-line 1", "dump-line 2"],
  );
});

test.run();
