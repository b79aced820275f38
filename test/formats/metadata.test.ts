import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkpointList, newestCheckpoint } from "../../formats/checkpoint-list.js";
import { config, configFile } from "../../formats/config.js";
import { btreeId, namespacedId, specialTables } from "../../formats/disagg-tables.js";
import {
  metadataRow,
  metadataRowKind,
  readMetadataRow,
  splitMetadataRow,
} from "../../formats/metadata-row.js";
import { turtleFile } from "../../formats/turtle-file.js";
import { bytesToHex, decodeText, encodeText, type Format, FormatError } from "../../src/codec/index.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";
import { corpusFiles } from "../support/texts.js";

const test = suite("formats: metadata, turtle files, configuration");

// biome-ignore lint/suspicious/noExplicitAny: formats of different values.
const issuesOf = (format: Format<any>, text: string) =>
  format.validate(encodeText(text)).map(({ code, severity, path, offset }) => [code, severity, path, offset]);
const text = (bytes: Uint8Array) => decodeText(bytes);

test("btree ids are a number and a namespace", () => {
  assert.equal(namespacedId(9), { number: 1n, namespace: "shared", namespaceId: 1 });
  assert.equal(namespacedId(16n), { number: 2n, namespace: "local", namespaceId: 0 });
  assert.equal(namespacedId(26n), { number: 3n, namespace: "special", namespaceId: 2 });
  assert.equal(namespacedId(7), { number: 0n, namespace: "unknown", namespaceId: 7 });
  for (const namespace of ["local", "shared", "special"] as const)
    assert.is(namespacedId(btreeId(12345678901234n, namespace)).namespace, namespace);
  const special = Object.values(specialTables).map(({ ids }) => namespacedId(ids[0]).namespace);
  assert.equal(special, ["special", "special", "special", "special"]);
});

const [real] = corpusFiles(/WiredTiger\.turtle$/, "classic-12.0", "basic");
const turtle = text(real!.bytes);

test("turtle file: what is wrong, and where", () => {
  const [first, second, third, fourth, fifth, sixth] = turtle.split("\n") as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const version = "WiredTiger version string";
  const cases: ReadonlyArray<readonly [string, unknown[]]> = [
    [turtle, []],
    [turtle.slice(0, -1), [["turtle-newline", "warning", "", turtle.length - 1]]],
    [turtle.replace("major=12", "major=13"), [["turtle-version", "error", version, 26]]],
    [turtle.replace("WiredTiger 12.0.0:", "WiredTiger 12.0.1:"), [["turtle-version", "error", version, 26]]],
    [turtle.replace("WiredTiger 12", "WiredTigfr 12"), [["turtle-version", "error", version, 26]]],
    [`${turtle}alone\n`, [["turtle-lines", "error", "alone", turtle.length]]],
    [[first, second, fifth, sixth, ""].join("\n"), [["missing-key", "error", "WiredTiger version", 0]]],
    [[third, fourth, fifth, sixth, ""].join("\n"), [["missing-key", "error", version, 0]]],
    [
      turtle.replace("file:WiredTiger.wt\n", "file:WiredTigeq.wt\n"),
      [["missing-key", "error", "file:WiredTiger.wt", turtle.indexOf("file:WiredTiger.wt")]],
    ],
    [`${turtle}${third}\n${fourth}\n`, [["duplicate-key", "warning", "WiredTiger version", turtle.length]]],
  ];
  for (const [source, expected] of cases)
    assert.equal(
      issuesOf(turtleFile, source).map((issue) =>
        issue[3] === undefined ? [...issue.slice(0, 3), 0] : issue,
      ),
      expected,
      source.slice(0, 80),
    );
  const at = turtle.indexOf('addr="');
  const [bad] = turtleFile.validate(encodeText(`${turtle.slice(0, at + 6)}x${turtle.slice(at + 7)}`), {
    base: 1000,
  });
  assert.equal([bad!.code, bad!.offset], ["hex-digit", 1000 + at + 5]);
  assert.match(bad!.path, /^file:WiredTiger\.wt\.checkpoint\.named1\.addr$/);
});

