import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkpointList } from "../../formats/checkpoint-list.js";
import { checkpointRecord } from "../../formats/checkpoint-record.js";
import { disaggTurtle } from "../../formats/disagg-turtle.js";
import { blockMetadata, metadataRow } from "../../formats/metadata-row.js";
import { turtleFile } from "../../formats/turtle-file.js";
import {
  formatSigned64,
  formatSize,
  parseBoolean,
  parseHex64,
  parseSigned64,
  parseSize,
  parseUnsigned64,
} from "../../src/codec/config-scalar.js";
import {
  boolean,
  type ConfigInfer,
  decimal32,
  fallback,
  hexBytes,
  named,
  optional,
  raw,
  record,
  signed64,
  size,
  text,
  tuple,
  unsigned64,
} from "../../src/codec/config-schema.js";
import { decodeText, encodeText, type Format, FormatError, seededRandom } from "../../src/codec/index.js";
import { recordForm, sourceText, textFormat } from "../../src/codec/text-format.js";
import { processorMillis } from "../support/clock.js";

const test = suite("codec: records in configuration text");

const failure = (run: () => unknown): FormatError => {
  try {
    run();
  } catch (error) {
    assert.instance(error, FormatError, String(error));
    return error as FormatError;
  }
  return assert.unreachable("nothing was thrown") as never;
};

test("signed text is read as unsigned", () => {
  const top = 1n << 64n;
  const pairs: ReadonlyArray<readonly [string, bigint]> = [
    ["0", 0n],
    ["-1", top - 1n],
    ["-11", top - 11n],
    ["9223372036854775807", (1n << 63n) - 1n],
    ["-9223372036854775808", 1n << 63n],
  ];
  for (const [written, value] of pairs) {
    assert.is(parseSigned64(written), value);
    assert.is(formatSigned64(value), written);
  }
  assert.is(parseSigned64("0007"), 7n);
  for (const bad of ["", "-", "+1", "1.0", "0x1", " 1", "1 ", "1e3", "--1"])
    assert.is(failure(() => parseSigned64(bad)).code, "config-number", bad);
  for (const bad of ["9223372036854775808", "-9223372036854775809", "9".repeat(100_000)])
    assert.is(failure(() => parseSigned64(bad)).code, "config-number-range", bad.slice(0, 30));
});

test("unsigned, hexadecimal, sizes and booleans", () => {
  assert.is(parseUnsigned64("18446744073709551615"), (1n << 64n) - 1n);
  assert.is(failure(() => parseUnsigned64("18446744073709551616")).code, "config-number-range");
  assert.is(failure(() => parseUnsigned64("-1")).code, "config-number-range");
  assert.is(parseHex64("00ffffffffffffffff"), (1n << 64n) - 1n);
  assert.is(parseHex64("0xC0ffee12", true), 0xc0ffee12n);
  for (const bad of ["", "0x12", "12g", "-1"])
    assert.is(failure(() => parseHex64(bad)).code, "config-number", bad);
  assert.is(failure(() => parseHex64("10000000000000000")).code, "config-number-range");
  const sizes: ReadonlyArray<readonly [string, bigint]> = [
    ["0", 0n],
    ["512B", 512n],
    ["4KB", 4096n],
    ["5MB", 5n << 20n],
    ["1536B", 1536n],
    ["64MB", 64n << 20n],
    ["1PB", 1n << 50n],
    ["2048PB", 1n << 61n],
  ];
  for (const [written, value] of sizes) {
    assert.is(parseSize(written), value);
    assert.is(formatSize(value), written);
  }
  assert.equal(
    [parseSize("4096"), parseSize("4k"), parseSize("10m"), parseSize("1T")],
    [4096n, 4096n, 10n << 20n, 1n << 40n],
  );
  for (const bad of ["", "KB", "4XB", "-4KB", "4 KB", "4KBB"])
    assert.is(failure(() => parseSize(bad)).code, "config-number", bad);
  assert.is(failure(() => parseSize("8192PB")).code, "config-number-range");
  assert.equal(["true", "false", "1", "0"].map(parseBoolean), [true, false, true, false]);
  assert.is(failure(() => parseBoolean("True")).code, "config-number");
});

test("long digits take linear time", () => {
  const start = processorMillis();
  for (const parse of [parseSigned64, parseHex64, parseSize]) {
    failure(() => parse(`${"0".repeat(1_000_000)}x`));
    assert.is(parse(`${"0".repeat(1_000_000)}1`), 1n);
  }
  assert.ok(processorMillis() - start < 2000);
});

const entry = record({
  id: unsigned64({ doc: "Number" }),
  label: optional(text({ quoted: true })),
  gen: fallback(decimal32({ max: 9 }), 1),
  flag: optional(boolean()),
  blob: optional(hexBytes()),
  limit: optional(size()),
  any: optional(raw()),
  stop: optional(signed64()),
  place: optional(tuple({ file: decimal32(), offset: decimal32() })),
});
const top = record(
  {
    list: named(entry, { whenEmpty: "" }),
    one: optional(entry),
    deep: optional(
      record({ x: decimal32({ at: ["p.1", "x"] }), y: decimal32({ at: ["p.1", "y"] }), z: decimal32() }),
    ),
  },
  {
    rules: [
      {
        code: "sample",
        doc: "id 13 is unlucky",
        severity: "warning",
        check: (value) => (value.one?.id === 13n ? { path: "one.id", actual: 13n } : undefined),
      },
    ],
  },
);
type Top = ConfigInfer<typeof top>;
const format: Format<Top> = textFormat(
  { name: "sample", title: "Sample", source: "formats: none" },
  recordForm(top),
);
const read = (source: string): Top => format.parse(encodeText(source));
const written = (value: Top): string => decodeText(format.build(value));

