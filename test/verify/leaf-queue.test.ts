/** Leaves wait before they are checked, as many as memory allows for the overflow items that they lead to. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AddressList } from "../../src/verify/classic/address-list.js";
import type { BlockChecker } from "../../src/verify/classic/block-checker.js";
import { LeafQueue } from "../../src/verify/classic/leaf-queue.js";
import { childKind } from "../../src/verify/classic/page-children.js";
import { Run } from "../../src/verify/run.js";

const test = suite("leaves that wait");
const SIZE = 512;
const AT_ONCE = 64;

/** Says nothing, and finds so many overflow items on each leaf. */
class Finder {
  items = 0;
  readonly block = { checkpoint: undefined };

  checkAll(list: AddressList, from: number, to: number, found: AddressList): void {
    for (let at = from; at < to; at++)
      for (let item = 0; list.kinds[at] === childKind.leaf && item < this.items; item++)
        found.push(SIZE * item, SIZE, 0, childKind.overflow, 0);
  }
}

/** Adds leaves until it is time to check them: how many, and what they led to. */
function round(queue: LeafQueue): { leaves: number; found: AddressList } {
  const page = new AddressList();
  for (let at = 0; at < AT_ONCE; at++) page.push(SIZE * at, SIZE, 0, childKind.leaf, 0);
  for (let leaves = AT_ONCE; ; leaves += AT_ONCE)
    if (queue.addAll(page)) return { leaves, found: queue.check() };
}

test("more and more where nothing follows, few where much does", () => {
  const finder = new Finder();
  const queue = new LeafQueue(finder as unknown as BlockChecker, new Run({}, 0), undefined);
  const sizes = Array.from({ length: 4 }, () => round(queue).leaves);
  assert.equal(sizes, [2048, 8192, 32_768, 65_536]);
  finder.items = 20;
  const { leaves, found } = round(queue);
  assert.is(found.length, 20 * leaves);
  // What was found waits next, and leads to nothing: that says nothing of leaves.
  for (let at = 0; at < found.length; at++) if (queue.add(found, at)) assert.is(queue.check().length, 0);
  queue.check();
  assert.is(round(queue).leaves, 16_384);
  assert.is(round(queue).leaves, 4096);
  assert.is(round(queue).found.length, 20 * 1024);
});

test.run();
