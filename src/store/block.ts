/** Single pages and blocks in a file of their own: as they are, or as hex text. */
import { looksLikeStoredPage } from "./block-look.js";
import { readRange } from "./file.js";
import { decodeHex } from "./hex.js";
import { openInput } from "./input.js";
import { InputError } from "./input-error.js";
import { MAX_LINE, readLines } from "./lines.js";
import type { Place, RandomAccess } from "./types.js";

/** The engine's own limit of a page, bytes. */
const MAX_BLOCK = 2 ** 29;

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

/** @throws InputError `input-empty`, `input-unsupported` (too large), and what opening a file throws. */
export function openBlock(path: string): BlockInput {
  const file = openInput(path);
  try {
    const { size } = file;
    if (size === 0) throw new InputError("input-empty", path, "empty file");
    if (size > MAX_BLOCK)
      throw new InputError("input-unsupported", path, `${size} bytes are more than a page can have`);
    const bytes = readRange(file, 0, size);
    const hex = decodeHex(bytes);
    if (!hex.ok || hex.bytes.length === 0)
      return {
        kind: "block",
        path,
        size,
        form: "binary",
        blocks: [{ bytes, place: { file: path, offset: 0 } }],
      };
    const lines = linesOf(file);
    const single = [{ bytes: hex.bytes, place: { file: path, line: 1 } }];
    return { kind: "block", path, size, form: "hex", blocks: lines ?? single };
  } finally {
    file.close();
  }
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
