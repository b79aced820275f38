import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Cell, cell, cellLength, cellTags, type Page, page } from "../../formats/index.js";
import { pageFlags, pageTypes } from "../../formats/page-header.js";
import { bytesToHex, type RandomSource, seededRandom } from "../../src/codec/index.js";
import {
  type AddressCell,
  decodePage,
  type PageLayout,
  PageWalker,
  pageForms,
  pageLayout,
  plainImage,
  readBlockHeaders,
} from "../../src/page/index.js";
import { rotnEncryptor } from "../../src/page/transform/index.js";
import { installNodeCrc32c } from "../../src/platform/node-crc32c.js";
import { corpusBlocks, ROTN_KEY_ID } from "../support/corpus-blocks.js";

const test = suite("pages walked in place");
test.before(() => {
  installNodeCrc32c();
});

interface Opened {
  readonly name: string;
  readonly image: Uint8Array;
  readonly layout: PageLayout;
  /** The page with its plain payload. */
  readonly value: Page;
}

/** What the `page` format calls deltas with a header of their own. */
const deltas = new Map([["D0 true", "D0-delta"]]);

/** The plain image, read by the declared codec, with what a walker needs. */
function open(name: string, block: Uint8Array, bitsPerRecord?: number, forced?: string): Opened {
  const headers = readBlockHeaders(block);
  const image = plainImage(block, headers, { encryptor: rotnEncryptor(ROTN_KEY_ID) });
  const params = { plain: 1, ...(bitsPerRecord === undefined ? {} : { bitsPerRecord }) };
  const generation = deltas.get(`${headers.generation} ${headers.delta}`) ?? forced ?? headers.generation;
  const reading = page.read(image, { generation, params });
  assert.ok(reading.ok, name);
  const form = headers.delta && generation.endsWith("P0") ? pageForms.oldDelta : undefined;
  const layout = { ...pageLayout(headers, bitsPerRecord), ...(form === undefined ? {} : { form }) };
  return { name, image, layout, value: reading.value };
}

const hasCookie = (stored: Cell): stored is Cell & { cookie: Uint8Array } => "cookie" in stored;

/** Cells with cookies as the declared codec has them: offset, tag, cookie. */
function declaredAddresses({ value, layout }: Opened): string[] {
  const found: string[] = [];
  let at = layout.payload;
  const visit = (stored: Cell): void => {
    const length = cellLength(stored);
    if (hasCookie(stored)) found.push(`${at} ${cellTags[stored.kind]} ${bytesToHex(stored.cookie)}`);
    at += length;
  };
  if ("cells" in value) value.cells?.forEach(visit);
  if ("internalEntries" in value)
    for (const { key, address } of value.internalEntries ?? []) {
      at += 1;
      visit(key);
      if (address !== undefined) visit(address);
    }
  return found;
}

const declaredCount = (value: Page): number =>
  (("cells" in value && value.cells) || ("leafEntries" in value && value.leafEntries) || [])?.length ||
  ("internalEntries" in value && value.internalEntries?.length) ||
  0;

test("every page of the corpus is sound, and its cells are where the declared codec has them", () => {
  const walker = new PageWalker();
  const totals = { pages: 0, cells: 0, addresses: 0 };
  for (const { name, bytes } of corpusBlocks()) {
    const opened = open(name, bytes);
    const found: string[] = [];
    const note = ({ start, tag, cookieStart, cookieEnd }: AddressCell): void => {
      found.push(`${start} ${tag} ${bytesToHex(opened.image.subarray(cookieStart, cookieEnd))}`);
    };
    const sound = walker.walk(opened.image, opened.layout, { child: note, overflow: note });
    assert.equal(walker.defects, [], name);
    assert.ok(sound);
    assert.is(walker.cells, declaredCount(opened.value), name);
    assert.equal(found, declaredAddresses(opened), name);
    totals.pages++;
    totals.cells += walker.cells;
    totals.addresses += found.length;
  }
  assert.equal(totals, { pages: 7386, cells: 521887, addresses: 8746 });
});

test("first and last key, and the keys in front of children", () => {
  const walker = new PageWalker();
  let pages = 0;
  let index = 0;
  for (const { name, bytes } of corpusBlocks()) {
    if (index++ % 5 !== 0) continue;
    const decoded = decodePage(bytes, { encryptor: rotnEncryptor(ROTN_KEY_ID) });
    const { headers, image } = decoded;
    assert.ok(headers !== undefined && image !== undefined);
    const keys = decoded.cells.filter(({ cell: { kind } }) => kind.startsWith("key"));
    if (keys.length === 0) continue;
    const children: string[] = [];
    walker.walk(image, pageLayout(headers), {
      child: ({ keyStart, keyEnd }) => children.push(bytesToHex(image.subarray(keyStart, keyEnd))),
    });
    assert.equal(walker.firstKey(), keys[0]?.key?.slice(), name);
    assert.equal(walker.lastKey(), keys.at(-1)?.key?.slice(), name);
    assert.is(walker.keys, keys.length);
    if (children.length > 0)
      assert.equal(
        children,
        keys.map(({ key }) => bytesToHex(key ?? new Uint8Array())),
        name,
      );
    pages++;
  }
  assert.ok(pages > 500);
});

