/** Named checkpoints, and columns of every kind, as the real engine reads them from the same home. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { quickStart } from "../../fuzz/engine/quick-start.js";
import { LIBRARIES, missingEngine } from "../../fuzz/engine/random-database.js";
import { decodeText } from "../../src/codec/index.js";
import { HexDump } from "../../src/report/rows/hex.js";
import { jsonRows } from "../../src/report/rows/json.js";
import { openDatabase } from "../../src/tree/index.js";
import type { Database } from "../../src/tree/types.js";
import { corpusPath } from "../support/corpus.js";
import { skipped } from "../support/skip.js";

const TABLES = ["row", "col", "fix", "ovfl", "signed", "unsigned", "sized", "items", "bits"].map(
  (name) => `table:${name}`,
);
/** Those that differ from checkpoint to checkpoint. */
const CHANGED = TABLES.slice(0, 4);

const missing = missingEngine();
const test = suite("named checkpoints and columns, beside the engine");
let home = "";
let env: NodeJS.ProcessEnv = process.env;
let database: Database;
test.before(() => {
  // The engine opens homes for writing.
  home = mkdtempSync(join(tmpdir(), "pugmark-named-"));
  cpSync(corpusPath("named"), home, { recursive: true });
  env = quickStart(home, LIBRARIES) ?? env;
  database = openDatabase(corpusPath("named"));
});
test.after(() => {
  database.close();
  rmSync(home, { recursive: true, force: true });
});

function dump(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("wt", ["-h", home, "dump", ...args], { env });
  assert.is(status, 0, stderr.toString());
  return stdout.toString("latin1");
}

const oursAt = (uri: string, checkpoint: string | undefined): string =>
  Buffer.concat([...new HexDump(database.table(uri, checkpoint).reader()).chunks()]).toString("latin1");

for (const checkpoint of ["first", "second", undefined])
  test(`every row at ${checkpoint ?? "the newest checkpoint"}`, () => {
    if (missing !== undefined) return skipped(missing);
    for (const uri of CHANGED) {
      const engine = dump("-x", ...(checkpoint === undefined ? [] : ["-c", checkpoint]), uri);
      assert.ok(oursAt(uri, checkpoint) === engine.split("\nData\n")[1], `${uri} at ${checkpoint}`);
    }
  });

test("the three states differ", () => {
  for (const uri of CHANGED) {
    const states = new Set(["first", "second", undefined].map((name) => oursAt(uri, name)));
    assert.is(states.size, 3, uri);
  }
});

type Columns = Record<string, string | number>;

/** The rows of every table, a name a column; integers too long for a number as text. */
function engineRows(): Record<string, Columns[]> {
  const text = dump("-j", ...TABLES).replace(/ : (-?\d{16,})/g, ' : "$1"');
  const document = JSON.parse(text) as Record<string, Array<{ data?: Columns[] }>>;
  return Object.fromEntries(TABLES.map((uri) => [uri, document[uri]?.[1]?.data ?? []]));
}

const lettersOf = (format: string): string[] =>
  [...format.matchAll(/\d*([a-zA-Z])/g)].map((match) => match[1] as string);

/** The engine shows bytes as characters. */
const ours = (value: unknown, letter: string): string =>
  letter === "u" ? Buffer.from(value as string, "hex").toString("latin1") : String(value);
/** A text that was cut within a character is among them: bytes that are no UTF-8 have characters of their own. */
const theirs = (value: unknown, letter: string): string =>
  /s/i.test(letter) ? decodeText(Buffer.from(value as string, "latin1")) : String(value);

const ourColumns = (value: unknown, letters: readonly string[]): string[] =>
  (letters.length === 1 ? [value] : (value as unknown[])).map((column, at) =>
    ours(column, letters[at] as string),
  );
const theirColumns = (row: Columns, name: string, letters: readonly string[]): string[] =>
  letters.map((letter, at) => theirs(row[`${name}${at}`], letter));

test("every column of every row, by its format", () => {
  if (missing !== undefined) return skipped(missing);
  const engine = engineRows();
  for (const uri of TABLES) {
    const table = database.table(uri);
    const { keyFormat, valueFormat } = table.info;
    const fail = (what: string, message: string): void => assert.unreachable(`${uri}: ${what}: ${message}`);
    const [keys, values] = [lettersOf(keyFormat), lettersOf(valueFormat)];
    const rows = Array.from(jsonRows(table.rows(), table.info, fail), (line) => JSON.parse(line) as JsonRow);
    assert.ok(rows.length > 0);
    assert.equal(
      rows.map(({ key, value }) => [ourColumns(key, keys), ourColumns(value, values)]),
      (engine[uri] as Columns[]).map((row) => [
        theirColumns(row, "key", keys),
        theirColumns(row, "value", values),
      ]),
      uri,
    );
  }
});

interface JsonRow {
  readonly key: unknown;
  readonly value: unknown;
}

test.run();
