/** The fast way through leaves says yes only where the rules find nothing: leaves of the corpus, changed at random. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLASSIC_BLOCK, DATA_CHECKSUM, PARTIAL_CHECKSUM_LENGTH } from "../../formats/block-header.js";
import { PAGE_HEADER, pageFlags, pageTypes } from "../../formats/page-header.js";
import { crc32cWithZeroedField, type RandomSource, seededRandom } from "../../src/codec/index.js";
import {
  giveBackLeafMemory,
  LEAF_MEMORY,
  type LeafMemory,
  setLeafMemory,
  takeLeafMemory,
} from "../../src/page/leaf-memory.js";
import { installNodeAccelerators } from "../../src/platform/node.js";
import { installWasmLeafMemory } from "../../src/platform/node-leaf-memory.js";
import { MemoryAccess } from "../../src/store/file.js";
import { readTableConfig } from "../../src/tree/table-config.js";
import { AddressList } from "../../src/verify/classic/address-list.js";
import { ClassicBlock, keysOf } from "../../src/verify/classic/block.js";
import { BlockChecker } from "../../src/verify/classic/block-checker.js";
import { BlockReader } from "../../src/verify/classic/block-reader.js";
import { childKind } from "../../src/verify/classic/page-children.js";
import { PlainLeaf } from "../../src/verify/classic/plain-leaf.js";
import { PageVerifier } from "../../src/verify/page-verifier.js";
import { Detected, Run } from "../../src/verify/run.js";
import { blocksOf, healthyFiles } from "../support/classic-files.js";

const test = suite("leaves of plain rows");
test.before(() => {
  installNodeAccelerators();
});

const LEAVES_A_FILE = 2;
const CHANGES = 18;
const PATH = "x.wt";
// As of a file without its metadata: any compressor may be met.
const config = readTableConfig("file:", "key_format=u,value_format=u");
/** Where in the window the block begins: no offset may count from the window's start. */
const START = 4096;
const AROUND = 100;

function* leaves(): IterableIterator<{ name: string; bytes: Uint8Array }> {
  for (const { name, bytes: file } of healthyFiles()) {
    let left = LEAVES_A_FILE;
    for (const { type, bytes, offset } of blocksOf(file))
      if (type === pageTypes.rowLeaf && left-- > 0) yield { name: `${name} at ${offset}`, bytes };
  }
}

/** Changes some bytes, more often in front, and gives the block the checksum that fits in most cases. */
function change(block: Uint8Array, random: RandomSource): void {
  for (let left = 1 + random.below(2); left > 0; left--) {
    const near = [CLASSIC_BLOCK.payload, 256, block.length][random.below(3)] as number;
    const at = random.below(Math.min(near, block.length));
    block[at] = random.below(2) === 0 ? (block[at] as number) ^ (1 << random.below(8)) : random.below(256);
  }
  if (random.below(10) === 0) return;
  const whole = ((block[CLASSIC_BLOCK.flags] as number) & DATA_CHECKSUM) !== 0;
  const covered = whole ? block.length : PARTIAL_CHECKSUM_LENGTH;
  const sum = crc32cWithZeroedField(block, 0, covered, CLASSIC_BLOCK.checksum);
  new DataView(block.buffer, block.byteOffset).setUint32(CLASSIC_BLOCK.checksum, sum, true);
}

/** A list of one address, that of the block, with keys taken from anywhere in it. */
function addressOf(block: Uint8Array, random: RandomSource): AddressList {
  const list = new AddressList();
  const checksum = new DataView(block.buffer, block.byteOffset).getUint32(CLASSIC_BLOCK.checksum, true);
  const key = (): number => {
    if (random.below(3) > 0) return 0;
    const from = CLASSIC_BLOCK.payload + random.below(64);
    return list.separators.push(block.subarray(from, from + random.below(12)));
  };
  list.push(START, block.length, checksum, childKind.leaf, 0, key(), key());
  return list;
}

const newRun = (): { run: Run; detected: Detected } => ({
  run: new Run({}, 0),
  detected: new Detected(PATH, "wt-file"),
});

/** Bytes that are not covered by the checksum of a leaf that is said to be sound; undefined for others. */
function fastSays(memory: LeafMemory, list: AddressList): number | undefined {
  const { run, detected } = newRun();
  const pages = new PageVerifier(run, detected);
  const block = new ClassicBlock(PATH, undefined, 4096, keysOf(config, {}));
  const plain = new PlainLeaf((bytes) =>
    pages.classicImageIfAny(block.set(bytes, 0, bytes.length, 0, "leaf"), config),
  );
  const length = START + (list.sizes[0] as number) + AROUND;
  const window = memory.bytes.subarray(0, length);
  const before = window.slice();
  plain.begin(list, { from: 0, to: 1, memory, offset: 0, length });
  const sound = plain.pass(0) === 1;
  assert.is(Buffer.compare(window, before), 0, "the bytes are what they were");
  assert.is(run.findings.list.length, 0, "it says nothing itself");
  assert.is(plain.pages, sound ? 1 : 0);
  return sound ? plain.uncovered : undefined;
}