test("turtle file: optional pairs, others, and changes", () => {
  const source = `Compatibility version\nmajor=10,minor=0\nLive Restore\nstate=DONE,nbits=-1\n${turtle}strange\nthing\n`;
  const value = turtleFile.parse(encodeText(source.replace("nbits=-1", "nbits=64")));
  assert.equal(value.compatibility, { major: 10, minor: 0 });
  assert.equal(value.liveRestore, { state: "DONE", nbits: 64 });
  assert.equal(value.other, [{ key: "strange", value: "thing" }]);
  const checkpoint = value.metadata.checkpoint!;
  const newest = newestCheckpoint(checkpoint)!;
  const changed = { ...newest, name: "WiredTigerCheckpoint.999", order: 999n, addr: Uint8Array.of(1, 2) };
  const written = text(
    turtleFile.build({
      ...value,
      metadata: { ...value.metadata, checkpoint: [...checkpoint.slice(0, -1), changed] },
    }),
  );
  const oldEntry = /WiredTigerCheckpoint\.\d+=\(addr="[0-9a-f]*",order=\d+/;
  const expected = source
    .replace("nbits=-1", "nbits=64")
    .replace(oldEntry, 'WiredTigerCheckpoint.999=(addr="0102",order=999');
  assert.is(written, expected);
  assert.throws(
    () => turtleFile.build({ ...value, versionString: "two\nlines" }),
    (error: FormatError) => error instanceof FormatError && error.path === "WiredTiger version string",
  );
});

test("turtle file: every bit flip and truncation is read or refused", () => {
  const small = encodeText(
    'WiredTiger version string\nWiredTiger 3.2.1: (x)\nWiredTiger version\nmajor=3,minor=2,patch=1\nfile:WiredTiger.wt\nid=0,checkpoint=(A=(addr="01",order=1))\n',
  );
  eachBitFlip(small, (damaged) => detects(turtleFile, damaged));
  eachTruncation(small, (shorter) => {
    detects(turtleFile, shorter);
    turtleFile.annotate(shorter);
  });
});

test("metadata rows: kinds by prefix", () => {
  const kinds = [
    "file:a",
    "metadata:",
    "layered:a",
    "table:a",
    "colgroup:a",
    "index:a:b",
    "system:oldest",
    "tiered:a",
    "nothing",
    "other:x",
    "__proto__:x",
  ];
  assert.equal(kinds.map(metadataRowKind), [
    "file",
    "file",
    "layered",
    "table",
    "colgroup",
    "index",
    "system",
    "other",
    "other",
    "other",
    "other",
  ]);
});

test("metadata rows: what is wrong, and where", () => {
  assert.equal(issuesOf(metadataRow, "file:x"), [["row-terminator", "error", "", 6]]);
  assert.equal(issuesOf(metadataRow, "file:x\0id=1"), [["row-terminator", "warning", "config", 11]]);
  assert.equal(issuesOf(metadataRow, "file:x\0id=(\0"), [["config-unclosed", "error", "config.id", 10]]);
  assert.equal(issuesOf(metadataRow, "file:x\0id=z,readonly=maybe\0"), [
    ["config-number", "error", "config.id", 10],
    ["config-number", "error", "config.readonly", 21],
  ]);
  assert.equal(issuesOf(metadataRow, "é:x\0a=1,a=2\0"), [["duplicate-key", "info", "config.a", 9]]);
  const reading = readMetadataRow(encodeText("tier:x"), encodeText("a=1,b=(c)\0"));
  assert.ok(reading.ok);
  assert.equal(reading.value, { uri: "tier:x", kind: "other", config: { other: ["a=1", "b=(c)"] } });
  const { key, value } = splitMetadataRow(metadataRow.build(reading.value));
  assert.equal([text(key), text(value)], ["tier:x\0", "a=1,b=(c)\0"]);
});

test("metadata rows: a change of one key is a change of its bytes", () => {
  const row = "file:t.wt\0allocation_size=4KB,unknown=(1,2),id=16,checkpoint=,version=(major=2,minor=1)\0";
  const value = metadataRow.parse(encodeText(row));
  assert.ok(value.kind === "file");
  const built = text(
    metadataRow.build({ ...value, config: { ...value.config, id: 24, allocationSize: 512 } }),
  );
  assert.is(built, row.replace("id=16", "id=24").replace("4KB", "512B"));
  const renamed = text(metadataRow.build({ ...value, uri: "file:u.wt" }));
  assert.is(renamed, row.replace("t.wt", "u.wt"));
});

test("checkpoint lists: order, names, duplicates, write generations", () => {
  const list = (inner: string) => `checkpoint=(${inner})`;
  assert.equal(issuesOf(checkpointList, list("WiredTigerCheckpoint.1=(order=1),b=(order=2)")), []);
  assert.equal(issuesOf(checkpointList, list("a=(order=2),b=(order=2)")), [
    ["checkpoint-order", "warning", "checkpoint.b.order", 33],
  ]);
  assert.equal(issuesOf(checkpointList, list("WiredTigerCheckpoint.1=(order=2)")), [
    ["checkpoint-name", "warning", "checkpoint.WiredTigerCheckpoint.1.order", 42],
  ]);
  assert.equal(issuesOf(checkpointList, list("a=(order=1),a=(order=2)")), [
    ["checkpoint-duplicate", "warning", "checkpoint.a", 26],
  ]);
  assert.equal(issuesOf(checkpointList, list("a=(order=1,write_gen=3,run_write_gen=4)")), [
    ["checkpoint-write-gen", "warning", "checkpoint.a.write_gen", 33],
  ]);
  assert.equal(checkpointList.parse(encodeText("checkpoint=")), { checkpoint: [] });
});

test("configuration in JSON: keys and values, and what the usual form does not tell", () => {
  const show = (source: string, format = config) => {
    const json = JSON.parse(JSON.stringify(format.toJson(format.parse(encodeText(source)))));
    assert.is(text(format.build(format.fromJson(json))), source);
    return json;
  };
  assert.equal(show('a=1,b=(c,d="x y"),e='), {
    entries: [
      { key: "a", value: "1" },
      {
        key: "b",
        value: {
          entries: [
            { key: "c", value: true },
            { key: "d", value: "x y" },
          ],
        },
      },
      { key: "e", value: "" },
    ],
  });
  assert.equal(show(' "k" : [1],x="", {y}\n'), {
    entries: [
      {
        key: "k",
        value: { open: "[", entries: [{ key: "1", value: true }] },
        leading: " ",
        keyRaw: '"k"',
        assign: " : ",
      },
      { key: "x", value: "", raw: '""' },
      { value: { open: "{", entries: [{ key: "y", value: true }] }, leading: ", " },
    ],
    trailing: "\n",
  });
  show("# comment\na=1\nb=(2)\n", configFile);
});

test("configuration: JSON that is no configuration is refused", () => {
  const refused = (json: unknown, path: string) =>
    assert.throws(
      () => config.fromJson(json),
      (error: FormatError) => {
        assert.equal([error.name, error.path], ["FormatError", path]);
        return true;
      },
    );
  refused([], "");
  refused({}, "entries");
  refused({ entries: [{ key: 1, value: "x" }] }, "entries[0].key");
  refused({ entries: [{ key: "a" }] }, "entries[0].value");
  refused({ entries: [{ key: "a", value: { open: "<", entries: [] } }] }, "entries[0].value.open");
  refused({ entries: [{ key: "a", value: "b", raw: "b)" }] }, "");
  let deep: unknown = { entries: [] };
  for (let at = 0; at < 100; at++) deep = { entries: [{ key: "a", value: deep }] };
  assert.throws(
    () => config.fromJson(deep),
    (error: FormatError) => error.code === "config-depth",
  );
  assert.is(bytesToHex(config.build(config.fromJson({ entries: [] }))), "");
});

test.run();
