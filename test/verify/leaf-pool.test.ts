/** Threads that check leaves: one that dies in the middle is not waited for, and nothing it took is lost. */
import { MessageChannel, Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageTypes } from "../../formats/page-header.js";
import { readTableConfig } from "../../src/tree/table-config.js";
import { AddressList, sortedShared } from "../../src/verify/classic/address-list.js";
import { LeafPool } from "../../src/verify/classic/leaf-pool.js";
import { Batches, type LeafFile } from "../../src/verify/classic/leaf-task.js";
import type { LeafThread } from "../../src/verify/classic/leaf-thread.js";
import { childKind } from "../../src/verify/classic/page-children.js";
import { Detected, Run } from "../../src/verify/run.js";
import { blocksOf, healthyFiles } from "../support/classic-files.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("threads for leaves");

const PATH = corpusPath("corrupt-classic", "orig", "c.wt");
const PATIENCE = 200;
const file: LeafFile = {
  path: PATH,
  table: undefined,
  allocationSize: 4096,
  config: readTableConfig("file:c.wt", "key_format=u,value_format=u"),
  kind: "wt-file",
  options: {},
};

/** The leaves of the file; the checksum of the first one is wrong. */
function leaves(): AddressList {
  const bytes = healthyFiles().find(({ name }) => name === "corrupt-classic/orig/c.wt")?.bytes as Uint8Array;
  const list = new AddressList();
  for (const { type, offset, bytes: block, checksum } of blocksOf(bytes))
    if (type === pageTypes.rowLeaf)
      list.push(offset, block.length, list.length === 0 ? checksum ^ 1 : checksum, childKind.leaf, 0);
  return list;
}

/** Threads that take a batch of each list and then do what `code` says. */
async function threadThat(code: string): Promise<LeafThread> {
  const { port1, port2 } = new MessageChannel();
  const program = `
    const { workerData: port, parentPort } = require("node:worker_threads");
    port.on("message", ({ batches }) => {
      if (batches === undefined) return;
      Atomics.add(batches.control, 0, 1);
      ${code}
    });
    parentPort.postMessage("ready");`;
  const worker = new Worker(program, { eval: true, workerData: port2, transferList: [port2] });
  await new Promise((resolve) => worker.once("message", resolve));
  worker.unref();
  port1.unref();
  return { worker, port: port1 };
}

/** Waits, without events, until a list has lost a batch to another thread. */
function untilTaken({ shared }: Batches): void {
  while (Atomics.load(shared.control, 0) === 0) Atomics.wait(shared.control, 0, 0, 10);
}

for (const [what, code] of [
  ["ends", "process.exit()"],
  ["never answers", "for (;;);"],
] as const)
  test(`what a thread took that ${what} is checked by another`, async () => {
    const list = leaves();
    const detected = new Detected(PATH, "wt-file");
    const pool = new LeafPool(file, [await threadThat(code)], detected, PATIENCE);
    const run = new Run({}, 0);
    const batches = new Batches(sortedShared(list));
    pool.begin(batches, undefined);
    untilTaken(batches);
    const started = Date.now();
    pool.finish(run, undefined, new AddressList());
    pool.close();
    assert.ok(Date.now() - started >= PATIENCE - 1, "it was waited for");
    assert.is(run.pages, list.length);
    assert.equal(
      run.findings.list.map(({ offset }) => offset),
      [list.offsets[0]],
    );
  });

test("what a thread says too late of a batch that was given up does not count", () => {
  const batches = new Batches(sortedShared(leaves()));
  const taken = batches.take();
  assert.ok(taken !== undefined);
  assert.equal(batches.wait(1).slice(0, 1), [taken]);
  batches.done(taken);
  assert.equal(batches.wait(1), [], "nothing is given up twice");
});

test.run();
