/** The header of a SQLite database, from the file or, when that has a newer page 1, from the write-ahead log. */
import {
  SQLITE_HEADER,
  SQLITE_MAX_PAGE_SIZE,
  SQLITE_MIN_PAGE_SIZE,
  SQLITE_NEWEST_READ_VERSION,
  sqliteHeader,
} from "../../../formats/sqlite.js";
import type { Issue } from "../../codec/index.js";
import { readRange } from "../file.js";
import { InputError } from "../input-error.js";
import type { IssueLog } from "../issue-log.js";
import type { Place, RandomAccess } from "../types.js";

export interface SqliteHeader {
  /** Bytes. */
  readonly pageSize: number;
  /** Bytes of a page that are in use. */
  readonly usable: number;
  readonly encoding: number;
  /** Pages the header says the file has; undefined when it may be out of date. */
  readonly pageCount: number | undefined;
  readonly place: Place;
  readonly issues: readonly Issue[];
}

/** Fewest usable bytes of a page that SQLite works with. */
const MIN_USABLE = 480;

/** @throws InputError `input-empty`, `input-unknown`, `input-unsupported`. */
export function readSqliteHeader(file: RandomAccess, offset = 0): SqliteHeader {
  const { path } = file;
  if (file.size === 0) throw new InputError("input-empty", path, "empty file");
  const reading = sqliteHeader.read(readRange(file, offset, SQLITE_HEADER.size), { base: offset });
  if (!reading.ok || reading.issues.some((issue) => issue.path === "magic"))
    throw new InputError("input-unknown", path, "not a SQLite database");
  const { value, issues } = reading;
  if (value.readVersion > SQLITE_NEWEST_READ_VERSION)
    throw new InputError(
      "input-unsupported",
      path,
      `SQLite file of read version ${value.readVersion}; known are 1 and 2`,
    );
  const pageSize = value.pageSize === 1 ? SQLITE_MAX_PAGE_SIZE : value.pageSize;
  if (pageSize < SQLITE_MIN_PAGE_SIZE || !Number.isInteger(Math.log2(pageSize)))
    throw new InputError("input-unknown", path, `damaged SQLite database: pages of ${pageSize} bytes`);
  const usable = pageSize - value.reservedSpace;
  const reliable = value.versionValidFor === value.changeCounter && value.pageCount > 0;
  return {
    pageSize,
    // A reserved space that leaves too little is damage; 0 is what everybody writes.
    usable: usable < MIN_USABLE ? pageSize : usable,
    encoding: value.textEncoding,
    pageCount: reliable ? value.pageCount : undefined,
    place: { file: path, offset },
    issues,
  };
}

export function logHeaderIssues({ issues, place }: SqliteHeader, log: IssueLog): void {
  for (const { severity, path, offset, message, expected, actual } of issues)
    log.add("sqlite-header", { ...place, offset: offset ?? place.offset ?? 0 }, `header: ${message}`, {
      severity,
      path,
      expected,
      actual,
    });
}
