import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressCookie } from "../../formats/address-cookie.js";
import { type DisaggTurtle, disaggTurtle, turtleCheckpoint } from "../../formats/disagg-turtle.js";
import { bytesToHex, decodeText, encodeText, FormatError } from "../../src/codec/index.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("formats: disagg-turtle");

interface Row {
  readonly name: string;
  readonly text: string;
  readonly variant?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each row lists what it knows.
  readonly expect: any;
}
const rows: { valid: Row[]; invalid: Row[] } = vectors("turtle_metadata.json");
const hexOf = (text: string) => bytesToHex(encodeText(text));
type Parsed = Exclude<DisaggTurtle, { generation: "L0" }>;
const parse = (text: string, params: Record<string, number> = {}) =>
  disaggTurtle.parse(encodeText(text), { params }) as Parsed;

function failure(text: string, params?: Record<string, number>): FormatError {
  try {
    parse(text, params);
  } catch (error) {
    assert.instance(error, FormatError, String(error));
    return error as FormatError;
  }
  return assert.unreachable(`accepted: ${text}`) as never;
}

test("the vectors are all here", () => {
  assert.is(rows.valid.length, 6);
  assert.is(rows.invalid.length, 15);
});

for (const { name, text, variant, expect } of rows.valid) {
  test(`valid: ${name}`, () => {
    const value = parse(text);
    assert.is(value.generation, variant);
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the format.
    const json: any = disaggTurtle.toJson(value);
    const canonical = name !== "empty_checkpoint";
    assert.is(
      json.text,
      canonical ? undefined : text,
      "the text is kept where it is not in the engine's form",
    );
    const newest = turtleCheckpoint(value);
    const shown = {
      version: json.version,
      compatible_version: json.compatibleVersion,
      timestamp: json.timestamp,
      oldest_timestamp: json.oldestTimestamp,
      schema_epoch: json.schemaEpoch,
      largest_file_id: json.largestFileId,
      max_write_gen: json.maxWriteGen,
      checkpoint_name: newest?.name,
      order: newest?.order?.toString(),
      write_gen: newest?.writeGen?.toString(),
      run_write_gen: newest?.runWriteGen?.toString(),
      next_page_id: newest?.nextPageId?.toString(),
      newest_stop_ts: newest?.newestStopTs?.toString(),
      newest_stop_txn: newest?.newestStopTxn?.toString(),
      key_provider: json.keyProvider && {
        version: json.keyProvider.version,
        page_id: json.keyProvider.pageId,
        lsn: json.keyProvider.lsn,
      },
    } as Record<string, unknown>;
    const { addr, ...expected } = expect;
    for (const [key, wanted] of Object.entries(expected)) assert.equal(shown[key], wanted, key);
    if (addr !== undefined) assertCookie(newest!.addr!, addr);
    agreesFourWays(disaggTurtle, hexOf(text), value);
    if (canonical) agreesFourWays(disaggTurtle, hexOf(text), plainCopy(value));
  });
}

/** The value without what it remembers of its text. */
const plainCopy = (value: DisaggTurtle): DisaggTurtle => structuredClone(value);

function assertCookie(addr: Uint8Array, expected: Record<string, string | number>): void {
  // biome-ignore lint/suspicious/noExplicitAny: JSON of another format.
  const cookie: any = addressCookie.toJson(addressCookie.parse(addr));
  assert.is(cookie.pageId, expected.page_id);
  assert.is(cookie.lsn, expected.lsn);
  assert.is(cookie.baseLsn, expected.base_lsn);
  assert.is(cookie.size, expected.size);
  assert.is(`0x${Number(cookie.checksum).toString(16)}`, expected.checksum);
}

const codes: Record<string, readonly [string, string]> = {
  kp_missing_version: ["missing-key", "key_provider.version"],
  kp_version_2: ["value-range", "key_provider.version"],
  kp_page_id_text: ["config-number", "key_provider.page.1.page_id"],
  kp_page_id_123: ["value-range", "key_provider.page.1.page_id"],
  kp_no_lsn: ["missing-key", "key_provider.page.1.lsn"],
  kp_no_page_id: ["missing-key", "key_provider.page.1.page_id"],
  kp_lsn_0: ["value-range", "key_provider.page.1.lsn"],
  version_without_compat: ["version-pair", "version"],
  compat_without_version: ["version-pair", "compatible_version"],
  compat_too_new: ["unsupported-version", "compatible_version"],
  no_timestamp: ["missing-key", "timestamp"],
  no_checkpoint: ["missing-key", "checkpoint"],
  duplicate: ["duplicate-key", "timestamp"],
  unknown_key_same_version: ["unknown-key", "zzz"],
};

