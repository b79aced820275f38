import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkpointList } from "../../formats/checkpoint-list.js";
import { checkpointRecord } from "../../formats/checkpoint-record.js";
import { config, configFile } from "../../formats/config.js";
import { disaggTurtle } from "../../formats/disagg-turtle.js";
import { blockMetadata, joinMetadataRow, metadataRow } from "../../formats/metadata-row.js";
import { turtleFile } from "../../formats/turtle-file.js";
import type { Span } from "../../src/codec/annotate.js";
import {
  bytesToHex,
  decodeText,
  encodeText,
  type Format,
  seededRandom,
  toMarkdown,
} from "../../src/codec/index.js";
import { detects } from "../support/damage.js";
import {
  blockMetadataTexts,
  checkpointLists,
  checkpointRecords,
  corpusFiles,
  metadataRows,
  metadataValues,
  turtlePages,
} from "../support/texts.js";

const test = suite("formats: text, on real data");

// biome-ignore lint/suspicious/noExplicitAny: formats of different values.
type AnyFormat = Format<any>;
const all: readonly AnyFormat[] = [
  config,
  configFile,
  checkpointList,
  checkpointRecord,
  disaggTurtle,
  metadataRow,
  blockMetadata,
  turtleFile,
];

/** Reads without any issue, and gives the same bytes back from the value, its copy in JSON, and its spans. */
function sound(format: AnyFormat, bytes: Uint8Array, what: string): void {
  const reading = format.read(bytes);
  assert.equal(reading.issues, [], what);
  const value = format.parse(bytes);
  assert.is(bytesToHex(format.build(value)), bytesToHex(bytes), what);
  const json = JSON.parse(JSON.stringify(format.toJson(value)));
  assert.is(bytesToHex(format.build(format.fromJson(json))), bytesToHex(bytes), what);
  assert.is(format.build({ ...value }).length, bytes.length);
  assert.is(coverage(format.annotate(bytes, { base: 3 }), 3, 3 + bytes.length), bytes.length, what);
}

/** Bytes of the children of a span, which follow one another without a hole; inner spans stay within theirs. */
function coverage(root: Span, start: number, end: number): number {
  let at = start;
  for (const span of root.children) {
    assert.is(span.start, at, `${span.path} begins where the one before ends`);
    at = span.end;
    within(span);
  }
  assert.is(at, end);
  return at - start;
}

function within(span: Span): void {
  let at = span.start;
  for (const child of span.children) {
    assert.ok(child.start >= at && child.end <= span.end, child.path);
    at = child.end;
    within(child);
  }
}

const many = <T>(list: readonly T[], least: number): readonly T[] => {
  assert.ok(list.length >= least, `${list.length} samples, at least ${least} wanted`);
  return list;
};

