/** Walking trees that no engine writes. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeText } from "../../src/codec/index.js";
import { LeafRows } from "../../src/tree/leaf-rows.js";
import type { TreePage, TreeProblem } from "../../src/tree/types.js";
import { TreeWalk } from "../../src/tree/walk.js";
import { fakeSource, internalPage, leafPage } from "../support/fake-tree.js";

interface Walked {
  readonly keys: readonly string[];
  readonly problems: readonly TreeProblem[];
  readonly loads: number;
}

function walk(make: (name: string) => TreePage | undefined, root = "root"): Walked {
  const problems: TreeProblem[] = [];
  const keys: string[] = [];
  let loads = 0;
  const source = fakeSource((name) => {
    loads++;
    return make(name);
  });
  const options = { table: "file:t.wt", report: (problem: TreeProblem) => void problems.push(problem) };
  const rows = new LeafRows(source, options);
  for (const leaf of new TreeWalk(source, options).leaves(encodeText(root)))
    for (const { key } of rows.rows(leaf)) keys.push(new TextDecoder().decode(key as Uint8Array));
  return { keys, problems, loads };
}

const pages =
  (...all: TreePage[]) =>
  (name: string): TreePage | undefined =>
    all.find(({ identity }) => identity === name);

const text = (key: unknown): string | undefined =>
  key === undefined ? undefined : new TextDecoder().decode(key as Uint8Array);
const ranges = ({ problems }: Walked): unknown[] =>
  problems.map(({ code, lost }) => [code, text(lost?.from), text(lost?.to)]);

const test = suite("walking trees");

test("rows come in order, of leaves on any level", () => {
  const walked = walk(
    pages(
      internalPage("root", { "": "left", m: "middle", t: "right" }),
      leafPage("left", { a: "1", b: "2" }),
      internalPage("middle", { m: "m1", p: "m2" }),
      leafPage("m1", { n: "3" }),
      leafPage("m2", { p: "4" }),
      leafPage("right", { t: "5" }),
    ),
  );
  assert.equal(walked.keys, ["a", "b", "n", "p", "t"]);
  assert.equal(walked.problems, []);
});

test("a page that is not there costs what its parents say it holds", () => {
  const walked = walk(
    pages(
      internalPage("root", { "": "left", m: "middle", t: "right" }),
      leafPage("left", { a: "1" }),
      internalPage("middle", { m: "m1", p: "m2" }),
      leafPage("m1", { n: "3" }),
      leafPage("right", { t: "5" }),
    ),
  );
  assert.equal(walked.keys, ["a", "n", "t"]);
  assert.equal(ranges(walked), [["page-missing", "p", "t"]]);
});

test("a missing first and last child lose open ranges", () => {
  const walked = walk(
    pages(internalPage("root", { "": "left", m: "middle", t: "right" }), leafPage("middle", { n: "" })),
  );
  assert.equal(walked.keys, ["n"]);
  assert.equal(ranges(walked), [
    ["page-missing", undefined, "m"],
    ["page-missing", "t", undefined],
  ]);
});

test("a page that names itself", () => {
  const walked = walk(pages(internalPage("root", { "": "root", m: "leaf" }), leafPage("leaf", { n: "1" })));
  assert.equal(walked.keys, ["n"]);
  assert.equal(ranges(walked), [["tree-loop", undefined, "m"]]);
});

test("a loop over several pages", () => {
  const walked = walk(
    pages(
      internalPage("root", { "": "a", m: "leaf" }),
      internalPage("a", { "": "b" }),
      internalPage("b", { "": "a", c: "root" }),
      leafPage("leaf", { n: "1" }),
    ),
  );
  assert.equal(walked.keys, ["n"]);
  assert.equal(
    walked.problems.map(({ code }) => code),
    ["tree-loop", "tree-loop"],
  );
});

test("a tree without an end is left at 64 levels", () => {
  const walked = walk((name) =>
    internalPage(name, { "": `${name.slice(0, 4)}${Number(name.slice(4)) + 1}` }),
  );
  assert.equal(
    walked.problems.map(({ code }) => code),
    ["tree-depth"],
  );
  assert.is(walked.loads, 65);
});

test("pages that share children are walked once: no page is read exponentially often", () => {
  const walked = walk((name) => {
    const level = Number(name.slice(4));
    return level < 40
      ? internalPage(name, { "": `root${level + 1}`, m: `root${level + 1}` })
      : leafPage(name, { a: "1" });
  });
  assert.ok(walked.loads < 200, `${walked.loads} pages read`);
  assert.ok(walked.problems.every(({ code }) => code === "tree-loop" || code === "key-range"));
});

test("keys outside the range the parent gives are not taken for rows", () => {
  const walked = walk(
    pages(
      internalPage("root", { "": "left", m: "right" }),
      leafPage("left", { a: "1", z: "2" }),
      leafPage("right", { a: "1", n: "2" }),
    ),
  );
  assert.equal(walked.keys, ["a", "n"]);
  assert.equal(ranges(walked), [
    ["key-range", undefined, "m"],
    ["key-range", "m", undefined],
  ]);
});

test("a page of no tree at all", () => {
  const walked = walk((name) => ({ ...leafPage(name, { a: "1" }), type: 5 }));
  assert.equal(ranges(walked), [["page-type", undefined, undefined]]);
});

test.run();
