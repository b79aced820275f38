/** Single pages and blocks in a file of their own: as they are, or as hex text. */
import { looksLikeStoredPage } from "./block-look.js";
import { readRange } from "./file.js";
import { decodeHex, hexFlaw, startsLikeHex } from "./hex.js";
import { openInput } from "./input.js";
import { InputError } from "./input-error.js";
import { MAX_LINE, readLines } from "./lines.js";
import type { Place, RandomAccess } from "./types.js";

/** Bytes of a file that is taken for one block, and of hex text: it is kept in memory, more than once. */
const MAX_BLOCK = 128 * 1024 * 1024;
const MAX_HEX = 64 * 1024 * 1024;
/** Bytes that tell whether a file is hex text. */
const START = 4096;

export interface LoneBlock {
  readonly bytes: Uint8Array;
  readonly place: Place;
}

export interface BlockInput {
  readonly kind: "block";
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly form: "binary" | "hex";
  /** One, or one a line where every line of hex is a page of its own. */
  readonly blocks: readonly LoneBlock[];
}

/** @throws InputError `input-empty`, `input-unsupported` (too large), `input-unreadable` (hex text with a flaw), and
 *   what opening a file throws. */
export function openBlock(path: string): BlockInput {
  const file = openInput(path);
  try {
    const { size } = file;
    if (size === 0) throw new InputError("input-empty", path, "empty file");
    const form = startsLikeHex(readRange(file, 0, START)) ? "hex" : "binary";
    const most = form === "hex" ? MAX_HEX : MAX_BLOCK;
    if (size > most)
      throw new InputError(
        "input-unsupported",
        path,
        `${size} bytes of ${form === "hex" ? "hex text" : "one block"}; up to ${most} are read`,
      );
    return { kind: "block", path, size, form, blocks: form === "hex" ? hexBlocks(file) : [wholeOf(file)] };
  } finally {
    file.close();
  }
}

const wholeOf = (file: RandomAccess): LoneBlock => ({
  bytes: readRange(file, 0, file.size),
  place: { file: file.path, offset: 0 },
});

function hexBlocks(file: RandomAccess): readonly LoneBlock[] {
  const hex = decodeHex(readRange(file, 0, file.size));
  if (!hex.ok) throw new InputError("input-unreadable", file.path, hexFlaw(hex));
  return linesOf(file) ?? [{ bytes: hex.bytes, place: { file: file.path, line: 1 } }];
}

/** The lines as blocks, unless one of them is none. */
function linesOf(file: RandomAccess): LoneBlock[] | undefined {
  const blocks: LoneBlock[] = [];
  for (const line of readLines(file)) {
    if (line.length > MAX_LINE) return undefined;
    const hex = decodeHex(line.bytes);
    if (!hex.ok || (hex.bytes.length > 0 && !looksLikeStoredPage(hex.bytes))) return undefined;
    if (hex.bytes.length > 0)
      blocks.push({ bytes: hex.bytes, place: { file: file.path, line: line.number } });
  }
  return blocks;
}