test("every type, both ways", () => {
  const source =
    'list=(a=(id=1,label="x y"),b=(id=2,gen=3)),one=(id=3,flag=false,blob=00ff,limit=4KB,any=(q,r=[1]),stop=-1,place=(1,2)),deep=(p.1=(x=1,y=2),z=3)';
  const value: Top = {
    list: [
      { name: "a", id: 1n, gen: 1, label: "x y" },
      { name: "b", id: 2n, gen: 3 },
    ],
    one: {
      id: 3n,
      gen: 1,
      flag: false,
      blob: Uint8Array.of(0, 255),
      limit: 4096,
      any: "(q,r=[1])",
      stop: (1n << 64n) - 1n,
      place: { file: 1, offset: 2 },
    },
    deep: { x: 1, y: 2, z: 3 },
  };
  const parsed = read(source);
  assert.is(sourceText(parsed), source);
  assert.equal(parsed, value);
  assert.is(written(structuredClone(parsed)), source);
  assert.is(written(format.fromJson(JSON.parse(JSON.stringify(format.toJson(parsed))))), source);
});

test("a bad optional key is reported, left out and kept as text", () => {
  const source = "list=,one=(id=1,limit=huge,flag,place=(1))";
  const reading = format.read(encodeText(source));
  assert.ok(reading.ok);
  assert.equal(reading.value.one, { id: 1n, gen: 1, flag: true, other: ["limit=huge", "place=(1)"] });
  assert.equal(
    reading.issues.map(({ code, path, offset }) => [code, path, offset]),
    [
      ["config-number", "one.limit", 22],
      ["config-shape", "one.place", 38],
    ],
  );
  assert.is(written(reading.value), source);
});

test("rules, bounds and duplicates are issues with a place", () => {
  const issues = format.validate(encodeText("list=(a=(id=1,gen=10)),one=(id=13,id=13,zz,zz)"), { base: 5 });
  assert.equal(
    issues.map(({ code, severity, path, offset }) => [code, severity, path, offset]),
    [
      ["value-range", "error", "list.a.gen", 23],
      ["duplicate-key", "info", "one.id", 39],
      ["duplicate-key", "info", "one.zz", 48],
      ["sample", "warning", "one.id", 42],
    ],
  );
});

test("changes are put into the text they came from", () => {
  const source = "one = (id=3, gen : 2),\n list=[a=(id=1)] ,deep=(z=3,p.1=(y=2,w,x=1)),u=(1,2),";
  const value = read(source);
  const change = (changes: Partial<Top>) => written({ ...value, ...changes });
  assert.is(change({}), source);
  assert.is(change({ one: { ...value.one!, gen: 5 } }), source.replace("gen : 2", "gen : 5"));
  assert.is(change({ one: { ...value.one!, label: "n" } }), source.replace("id=3,", 'id=3,label="n",'));
  assert.is(change({ deep: { x: 7, y: 2, z: 3 } }), source.replace("x=1", "x=7"));
  assert.is(
    change({ list: [...value.list, { name: "b c", id: 2n, gen: 1 }] }),
    source.replace("[a=(id=1)]", '[a=(id=1),"b c"=(id=2)]'),
  );
  assert.is(change({ list: [] }), source.replace("[a=(id=1)]", "[]"));
  assert.is(change({ one: undefined } as never), source.replace("one = (id=3, gen : 2),\n ", ""));
  assert.is(change({ other: [] }), source.replace(",u=(1,2)", ""));
  assert.is(change({ other: ["u=(1,2)", "v=1"] }), source.replace("u=(1,2),", "u=(1,2),v=1,"));
});

// biome-ignore lint/suspicious/noExplicitAny: formats of different values.
const formats: ReadonlyArray<Format<any>> = [
  disaggTurtle,
  checkpointRecord,
  checkpointList,
  metadataRow,
  blockMetadata,
  turtleFile,
];

/** `target` as a change of `base`: its own properties, and the text `base` remembers. */
function changed(base: object, target: object): object {
  const copy: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const key of Object.keys(copy)) delete copy[key];
  return Object.assign(copy, target);
}

for (const one of formats) {
  test(`${one.name}: any value can be written into the text of any other`, () => {
    const random = seededRandom(7);
    for (let at = 0; at < 600; at++) {
      const generation = one.generations[random.below(one.generations.length)];
      const options = generation === undefined ? {} : { generation };
      const base = one.parse(one.build(one.generate(random, options)));
      const target = one.parse(one.build(one.generate(random, options)));
      const value = changed(base, structuredClone(target));
      assert.is(sourceText(value), sourceText(base));
      const bytes = one.build(value);
      assert.equal(one.parse(bytes, options), target, decodeText(bytes));
    }
  });
}

test.run();
