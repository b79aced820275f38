/** Real text out of the corpus: what metadata, turtles and checkpoint records look like on disk. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { corpusPath } from "./corpus.js";
import { vectors } from "./vector.js";

/** Files of the corpus whose name fits, with their bytes. */
export function corpusFiles(name: RegExp, ...folder: string[]): Array<{ path: string; bytes: Uint8Array }> {
  return readdirSync(corpusPath(...folder), { recursive: true, encoding: "utf8" })
    .filter((path) => name.test(path))
    .sort()
    .map((path) => ({ path: join(...folder, path), bytes: readFileSync(corpusPath(...folder, path)) }));
}

/** Stretches of printable characters and newlines that fit, from files that hold them between binary bytes. */
function printable(files: ReadonlyArray<{ bytes: Uint8Array }>, pattern: RegExp): string[] {
  const found = new Set<string>();
  for (const { bytes } of files) {
    const text = Buffer.from(bytes).toString("latin1");
    for (const [match] of text.matchAll(pattern)) found.add(match);
  }
  return [...found];
}

/** Without those whose pages are compressed. */
const pageLogs = () => corpusFiles(/data\.mdb$/, "palm").filter(({ path }) => !path.includes("c_compress"));
const tables = () => [...corpusFiles(/\.wt$/, "classic-12.0"), ...corpusFiles(/\.wt$/, "classic-3.2.1")];

/** Turtle pages of the page logs. */
export const turtlePages = (): string[] =>
  printable(pageLogs(), /\(WiredTigerCheckpoint\.\d+=\([^()]*\)\)\ntimestamp=[0-9a-f]+/g);

/** Checkpoint records of the page logs. */
export const checkpointRecords = (): string[] => printable(pageLogs(), /id=\d+,metadata_lsn=\d+/g);

/** Values of metadata rows, without their NUL. Reused pages hold pieces of others: only whole ones count. */
export function metadataValues(): string[] {
  const begin = "(?:access_pattern_hint|app_metadata|base_write_gen|snapshot_min)=";
  const end =
    "(?:\\(\\d+,\\d+\\)|_usage=none|\\(major=\\d,minor=\\d\\)|=file|value_format=\\w+|write_gen=\\d+)";
  const pattern = new RegExp(`${begin}[\\x20-\\x7e]*${end}(?=\\0)`, "g");
  const files = [...pageLogs(), ...tables().filter(({ path }) => path.endsWith("WiredTiger.wt"))];
  return printable(files, pattern);
}

/** Metadata rows with their keys, as MongoDB's server wrote them. */
export const metadataRows = (): Array<{ key: string; value: string }> =>
  vectors("mongodb_logs.expected.json").intact_page.key_values;

/** Checkpoint lists and block metadata behind avail lists. */
export const checkpointLists = (): string[] =>
  printable(tables(), /(?<![\x20-\x7e]{3})checkpoint=\([\x20-\x7e]*\)/g);
export const blockMetadataTexts = (): string[] =>
  printable(tables(), /encryption=\(keyid=,name=\),block_metadata_encrypted=[\x20-\x7e]*\]/g);