test("turtle files", () => {
  const files = corpusFiles(/WiredTiger\.turtle$/, "classic-12.0").concat(
    corpusFiles(/WiredTiger\.turtle$/, "classic-3.2.1"),
  );
  for (const { path, bytes } of many(files, 8)) {
    sound(turtleFile, bytes, path);
    const { version, versionString, metadata } = turtleFile.parse(bytes);
    assert.is(version!.major, path.includes("12.0") ? 12 : 3);
    assert.match(versionString!, /^WiredTiger \d+\.\d+\.\d+: \(/);
    assert.equal([metadata.id, metadata.allocationSize, metadata.keyFormat], [0, 4096, "S"]);
    assert.is(metadata.checkpoint!.at(-1)!.addr![0], 1);
  }
});

test("basecfg files", () => {
  for (const { path, bytes } of many(corpusFiles(/WiredTiger\.basecfg$/, "classic-12.0"), 5))
    sound(configFile, bytes, path);
});

test("turtle pages and checkpoint records of page logs", () => {
  for (const text of many(turtlePages(), 80)) {
    sound(disaggTurtle, encodeText(text), text);
    const value = disaggTurtle.parse(encodeText(text));
    assert.is(value.generation, "L1");
  }
  for (const text of many(checkpointRecords(), 80)) {
    sound(checkpointRecord, encodeText(text), text);
    assert.is(checkpointRecord.parse(encodeText(text)).generation, "R1");
  }
});

/** A URI of the kind the value belongs to. */
function uriFor(value: string): string {
  if (value.startsWith("access_pattern_hint=")) return "file:x.wt";
  if (value.includes("ingest=")) return "layered:x";
  if (value.includes("source=")) return "colgroup:x";
  return value.startsWith("app_metadata=") ? "table:x" : "system:x";
}

test("metadata values", () => {
  const kinds = new Set<string>();
  for (const value of many(metadataValues(), 200)) {
    const row = encodeText(`${uriFor(value)}\0${value}\0`);
    sound(config, encodeText(value), value);
    sound(metadataRow, row, value);
    const { kind, config: read } = metadataRow.parse(row);
    kinds.add(kind);
    assert.is(read.other, undefined, "every key is known");
  }
  assert.equal([...kinds].sort(), ["colgroup", "file", "layered", "system", "table"]);
});

test("metadata rows of MongoDB", () => {
  for (const { key, value } of many(metadataRows(), 7)) {
    const row = joinMetadataRow(encodeText(`${key}\0`), encodeText(`${value}\0`));
    sound(metadataRow, row, key);
    assert.is(decodeText(row), `${key}\0${value}\0`);
    assert.is((metadataRow.toJson(metadataRow.parse(row)) as { text?: string }).text, undefined, key);
  }
  const rows = new Map(
    metadataRows().map(({ key, value }) => [key, metadataRow.parse(encodeText(`${key}\0${value}\0`))]),
  );
  const system = rows.get("system:checkpoint")!;
  assert.ok(system.kind === "system");
  assert.equal(
    [system.config.checkpointTimestamp, system.config.checkpointTime, system.config.writeGen],
    [5n, 1768453189n, 1n],
  );
  const history = rows.get("file:WiredTigerHS.wt")!;
  assert.ok(history.kind === "file");
  const { config: file } = history;
  assert.equal([file.id, file.keyFormat, file.leafPageMax, file.leafValueMax], [8, "IuQQ", 32768, 64 << 20]);
  assert.equal(file.checkpointLsn, { file: 4294967295, offset: 2147483647 });
  const [entry] = file.checkpoint!;
  assert.equal(entry!.addr, new Uint8Array());
  assert.equal([entry!.newestStopTs, entry!.newestStopTxn], [(1n << 64n) - 1n, (1n << 64n) - 11n]);
});

test("checkpoint lists and block metadata of avail lists", () => {
  for (const text of many(checkpointLists(), 40)) sound(checkpointList, encodeText(text), text);
  for (const text of many(blockMetadataTexts(), 40)) {
    sound(blockMetadata, encodeText(text), text);
    const { blockMetadata: own, other } = blockMetadata.parse(encodeText(text));
    assert.equal([own!.other, other], [undefined, undefined], "every key is known");
  }
});

for (const format of all) {
  test(`${format.name}: generated values come back, through JSON too`, () => {
    const random = seededRandom(42);
    for (let at = 0; at < 1000; at++) {
      const value = format.generate(random);
      const bytes = format.build(value);
      const hex = bytesToHex(bytes);
      const parsed = format.parse(bytes);
      assert.is(bytesToHex(format.build(parsed)), hex);
      for (const one of [value, parsed]) {
        const json = JSON.parse(JSON.stringify(format.toJson(one)));
        assert.is(bytesToHex(format.build(format.fromJson(json))), hex);
      }
    }
  });

  test(`${format.name}: documented`, () => {
    const description = format.describe();
    assert.is(description.name, format.name);
    assert.ok(description.source.startsWith("formats: "));
    assert.equal(
      description.generations.map(({ name }) => name),
      format.generations.length > 0 ? [...format.generations] : [format.name],
    );
    for (const { fields } of description.generations) assert.ok(fields.length > 0);
    assert.match(toMarkdown(description), new RegExp(`^# ${format.name}: `));
  });
}

/** A real text of each format, to be damaged. */
const samples: ReadonlyArray<readonly [AnyFormat, Uint8Array]> = [
  [config, encodeText(metadataValues()[0]!)],
  [configFile, corpusFiles(/WiredTiger\.basecfg$/, "classic-12.0")[0]!.bytes],
  [checkpointList, encodeText(checkpointLists()[0]!)],
  [checkpointRecord, encodeText(checkpointRecords()[0]!)],
  [disaggTurtle, encodeText(turtlePages()[0]!)],
  [metadataRow, encodeText(`file:x\0${metadataValues()[0]!}\0`)],
  [blockMetadata, encodeText(blockMetadataTexts()[0]!)],
  [turtleFile, corpusFiles(/WiredTiger\.turtle$/, "classic-12.0")[0]!.bytes],
];

for (const [format, bytes] of samples) {
  test(`${format.name}: damage is read or refused, never worse`, () => {
    const place = fc.nat(bytes.length);
    const edit = fc.tuple(place, fc.nat(6), fc.uint8Array({ maxLength: 4 }));
    const mutated = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      let damaged = Buffer.from(bytes);
      for (const [at, cut, insert] of edits)
        damaged = Buffer.concat([damaged.subarray(0, at), insert, damaged.subarray(at + cut)]);
      return new Uint8Array(damaged);
    });
    const cut = place.map((length) => bytes.subarray(0, length));
    const noise = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(fc.oneof(mutated, cut, noise), (input) => {
        detects(format, Uint8Array.from(input));
        const root = format.annotate(input, { base: 9 });
        within(root);
        const reading = format.read(input, { base: 9 });
        for (const { offset, message } of reading.issues) {
          assert.ok(message.length > 0);
          assert.ok(
            offset === undefined || (offset >= 9 && offset <= 9 + input.length),
            `${offset} of ${input.length}`,
          );
        }
        if (!reading.ok) return;
        const json = JSON.parse(JSON.stringify(format.toJson(reading.value)));
        assert.is(bytesToHex(format.build(format.fromJson(json))), bytesToHex(input));
      }),
      { numRuns: 800 },
    );
  });
}

test("bytes that are not UTF-8 are kept and reported", () => {
  const bytes = Uint8Array.from([
    ...encodeText('checkpoint=(A=()),timestamp=1,x="'),
    0xff,
    ...encodeText('"'),
  ]);
  const [issue] = disaggTurtle.validate(bytes, { base: 10 });
  assert.equal([issue!.code, issue!.severity, issue!.offset], ["text-encoding", "warning", 43]);
  const json = JSON.stringify(disaggTurtle.toJson(disaggTurtle.parse(bytes)));
  assert.is(bytesToHex(disaggTurtle.build(disaggTurtle.fromJson(JSON.parse(json)))), bytesToHex(bytes));
});

test("with partial, text ends at its NUL", () => {
  const bytes = encodeText("metadata_lsn=5\0\0rest");
  assert.is(checkpointRecord.read(bytes).ok, false);
  const reading = checkpointRecord.read(bytes, { partial: true });
  assert.ok(reading.ok);
  assert.is(reading.length, 14);
});

test.run();