for (const { name, text, expect } of rows.invalid) {
  test(`${expect}: ${name}`, () => {
    if (String(expect).startsWith("ok")) {
      const value = parse(text);
      assert.equal(value.other, ["zzz=1"]);
      agreesFourWays(disaggTurtle, hexOf(text), value);
      return;
    }
    const error = failure(text);
    assert.equal([error.code, error.path], codes[name], name);
    assert.is(error.code.startsWith("unsupported"), expect === "unsupported");
    assert.ok(error.offset! <= text.length);
    const reading = disaggTurtle.read(encodeText(text));
    assert.ok(reading.issues.some((issue) => issue.code === error.code && issue.offset === error.offset));
    if (reading.ok) assert.is(decodeText(disaggTurtle.build(reading.value)), text);
  });
}

test("too new comes before whatever else a newer page lacks", () => {
  assert.is(failure("version=7,compatible_version=7,root=(x)").code, "unsupported-version");
  assert.is(failure("version=7,compatible_version=2,root=(x)").code, "missing-key");
});

test("the reader's version is a parameter", () => {
  const v2 = rows.valid.find(({ name }) => name === "v2_production")!.text;
  const tooNew = v2.replace("compatible_version=1", "compatible_version=2");
  assert.is(parse(tooNew).compatibleVersion, 2);
  assert.is(failure(tooNew, { readerVersion: 1 }).code, "unsupported-version");
  assert.is(parse(v2, { readerVersion: 1 }).generation, "V2", "newer keys are passed over");
  const v1 = "checkpoint=(),timestamp=1";
  assert.is(parse(v1, { readerVersion: 1 }).generation, "V1");
  assert.is(failure(`${v1},largest_file_id=3`, { readerVersion: 1 }).code, "unknown-key");
  assert.is(failure(`${v1},zzz=3`, { readerVersion: 1 }).code, "unknown-key");
  assert.equal(parse(`${v1},zzz=3`).other, ["zzz=3"]);
  const newer = `version=3,compatible_version=1,${v1},zzz=1`;
  assert.is(failure(newer, { readerVersion: 3 }).code, "unknown-key");
});

test("more rules", () => {
  const rejected: ReadonlyArray<readonly [string, string, string]> = [
    ["checkpoint=(),timestamp=0x64", "config-number", "timestamp"],
    ["checkpoint=(),timestamp=10000000000000000", "config-number-range", "timestamp"],
    ["checkpoint=(),timestamp", "config-shape", "timestamp"],
    ["checkpoint=(),timestamp=(1)", "config-shape", "timestamp"],
    ["checkpoint=1,timestamp=1", "config-shape", "checkpoint"],
    ["checkpoint=(A),timestamp=1", "config-shape", "checkpoint.A"],
    ['checkpoint=(A=(addr="0g")),timestamp=1', "hex-digit", "checkpoint.A.addr"],
    ['checkpoint=(A=(addr="012")),timestamp=1', "hex-odd", "checkpoint.A.addr"],
    ["checkpoint=(A=(order=x)),timestamp=1", "config-number", "checkpoint.A.order"],
    ["checkpoint=(A=(order=9223372036854775808)),timestamp=1", "config-number-range", "checkpoint.A.order"],
    ["version=2147483648,compatible_version=1,checkpoint=(),timestamp=1", "value-range", "version"],
    ["version=-1,compatible_version=1,checkpoint=(),timestamp=1", "config-number-range", "version"],
    [
      "checkpoint=(),timestamp=1,key_provider=((page.1=(page_id=1,lsn=5)),version=1)",
      "missing-key",
      "key_provider.page.1.page_id",
    ],
    [
      "checkpoint=(),timestamp=1,key_provider=(page.1=(page_id=1,lsn=5),version=1,version=1)",
      "duplicate-key",
      "key_provider.version",
    ],
    ["checkpoint=()\ntimestamp=1", "config-syntax", ""],
    ["", "missing-key", "checkpoint"],
  ];
  for (const [text, code, path] of rejected) {
    const error = failure(text);
    assert.equal([error.code, error.path], [code, path], text);
  }
  assert.is(parse("checkpoint=(),timestamp=ffffffffffffffff").timestamp, (1n << 64n) - 1n);
  assert.is(
    parse("timestamp=1 , checkpoint : [ ]").generation,
    "V1",
    "order, spaces and brackets do not matter",
  );
  assert.is(parse('checkpoint=(),timestamp="64"').timestamp, 100n);
});