/** Pages of every kind: a part of the corpus, and generated ones for the generations it lacks. */
function kinds(random: RandomSource): Map<string, Opened[]> {
  const found = new Map<string, Opened[]>();
  const add = (opened: Opened): void => {
    const { value, layout } = opened;
    const limit = layout.type === pageTypes.columnFixed ? 32768 : 8192;
    if (layout.memSize > limit || layout.memSize === layout.payload) return;
    const kind = `${value.generation} ${layout.type} ${layout.form}`;
    found.set(kind, [...(found.get(kind) ?? []), opened]);
  };
  let index = 0;
  for (const { name, bytes } of corpusBlocks())
    if (index++ % 8 === 0 || name.includes("col"))
      add(open(name, bytes, name.includes("colfix3") ? 3 : name.includes("colfix") ? 8 : undefined));
  for (const generation of page.generations)
    for (let round = 0; round < 60; round++) {
      const bytes = page.build(page.generate(random, { generation }));
      if ((bytes[25] as number) & pageFlags.compressed || (generation === "D0-delta" && bytes[18] !== 0))
        continue;
      if (page.read(bytes).generation === generation)
        add(open(`generated ${generation}`, bytes, undefined, generation));
    }
  return found;
}

const telling = [0x00, 0x80, 0x81, 0xff, 0xe8, 0xc0, 0x8c, 0x38, 0x98, 0x06];

/** Changes some bytes of the payload. */
function damage({ image, layout }: Opened, random: RandomSource): Uint8Array {
  const bytes = image.slice();
  const size = layout.memSize - layout.payload;
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = layout.payload + random.below(random.below(2) === 0 ? size : Math.min(size, 60));
    const kind = random.below(3);
    if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    else bytes[at] = kind === 1 ? random.below(256) : (telling[random.below(telling.length)] as number);
  }
  return bytes;
}

test("walker and declared codec reject the same damaged pages", () => {
  const random = seededRandom(20260915);
  const walker = new PageWalker();
  const groups = [...kinds(random).entries()];
  assert.ok(groups.length >= 20, `${groups.length} kinds of pages`);
  const rejected = new Map<string, number>();
  for (let round = 0; round < 6_000; round++) {
    const [kind, pages] = groups[round % groups.length] as [string, Opened[]];
    const opened = pages[random.below(pages.length)] as Opened;
    const bytes = damage(opened, random);
    const { bitsPerRecord } = opened.layout;
    const params = { plain: 1, ...(bitsPerRecord === undefined ? {} : { bitsPerRecord }) };
    const errors = page
      .validate(bytes, { generation: opened.value.generation, params })
      .filter(({ severity, code }) => severity === "error" && code !== "checksum");
    const sound = walker.walk(bytes, opened.layout);
    const why = `${opened.name}: ${JSON.stringify(errors[0]?.code)} against ${JSON.stringify(walker.defects[0])}`;
    assert.is(sound, errors.length === 0, `${why}\n${bytesToHex(bytes)}`);
    if (!sound) rejected.set(kind, (rejected.get(kind) ?? 0) + 1);
    for (const { offset } of walker.defects) assert.ok(offset >= 0 && offset <= opened.layout.memSize);
  }
  for (const [kind] of groups) {
    const free = /^classic (1|5) /.test(kind);
    assert.ok(free || (rejected.get(kind) ?? 0) > 0, `some damaged ${kind} is rejected`);
  }
});

/** A row leaf out of cells. */
function leaf(cells: readonly object[], flags = 0): { image: Uint8Array; layout: PageLayout } {
  const parts = cells.map((part) => cell.build(part as Cell));
  const memSize = 40 + parts.reduce((sum, part) => sum + part.length, 0);
  const image = new Uint8Array(memSize);
  let at = 40;
  for (const part of parts) {
    image.set(part, at);
    at += part.length;
  }
  const layout = {
    type: 7,
    flags,
    entries: cells.length,
    memSize,
    payload: 40,
    recno: 0n,
    form: pageForms.image,
  };
  return { image, layout };
}
const key = (text: string): object => ({ kind: "keyShort", data: Buffer.from(text) });
const prefixed = (prefix: number, text: string): object => ({
  kind: "keyShortPrefix",
  prefix,
  data: Buffer.from(text),
});
const value = { kind: "valueShort", data: new Uint8Array(2) };

