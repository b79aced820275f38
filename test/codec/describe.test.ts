import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatByName, formats } from "../../formats/registry.js";
import {
  array,
  bytes,
  format,
  type Node,
  nibble,
  optional,
  packed,
  packed32,
  ref,
  seededRandom,
  struct,
  toMarkdown,
  u8,
  u16le,
  u32le,
  u64be,
} from "../../src/codec/index.js";
import { jsonDocument } from "../../src/report/json.js";

const test = suite("codec: documentation");

const limited = format(
  { name: "limited", title: "every limit", source: "none" },
  struct({
    magic: u32le({ constant: 120_897, doc: "a magic number" }),
    small: u8({ constant: 1 }),
    wide: packed({ constant: 71_002 }),
    mark: bytes(2, { constant: Uint8Array.of(0xca, 0xfe) }),
    unused: u16le({ reserved: true }),
    from: packed({ min: 1n }),
    upTo: packed32({ max: 7 }),
    any32: packed32(),
    version: nibble({ min: 1, supported: 2 }),
    both: u8({ min: 1, max: 1 }),
    range: u64be({ min: 2, max: 1n << 60n }),
    bits: u8({ flags: { first: [1, "the first"], high: 0x80 } }),
    noBits: u8({ flags: {} }),
    kind: u8({ constant: 2, symbols: { one: 1, two: 2 } }),
    maybe: optional(u8({ max: 9 }), ref("small")),
    list: array(u8({ max: 3 }), { count: 1 }),
  }),
);

test("a field's limits are part of its description", () => {
  const fields = limited.describe().generations[0]?.fields ?? [];
  const limits = Object.fromEntries(
    fields.map(({ name, constant, min, max, supported, reserved, bits }) => [
      name,
      Object.fromEntries(
        Object.entries({ constant, min, max, supported, reserved, bits }).filter(
          ([, limit]) => limit !== undefined,
        ),
      ),
    ]),
  );
  assert.equal(limits, {
    magic: { constant: 120_897 },
    small: { constant: 1 },
    wide: { constant: 71_002n },
    mark: { constant: "cafe" },
    unused: { reserved: true },
    from: { min: 1n },
    upTo: { max: 7 },
    any32: { max: 0xffffffff },
    version: { min: 1, supported: 2 },
    both: { min: 1, max: 1 },
    range: { min: 2n, max: 1n << 60n },
    bits: { bits: true },
    noBits: { bits: true },
    kind: { constant: 2 },
    maybe: { max: 9 },
    list: { max: 3 },
  });
});

test("a field's limits are on its manual page", () => {
  const page = toMarkdown(limited.describe());
  const meaning = (field: string): string | undefined =>
    page
      .split("\n")
      .map((line) => line.split(" | "))
      .find((cells) => cells[2] === field)
      ?.slice(4)
      .join(" | ")
      .replace(/ \|$/, "");
  assert.is(meaning("magic"), "a magic number. Always 120897 (0x1d841)");
  assert.is(meaning("small"), "Always 1");
  assert.is(meaning("wide"), "Always 71002 (0x1155a)");
  assert.is(meaning("mark"), "Always cafe");
  assert.is(meaning("unused"), "Reserved: 0");
  assert.is(meaning("from"), "At least 1");
  assert.is(meaning("upTo"), "At most 7");
  assert.is(meaning("any32"), "");
  assert.is(meaning("version"), "At least 1. The newest version read is 2");
  assert.is(meaning("both"), "Always 1");
  assert.is(meaning("range"), `From 2 to ${1n << 60n}`);
  assert.is(meaning("bits"), "Bits: 1 first (the first), 0x80 high");
  assert.is(meaning("noBits"), "No bit has a meaning");
  assert.is(meaning("kind"), "Always 2. 2 two");
  assert.is(meaning("maybe"), "At most 9");
  assert.is(meaning("list"), "At most 3");
});

/** What must be found on the manual page of a format, in the row of a field. */
const ROWS: ReadonlyArray<readonly [format: string, field: string, said: string]> = [
  ["description-block", "magic", "120897"],
  ["extent-list", "magic", "71002"],
  ["log-file-header", "magic", "0x101064"],
  ["log-file-header", "version", "newest version read is 5"],
  ["lmdb-meta", "magic", "0xbeefc0de"],
  ["address-cookie", "pageId", "At least 1"],
  ["address-cookie", "size", "At least 1"],
  ["disagg-turtle", "version", "At most 2147483647"],
  ["palm-key", "flags", "0x40 cacheBypass"],
  ["palite-row", "flags", "0x40 cacheBypass"],
];

test("magic numbers and limits of the formats are documented", () => {
  for (const [name, field, said] of ROWS) {
    const lines = toMarkdown(formatByName(name)!.describe()).split("\n");
    const rows = lines.filter((line) => line.includes(`${field} |`));
    assert.ok(
      rows.some((row) => row.includes(said)),
      `${name} ${field}: ${said}`,
    );
  }
});

type Declared = {
  readonly type?: Node;
  readonly variants?: Readonly<Record<string, { readonly type: Node }>>;
};

/** Every constant that is declared somewhere below a node; formats that have a page of their own say theirs there. */
function constantsBelow(node: Node): Array<number | bigint> {
  if (node.see !== undefined) return [];
  if (node.kind === "struct") return node.fields.flatMap(([, field]) => constantsBelow(field));
  if (node.kind === "union") return node.cases.flatMap((one) => constantsBelow(one.node));
  if ("of" in node) return constantsBelow(node.of);
  return "constant" in node && !(node.constant instanceof Uint8Array) ? [node.constant as number] : [];
}

test("no constant of any format is left out of its page or its JSON", () => {
  let constants = 0;
  for (const declared of formats) {
    const { type, variants = {} } = declared as Declared;
    const nodes = [...(type === undefined ? [] : [type]), ...Object.values(variants).map((one) => one.type)];
    const description = declared.describe();
    const [page, json] = [toMarkdown(description), jsonDocument(description)];
    for (const constant of nodes.flatMap(constantsBelow)) {
      constants++;
      assert.ok(page.includes(`Always ${constant}`), `${declared.name}: ${constant}`);
      assert.match(json, new RegExp(`"constant": "?${constant}"?[,\\n]`), `${declared.name}: ${constant}`);
    }
  }
  assert.ok(constants > 10);
});

/** Params nobody has given, and the names they were asked for by. */
function askedParams(): { params: Readonly<Record<string, number>>; asked: Set<string> } {
  const asked = new Set<string>();
  const get = (_target: object, name: string | symbol) => void (typeof name === "string" && asked.add(name));
  return { params: new Proxy({}, { get }), asked };
}

test("the params a format looks at are those it declares", () => {
  const random = seededRandom(5);
  for (const declared of formats) {
    const { params, asked } = askedParams();
    for (let i = 0; i < 60; i++) {
      const reading = declared.read(declared.build(declared.generate(random), { params }), { params });
      if (reading.ok) declared.toJson(reading.value, { params });
    }
    const names = new Set(Object.keys(declared.params ?? {}));
    assert.equal(
      [...asked].filter((name) => !names.has(name)),
      [],
      declared.name,
    );
    // What only matters to some generated values may not have been asked for.
    if (names.size > 0) assert.ok(asked.size > 0, declared.name);
  }
});

test.run();