test("the key of a few days is read and written back", () => {
  const text =
    "version=2,compatible_version=1,\ncheckpoint=(),\ntimestamp=1,\nlargest_file_id=12,\nbase_write_gen=34";
  const value = parse(text);
  assert.is(value.generation, "V2++");
  assert.is(value.maxWriteGen, 34n);
  agreesFourWays(disaggTurtle, hexOf(text), value);
  assert.is(
    decodeText(disaggTurtle.build(plainCopy(value))),
    text.replace("base_write_gen", "max_write_gen"),
  );
});

test("until early 2025: the URI and its configuration", () => {
  const text =
    'file:WiredTigerShared.wt_stable\nid=9,checkpoint=(WiredTigerCheckpoint.3=(addr="c026",order=3)),zzz=1';
  const value = disaggTurtle.parse(encodeText(text));
  assert.is(value.generation, "L0");
  assert.is(turtleCheckpoint(value)?.order, 3n);
  assert.is(value.generation === "L0" && value.uri, "file:WiredTigerShared.wt_stable");
  agreesFourWays(disaggTurtle, hexOf(text), value);
  assert.equal(failure("file:x\nid=(").path, "config.id");
  assert.is(failure("file:x\nid=(").offset, 10);
});

test("a change touches only its own bytes", () => {
  const { text } = rows.valid.find(({ name }) => name === "v2_production")!;
  const value = parse(text.replaceAll(",\n", " ,\n\t"));
  if (value.generation !== "V2") return assert.unreachable();
  const [checkpoint] = value.checkpoint;
  const changed = {
    ...value,
    timestamp: 0xabcn,
    checkpoint: [{ ...checkpoint!, addr: Uint8Array.of(0, 255), newestStopTxn: 5n }],
    keyProvider: { ...value.keyProvider!, lsn: 6n },
  };
  const expected = text
    .replace("69e29c5400000001", "abc")
    .replace(/addr="[0-9a-f]*"/, 'addr="00ff"')
    .replace("newest_stop_txn=-11", "newest_stop_txn=5")
    .replace("lsn=7625638039464706519", "lsn=6")
    .replaceAll(",\n", " ,\n\t");
  assert.is(decodeText(disaggTurtle.build(changed)), expected);
  const { keyProvider: _gone, ...without } = changed;
  assert.is(decodeText(disaggTurtle.build(without)), expected.replace(/ ,\n\tkey_provider.*/, ""));
  const more = { ...without, oldestTimestamp: undefined, schemaEpoch: 7n };
  const text2 = decodeText(disaggTurtle.build(more as never));
  assert.is(text2.includes("oldest_timestamp"), false);
  assert.ok(text2.includes(" ,\n\ttimestamp=abc,\nschema_epoch=7 ,\n\tlargest_file_id=1071"), text2);
});

test("another generation is written on request, or refused", () => {
  const value = parse("checkpoint=(),\ntimestamp=64");
  const asV2 = { ...value, largestFileId: 3n } as DisaggTurtle;
  assert.is(
    decodeText(disaggTurtle.build(asV2, { generation: "V2" })),
    "version=1,compatible_version=1,\ncheckpoint=(),\ntimestamp=64,\nlargest_file_id=3",
  );
  assert.throws(
    () => disaggTurtle.build(structuredClone(asV2)),
    (error: FormatError) => error.code === "generation-field" && error.path === "largestFileId",
  );
  assert.throws(
    () => disaggTurtle.build(value, { generation: "V9" }),
    (error: FormatError) => error.code === "unknown-generation",
  );
});