function codes(cells: readonly object[], flags = 0, anyKeyOrder = false): string[] {
  const walker = new PageWalker({ anyKeyOrder });
  const { image, layout } = leaf(cells, flags);
  walker.walk(image, layout);
  return walker.defects.map(({ code, offset }) => `${code} ${offset}`);
}

test("keys rebuilt from prefixes are compared as wholes", () => {
  assert.equal(codes([key("abc"), prefixed(2, "d"), prefixed(3, "a"), key("abdb"), prefixed(1, "c")]), []);
  assert.equal(codes([key("abc"), prefixed(2, "c")]), ["key-order 44"], "equal");
  assert.equal(codes([key("abc"), prefixed(2, "d"), prefixed(2, "c")]), ["key-order 47"]);
  assert.equal(codes([key("abc"), prefixed(2, "d"), key("abcz")]), ["key-order 47"]);
  assert.equal(codes([key("abc"), key("ab")]), ["key-order 44"], "a prefix of the key before");
  assert.equal(codes([key("b"), key("a")], 0, true), []);
  assert.equal(codes([key("abc"), prefixed(4, "d")]), ["key-prefix 44"]);
  assert.equal(codes([prefixed(1, "d")]), ["key-prefix 40"]);
  assert.equal(codes([{ kind: "keyOverflow", cookie: new Uint8Array(3) }, prefixed(0, "d")]), [
    "key-prefix 45",
  ]);
});

test("values where the page's flags allow them", () => {
  assert.equal(codes([key("a"), key("b"), value], pageFlags.emptyValuesNone), ["value-cells 40"]);
  assert.equal(codes([key("a"), value, key("b")], pageFlags.emptyValuesNone), ["value-cells 45"]);
  assert.equal(codes([key("a"), value], pageFlags.emptyValuesAll), ["value-cells 42"]);
  assert.equal(codes([key("a"), key("b")], pageFlags.emptyValuesAll), []);
});

test("copies name an earlier value that is not a copy", () => {
  const copy = (distance: bigint): object => ({ kind: "valueCopy", distance });
  assert.equal(codes([key("a"), value, key("b"), copy(5n)]), []);
  assert.equal(codes([key("a"), value, key("b"), copy(4n)]), ["copy-target 47"]);
  assert.equal(codes([key("a"), value, key("b"), copy(7n)]), ["copy-target 47"], "a key");
  assert.equal(
    codes([key("a"), value, key("b"), copy(5n), key("c"), copy(4n)]),
    ["copy-target 51"],
    "a copy",
  );
});

test("the number of defects is bounded", () => {
  const keys = Array.from({ length: 1000 }, (_, index) => key(String(9999 - index)));
  const { image, layout } = leaf(keys);
  const walker = new PageWalker({ maxDefects: 5 });
  assert.not(walker.walk(image, layout));
  assert.is(walker.defects.length, 5);
  walker.walk(...(Object.values(leaf([key("a")])) as [Uint8Array, PageLayout]));
  assert.is(walker.defects.length, 0, "the next page starts anew");
});

test("an image that ends early, in its headers, or is of no type", () => {
  const { image, layout } = leaf([key("a"), value]);
  const walker = new PageWalker();
  const code = (more: Partial<PageLayout>): string | undefined => {
    walker.walk(image, { ...layout, ...more });
    return walker.defects[0]?.code;
  };
  assert.is(code({ memSize: image.length + 1 }), "truncated");
  assert.is(code({ memSize: 39 }), "truncated");
  assert.is(code({ memSize: image.length - 1 }), "truncated");
  assert.is(code({ entries: 3 }), "entry-count");
  assert.is(code({ type: 0 }), "page-type");
  assert.is(code({ type: 3, form: pageForms.delta }), "page-type");
  assert.is(code({ type: 5 }), "data-length");
});

test("a delta behind a page header is of cells unless only entries fit", () => {
  const random = seededRandom(3);
  const walker = new PageWalker();
  const seen = new Set<string>();
  for (let round = 0; round < 400; round++) {
    const generation = round % 2 === 0 ? "D1" : "D1-P0";
    const bytes = page.build(page.generate(random, { generation }));
    const { headers } = decodePage(bytes);
    if (headers?.delta !== true || headers.compressed || headers.header.entries === 0) continue;
    let children = 0;
    assert.ok(walker.walk(bytes, pageLayout(headers), { child: () => children++ }));
    assert.is(walker.deltaForm === "P0", generation === "D1-P0");
    seen.add(`${headers.header.type} ${walker.deltaForm} ${children > 0}`);
  }
  for (const kind of ["7 P0 false", "7 P1 false", "7 P2 false", "6 P0 true", "6 undefined true"])
    assert.ok(seen.has(kind), kind);
});

test.run();