/** The same where the rules have nothing to say, and nothing is to be followed; undefined elsewhere. */
function rulesSay(bytes: Uint8Array, list: AddressList): number | undefined {
  const { run, detected } = newRun();
  const block = new ClassicBlock(PATH, undefined, 4096, keysOf(config, {}));
  const checker = new BlockChecker(
    config,
    new BlockReader(new MemoryAccess(PATH, bytes)),
    block,
    run,
    detected,
  );
  const found = new AddressList();
  const checksum = list.checksums[0] as number;
  const whole = checker.check(
    bytes,
    START,
    bytes.length,
    checksum,
    "leaf",
    found,
    list.lowOf(0),
    list.highOf(0),
  );
  const { uncoveredBytes, unreadPages, complete, findings } = run;
  const isSilent = whole && complete && findings.list.length + unreadPages + found.length === 0;
  return isSilent ? uncoveredBytes : undefined;
}

/** Memory in which a block lies at `START`, with what is no page around it; used again by the next call. */
function memoryWith(block: Uint8Array): LeafMemory {
  const memory = takeLeafMemory(START + block.length + AROUND);
  memory.bytes.fill(0xee, 0, START + block.length + AROUND);
  memory.bytes.set(block, START);
  giveBackLeafMemory(memory);
  return memory;
}

for (const [kind, install] of [
  ["WebAssembly", installWasmLeafMemory],
  ["portable code", () => setLeafMemory()],
] as const)
  test(`what ${kind} says is sound has no findings`, () => {
    install();
    const { yes, damaged, scanned } = compareWithRules(kind === "WebAssembly" ? 31 : 32);
    assert.ok(yes > 100, `${yes} said to be sound`);
    assert.ok(damaged > 100, `${damaged} damaged`);
    assert.is(scanned > 100, kind === "WebAssembly", `${scanned} scanned where they lie`);
  });

function compareWithRules(seed: number): { yes: number; damaged: number; scanned: number } {
  const random = seededRandom(seed);
  let [yes, damaged, scanned] = [0, 0, 0];
  for (const { name, bytes } of leaves())
    for (let round = 0; round < CHANGES; round++) {
      const block = bytes.slice();
      if (round > 5) change(block, random);
      const list = addressOf(block, random);
      const memory = memoryWith(block);
      const said = fastSays(memory, list);
      memory.begin(list, 0, 1, 0, START + block.length);
      scanned += memory.fitting(0);
      const truth = rulesSay(block, list);
      if (said !== undefined) assert.is(said, truth, `${name}, round ${round}`);
      if (said !== undefined) yes++;
      else if (truth === undefined) damaged++;
    }
  return { yes, damaged, scanned };
}

test("many blocks side by side are told apart, and their bytes are what they were", () => {
  installWasmLeafMemory();
  const random = seededRandom(7);
  const blocks = [...leaves()].map(({ bytes }, i) => {
    const block = bytes.slice();
    if (i % 3 === 0) change(block, random);
    return block;
  });
  const list = new AddressList();
  const alone: boolean[] = [];
  let end = START;
  for (const block of blocks) {
    const own = addressOf(block, random);
    alone.push(fastSays(memoryWith(block), own) !== undefined);
    const [low, high] = [own.lows[0] as number, own.highs[0] as number];
    list.push(end, block.length, own.checksums[0] as number, childKind.leaf, 0);
    if (low !== 0) list.lows[list.length - 1] = list.separators.pushFrom(own.keys, low);
    if (high !== 0) list.highs[list.length - 1] = list.separators.pushFrom(own.keys, high);
    end += block.length;
  }
  const from = 2;
  const offset = list.offsets[from] as number;
  const fits = (at: number): boolean =>
    (list.offsets[at] as number) + (list.sizes[at] as number) <= offset + LEAF_MEMORY;
  const to = blocks.findIndex((_, at) => at > from && !fits(at));
  assert.ok(to > 20, `${to} blocks`);
  const memory = takeLeafMemory(LEAF_MEMORY);
  const content = Buffer.concat(blocks.slice(from, to));
  memory.bytes.set(content);
  const plain = new PlainLeaf(() => undefined);
  plain.begin(list, { from, to, memory, offset, length: content.length });
  const seen: number[] = [];
  for (let at = plain.pass(from); at < to; at = plain.pass(at + 1)) seen.push(at);
  const compressed = (at: number): boolean =>
    ((blocks[at]?.[PAGE_HEADER.at.flags] as number) & pageFlags.compressed) !== 0;
  const expected = alone.flatMap((sound, at) =>
    at >= from && at < to && (!sound || compressed(at)) ? [at] : [],
  );
  assert.equal(seen, expected);
  assert.ok(seen.length > 3 && seen.length < to - from, seen.join());
  assert.is(Buffer.compare(memory.bytes.subarray(0, content.length), content), 0);
  giveBackLeafMemory(memory);
});

test("uncompressed and compressed leaves of plain rows are seen to be sound", () => {
  const random = seededRandom(1);
  const seen = new Set<string>();
  for (const { name, bytes } of leaves()) {
    const list = addressOf(bytes, random);
    list.lows[0] = list.highs[0] = 0;
    if (fastSays(memoryWith(bytes), list) !== undefined) seen.add(name.replace(/ at .*/, ""));
  }
  for (const name of ["classic-12.0/basic/row.wt", "corrupt-classic/orig/c.wt"])
    assert.ok(seen.has(name), `${name}: ${[...seen].join(", ")}`);
  assert.ok(
    [...seen].some((name) => name.includes("snappy")),
    [...seen].join(", "),
  );
});

test.run();