test("wrong values are refused with their path", () => {
  const value = parse("checkpoint=(A=(order=1)),\ntimestamp=64");
  const build = (change: object) => () =>
    disaggTurtle.build({ ...structuredClone(value), ...change } as never);
  const refused = (change: object, code: string, path: string) =>
    assert.throws(build(change), (error: FormatError) => {
      assert.equal([error.name, error.code, error.path], ["FormatError", code, path]);
      return true;
    });
  refused({ timestamp: 5 }, "value-type", "timestamp");
  refused({ timestamp: 1n << 64n }, "value-type", "timestamp");
  refused({ timestamp: undefined }, "missing-key", "timestamp");
  refused({ checkpoint: [{ name: "A", order: "1" }] }, "value-type", "checkpoint[0].order");
  refused({ checkpoint: [{ order: 1n }] }, "value-type", "checkpoint[0].name");
  refused({ checkpoint: {} }, "value-type", "checkpoint");
  refused({ other: ["a=1)"] }, "config-syntax", "");
  refused({ other: ["a=1,b=2"] }, "config-shape", "other");
});

test("bad JSON is refused with its path", () => {
  const refused = (json: unknown, code: string, path: string) =>
    assert.throws(
      () => disaggTurtle.fromJson(json),
      (error: FormatError) => {
        assert.equal([error.name, error.code, error.path], ["FormatError", code, path]);
        return true;
      },
    );
  const good = { generation: "V1", checkpoint: [], timestamp: "1" };
  assert.is(decodeText(disaggTurtle.build(disaggTurtle.fromJson(good))), "checkpoint=(),\ntimestamp=1");
  refused(5, "value-type", "");
  refused({ ...good, generation: "V9" }, "unknown-generation", "");
  refused({ ...good, timestamp: "x" }, "value-type", "timestamp");
  refused({ ...good, timestamp: 1.5 }, "value-type", "timestamp");
  refused({ ...good, nonsense: 1 }, "unknown-field", "nonsense");
  refused({ generation: "V1", checkpoint: [] }, "missing-key", "timestamp");
  refused({ ...good, checkpoint: [{}] }, "value-type", "checkpoint[0].name");
  refused({ ...good, checkpoint: [{ name: "A", addr: "xy" }] }, "hex-digit", "checkpoint[0].addr");
  refused({ ...good, keyProvider: { pageId: 1, lsn: "5" } }, "missing-key", "keyProvider.version");
});

test("every bit flip and truncation is read or refused, never worse", () => {
  for (const { text } of [rows.valid[0]!, rows.valid[4]!]) {
    const bytes = encodeText(text);
    eachBitFlip(bytes, (damaged) => detects(disaggTurtle, damaged));
    eachTruncation(bytes, (shorter) => detects(disaggTurtle, shorter));
    eachTruncation(bytes, (shorter) => disaggTurtle.annotate(shorter));
  }
});

test("annotations name every byte and what it means", () => {
  const { text } = rows.valid.find(({ name }) => name === "v2_full")!;
  const root = disaggTurtle.annotate(encodeText(text), { base: 100 });
  assert.equal([root.name, root.start, root.end], ["disagg-turtle V2++", 100, 100 + text.length]);
  let at = root.start;
  for (const span of root.children) {
    assert.is(span.start, at);
    at = span.end;
  }
  assert.is(at, root.end);
  const find = (name: string) => root.children.find((span) => span.name === name)!;
  assert.is(find("timestamp").value, 100n);
  assert.equal(
    [find("oldest_timestamp").symbol, find("oldest_timestamp").description],
    ["none", "Oldest timestamp"],
  );
  const entry = find("checkpoint").children[0]!;
  assert.is(entry.name, "WiredTigerCheckpoint.1");
  assert.is(entry.children[0]!.path, "checkpoint.WiredTigerCheckpoint.1.addr");
  assert.is(
    text.slice(entry.children[0]!.start - 100, entry.children[0]!.end - 100),
    'addr="00c025808484bd3d981d30"',
  );
  const bad = disaggTurtle.annotate(encodeText(text.replace("timestamp=64", "timestamp=6g")));
  assert.is(bad.children.find((span) => span.name === "timestamp")!.issues[0]!.code, "config-number");
});

test.run();
