/** Overflow keys among prefixed ones: prefixes count from the last key that is on the page itself, as 3.2.1 writes them. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Cell, type Page, page } from "../../formats/index.js";
import { pageFlags, pageTypes } from "../../formats/page-header.js";
import { seededRandom } from "../../src/codec/index.js";
import { decodePage, PageWalker, pageLayout, readBlockHeaders } from "../../src/page/index.js";
import { rowsOf } from "../../src/page/rows.js";

const test = suite("overflow keys among prefixed keys");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);

const first = { kind: "keyShort", data: bytes("order-0001") };
const elsewhere = { kind: "keyOverflow", cookie: bytes("somewhere") };
const value = { kind: "valueShort", data: bytes("v") };
const prefixed = (prefix: number, own: string) => ({ kind: "keyShortPrefix", prefix, data: bytes(own) });

function leaf(cells: readonly unknown[]): Uint8Array {
  const header = { writeGen: 1n, recno: 0n, type: pageTypes.rowLeaf, flags: 0, version: 1 };
  const draft = { generation: "classic", header, block: { flags: 1 }, cells };
  return page.build(draft as unknown as Page);
}

interface Read {
  readonly rows: ReadonlyArray<string | undefined>;
  readonly walked: readonly [string | undefined, string | undefined];
  readonly defects: readonly string[];
  readonly issues: readonly string[];
}

/** By the rows, by the walker, and by the declared codec. */
function read(block: Uint8Array): Read {
  const layout = pageLayout(readBlockHeaders(block, { generation: "classic" }));
  const walker = new PageWalker();
  walker.walk(block, layout, {});
  return {
    rows: [...rowsOf(block, layout)].map(({ key }) => text(key)),
    walked: [text(walker.firstKey()), text(walker.lastKey())],
    defects: walker.defects.map(({ code }) => code),
    issues: page.read(block).issues.map(({ code }) => code),
  };
}

test("prefixes go on behind an overflow key", () => {
  const sound = read(
    leaf([first, value, elsewhere, value, prefixed(9, "3"), value, prefixed(6, "1004"), value]),
  );
  assert.equal(sound, {
    rows: ["order-0001", undefined, "order-0003", "order-1004"],
    walked: ["order-0001", "order-1004"],
    defects: [],
    issues: [],
  });
});

test("a prefix of more bytes than that key has is damage, however long the overflow key may be", () => {
  const { defects, issues } = read(leaf([first, value, elsewhere, value, prefixed(9, "3"), value]));
  assert.equal([defects, issues], [[], []]);
  const damaged = leaf([first, value, elsewhere, value, prefixed(9, "3"), value]);
  damaged[damaged.indexOf(9, 40 + 26)] = 11;
  const found = read(damaged);
  assert.ok(found.defects.includes("key-prefix"), found.defects.join());
  assert.ok(found.issues.includes("key-prefix"), found.issues.join());
});

test("generated leaves have them, and every reader agrees on their keys", () => {
  const random = seededRandom(31);
  const walker = new PageWalker();
  let behind = 0;
  for (let round = 0; round < 1500; round++) {
    const value = page.generate(random, { generation: "classic" });
    if (value.header.type !== pageTypes.rowLeaf || value.header.flags & pageFlags.compressed) continue;
    const block = page.build(value);
    const layout = pageLayout(readBlockHeaders(block, { generation: "classic" }));
    assert.ok(walker.walk(block, layout, {}), JSON.stringify(walker.defects));
    const decoded = decodePage(block, { generation: "classic" }).cells.filter(({ cell }) =>
      cell.kind.startsWith("key"),
    );
    assert.equal(
      [...rowsOf(block, layout)].map(({ key }) => key?.slice()),
      decoded.map(({ key }) => key?.slice()),
    );
    behind += prefixesBehind(decoded.map(({ cell }) => cell));
  }
  assert.ok(behind > 10, `${behind} prefixed keys behind an overflow key`);
});

function prefixesBehind(keys: readonly Cell[]): number {
  return keys.filter(({ kind }, at) => kind.endsWith("Prefix") && keys[at - 1]?.kind === "keyOverflow")
    .length;
}

test.run();
