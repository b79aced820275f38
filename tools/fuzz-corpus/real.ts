/** Real bytes of the corpus, by the format they are of. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { corpusPath } from "../../fuzz/corpus.js";
import { encodeText, hexToBytes } from "../../src/codec/index.js";
import { corpusBlocks } from "../../test/support/corpus-blocks.js";

/** Larger blocks are no seeds, bytes. */
const MOST_BYTES = 4096;
const BLOCKS = 60;
/** More than any configuration text may be nested. */
const DEPTH = 1100;

/** Vectors by format: every hex string, or every text, of a file. */
const vectors: Readonly<Record<string, readonly [file: string, kind: "hex" | "text"]>> = {
  "address-cookie": ["cookies.json", "hex"],
  "checkpoint-cookie": ["cookies.json", "hex"],
  "classic-address-cookie": ["cookies.json", "hex"],
  "classic-checkpoint-cookie": ["cookies.json", "hex"],
  "crypt-page": ["crypt_header.json", "hex"],
  "history-key": ["hs_key.json", "hex"],
  "checkpoint-record": ["checkpoint_meta.json", "text"],
  "disagg-turtle": ["turtle_metadata.json", "text"],
};

const deep = `a=${"(".repeat(DEPTH)}${")".repeat(DEPTH)}`;
/** What neither dumps nor generators give. */
const made: Readonly<Record<string, readonly string[]>> = {
  config: [deep],
  "config-file": [deep],
  "turtle-file": [
    "WiredTiger version string\nWiredTiger 3.2.1: (August 27, 2019)\nWiredTiger version\nmajor=3,minor=2,patch=2\nfile:WiredTiger.wt\nid=0\n",
  ],
  "disagg-turtle": ["version=2,compatible_version=1,\ncheckpoint=(A=())", "version=2\n\n"],
};

export function realInputs(format: string): Iterable<Uint8Array> {
  return [...(made[format] ?? []).map(encodeText), ...dumped(format)];
}

function dumped(format: string): Iterable<Uint8Array> {
  if (format === "page") return realBlocks();
  if (format === "turtle-file") return turtleFiles();
  const from = vectors[format];
  if (from === undefined) return [];
  const [file, kind] = from;
  const texts = [...stringsOf(JSON.parse(readFileSync(corpusPath("vectors", file), "utf8")), kind)];
  return texts.map(kind === "hex" ? hexToBytes : encodeText);
}

/** Small blocks of every store, evenly chosen. */
export function* realBlocks(): Generator<Uint8Array> {
  const small = [...corpusBlocks()].filter(({ bytes }) => bytes.length <= MOST_BYTES);
  const step = Math.max(1, Math.floor(small.length / BLOCKS));
  for (let index = 0; index < small.length; index += step)
    yield (small[index] as { bytes: Uint8Array }).bytes;
}

function turtleFiles(): Uint8Array[] {
  return ["classic-12.0", "classic-3.2.1"].flatMap((engine) =>
    readdirSync(corpusPath(engine), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => readFileSync(join(corpusPath(engine), name, "WiredTiger.turtle"))),
  );
}

function* stringsOf(value: unknown, key: string): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value))
    if (name === key && typeof inner === "string") yield inner;
    else yield* stringsOf(inner, key);
}
