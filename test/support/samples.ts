/** Real bytes of each kind, out of the corpus without the readers under test. */
import { readFileSync } from "node:fs";
import { crc32c, crc32cWithZeroedField, hexToBytes } from "../../src/codec/index.js";
import { type Block, blocksOf } from "./classic-files.js";
import { corpusPath } from "./corpus.js";

export interface Sample {
  readonly name: string;
  /** Name of the format in the registry. */
  readonly format: string;
  readonly bytes: Uint8Array;
}

/** Numbers of the page header's type byte. */
const ROW_INTERNAL = 6;
const ROW_LEAF = 7;

/** The first block of a type in a classic file. */
function classicBlock(file: string[], type: number): Uint8Array {
  const bytes = new Uint8Array(readFileSync(corpusPath(...file)));
  for (const block of blocksOf(bytes) as Iterable<Block>) if (block.type === type) return block.bytes.slice();
  throw new Error(`no block of type ${type} in ${file.join("/")}`);
}

interface ExportedRecord {
  readonly table_id: number;
  readonly page_id: number;
  readonly lsn: number;
  readonly data_hex: string;
}
const exported = readFileSync(corpusPath("palm", "a_small", "export", "pages.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as ExportedRecord);

/** A record of palm/a_small, by its export. */
export function exportedPage(tableId: number, pageId: number, lsn: number): Uint8Array {
  const found = exported.find((row) => row.table_id === tableId && row.page_id === pageId && row.lsn === lsn);
  if (found === undefined) throw new Error(`no record ${tableId}/${pageId}/${lsn}`);
  return hexToBytes(found.data_hex);
}

function vector(file: string): Record<string, Array<Record<string, unknown>>> {
  return JSON.parse(readFileSync(corpusPath("vectors", file), "utf8"));
}

/** Pages small enough for every bit of them to be flipped. */
export const pages: readonly Sample[] = [
  {
    name: "classic row leaf",
    format: "page",
    bytes: classicBlock(["classic-3.2.1", "deb_basic", "alloc512.wt"], ROW_LEAF),
  },
  {
    name: "classic row internal",
    format: "page",
    bytes: classicBlock(["classic-3.2.1", "deb_basic", "alloc512.wt"], ROW_INTERNAL),
  },
  { name: "base image of a leaf", format: "page", bytes: exportedPage(41, 128, 93) },
  { name: "base image of an internal page", format: "page", bytes: exportedPage(41, 163, 163) },
  { name: "P0 delta", format: "page", bytes: exportedPage(41, 101, 22) },
];

/** The block with so many bytes on disk; its checksum covers the first 64. */
function cutTo(block: Uint8Array, size: number): Uint8Array {
  const short = block.slice(0, size);
  const view = new DataView(short.buffer);
  view.setUint32(28, size, true);
  view.setUint32(32, crc32cWithZeroedField(short, 0, 64, 32), true);
  return short;
}

/** Its checksum covers the first 64 bytes only: with less padding, nearly half of the block. */
export const partlyCovered: Sample = {
  name: "classic row internal, checksum=off",
  format: "page",
  bytes: cutTo(classicBlock(["classic-12.0", "basic", "cksum_off.wt"], ROW_INTERNAL), 128),
};

/** One compressed leaf a compressor. */
export const compressedLeaves: readonly Sample[] = [
  ["classic-3.2.1", "deb_compress", "c_snappy.wt"],
  ["classic-3.2.1", "deb_compress", "c_zlib.wt"],
  ["classic-12.0", "compressors", "c_lz4.wt"],
  ["classic-12.0", "compressors", "c_zstd.wt"],
].map((file) => ({
  name: `classic row leaf ${file.join("/")}`,
  format: "page",
  bytes: classicBlock(file, ROW_LEAF),
}));

const cryptVectors = vector("crypt_header.json").valid as Array<{ variant: string; hex: string }>;
export const cryptPages: readonly (Sample & { readonly generation: string })[] = cryptVectors.map(
  ({ variant, hex }) => ({
    name: `crypt page ${variant}`,
    format: "crypt-page",
    generation: variant,
    bytes: hexToBytes(hex),
  }),
);

const turtleVectors = vector("turtle_metadata.json").valid as Array<{ name: string; text: string }>;
export const turtle: Sample = {
  name: "turtle page",
  format: "disagg-turtle",
  bytes: new TextEncoder().encode(turtleVectors.find(({ name }) => name === "v2_production")!.text),
};
/** What a completed checkpoint says of that turtle page. */
export const turtleRecord: Sample = {
  name: "checkpoint record",
  format: "checkpoint-record",
  bytes: new TextEncoder().encode(
    `metadata_lsn=7629832633374999105,metadata_checksum=${crc32c(turtle.bytes).toString(16)}`,
  ),
};
/** The turtle page of a_small's last checkpoint. */
export const oldTurtle: Sample = {
  name: "turtle page L1",
  format: "disagg-turtle",
  bytes: exportedPage(1, 1, 166),
};

const cookieVectors = vector("cookies.json");
const cookie = (list: string, format: string): Sample => ({
  name: `${format} (${list})`,
  format,
  bytes: hexToBytes(cookieVectors[list]![0]!.hex as string),
});
export const cookies: readonly Sample[] = [
  cookie("disagg_v0", "address-cookie"),
  cookie("disagg_b", "address-cookie"),
  cookie("classic_checkpoint", "classic-checkpoint-cookie"),
];
