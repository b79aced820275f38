/** The classic directories of the corpus, and what tests take out of them without the reader under test. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findAllocationSize } from "../../formats/description-block.js";
import { crc32cWithZeroedField } from "../../src/codec/index.js";
import { corpusPath } from "./corpus.js";

export interface ClassicDirectory {
  readonly name: string;
  readonly path: string;
}

/** Every healthy classic directory of both engines. */
export const healthyDirectories: readonly ClassicDirectory[] = [
  ...["basic", "compressors", "fastdelete", "logged", "ts_hs"].map((name) => directory("classic-12.0", name)),
  ...["deb_basic", "deb_compress", "deb_logged"].map((name) => directory("classic-3.2.1", name)),
  directory("corrupt-classic", "orig"),
];

function directory(...parts: string[]): ClassicDirectory {
  return { name: parts.join("/"), path: corpusPath(...parts) };
}

/** Every .wt file of the healthy directories. */
export function healthyFiles(): Array<{ name: string; bytes: Uint8Array }> {
  return healthyDirectories.flatMap(({ name, path }) =>
    readdirSync(path)
      .filter((file) => file.endsWith(".wt"))
      .map((file) => ({ name: `${name}/${file}`, bytes: new Uint8Array(readFileSync(join(path, file))) })),
  );
}

/** Hex of every checkpoint cookie in the turtle and in metadata pages, also in pages that are no longer in use. */
export function checkpointCookies({ path }: ClassicDirectory): string[] {
  const texts = ["WiredTiger.turtle", "WiredTiger.wt"].map((file) =>
    readFileSync(join(path, file), "latin1"),
  );
  const found = texts.flatMap((text) =>
    [...text.matchAll(/addr="([0-9a-f]+)"/g)].map((match) => match[1] as string),
  );
  return [...new Set(found)];
}

export interface Block {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly checksum: number;
}

/** Every sound block of a file, found by its own header and checksum. */
export function* blocksOf(file: Uint8Array): IterableIterator<Block> {
  const unit = findAllocationSize(file) as number;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let offset = unit; offset + unit <= file.length; offset += unit) {
    const size = view.getUint32(offset + 28, true);
    const type = file[offset + 24] as number;
    if (type < 1 || type > 7 || size === 0 || size % unit !== 0 || offset + size > file.length) continue;
    const bytes = file.subarray(offset, offset + size);
    const covered = (bytes[36] as number) & 1 ? size : 64;
    const checksum = view.getUint32(offset + 32, true);
    if (crc32cWithZeroedField(bytes, 0, covered, 32) === checksum) yield { offset, bytes, type, checksum };
  }
}

/** Bytes of a classic block before its payload. */
export const CLASSIC_HEADERS = 40;
