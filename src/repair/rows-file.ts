/** Rows of a new table, from a file as `wt dump -x` prints it: a line of hex a key, one a value. */
import { readFileSync, statSync } from "node:fs";
import { unpackStruct } from "../../formats/packed-struct.js";
import { FormatError } from "../codec/error.js";
import type { FileRow } from "./classic/table-file.js";
import { RepairRefusal } from "./error.js";

const HEX = /^(?:[\da-f]{2})*$/i;

/** @throws RepairRefusal `rows-invalid` */
export function readRows(path: string, keyFormat: string, valueFormat: string): FileRow[] {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new RepairRefusal("rows-invalid", `${path}: no such file`);
  const lines = rowLines(readFileSync(path, "latin1"), path);
  const rows: FileRow[] = [];
  for (let at = lines.from; at + 1 < lines.all.length; at += 2) {
    const key = hex(lines.all[at] as string, path, at, keyFormat);
    const value = hex(lines.all[at + 1] as string, path, at + 1, valueFormat);
    rows.push({ key, value });
  }
  if ((lines.all.length - lines.from) % 2 !== 0)
    throw bad(path, lines.all.length - 1, "a key without a value");
  rows.sort((a, b) => Buffer.compare(a.key, b.key));
  const twice = rows.findIndex(
    (row, index) => index > 0 && Buffer.compare((rows[index - 1] as FileRow).key, row.key) === 0,
  );
  if (twice > 0)
    throw new RepairRefusal(
      "rows-invalid",
      `${path}: two rows have the key ${Buffer.from((rows[twice] as FileRow).key).toString("hex")}`,
    );
  return rows;
}

/** The lines, and where rows begin: behind the line `Data` of a dump, or at once. */
function rowLines(text: string, path: string): { all: string[]; from: number } {
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  const data = all.indexOf("Data");
  if (data === -1) return { all, from: 0 };
  const form = all.slice(0, data).find((line) => line.startsWith("Format="));
  if (form !== undefined && form !== "Format=hex") throw bad(path, 1, `${form}: dump with -x`);
  return { all, from: data + 1 };
}

function hex(line: string, path: string, at: number, format: string): Uint8Array {
  if (!HEX.test(line)) throw bad(path, at, "not hexadecimal");
  const bytes = new Uint8Array(Buffer.from(line, "hex"));
  try {
    unpackStruct(format, bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw bad(path, at, `not of format ${format}: ${error.message}`);
  }
  return bytes;
}

const bad = (path: string, line: number, message: string): RepairRefusal =>
  new RepairRefusal("rows-invalid", `${path}, line ${line + 1}: ${message}`);
