/**
 * A write-ahead log: the pages it holds in place of those in the database. Only frames up to the last commit count,
 * and only those whose running checksum holds; the `-shm` file beside it is an index made anew here.
 */
import {
  SQLITE_WAL_FRAME,
  SQLITE_WAL_HEADER,
  SQLITE_WAL_MAGIC,
  sqliteWalHeader,
} from "../../../formats/sqlite.js";
import { readRange } from "../file.js";
import type { IssueLog } from "../issue-log.js";
import type { RandomAccess } from "../types.js";

export interface WalIndex {
  /** Offset in the log of each page's newest committed image. */
  readonly pages: ReadonlyMap<number, number>;
  /** Pages of the database after the last commit; undefined when nothing was committed. */
  readonly pageCount: number | undefined;
}

const EMPTY: WalIndex = { pages: new Map(), pageCount: undefined };
const READ_BYTES = 1024 * 1024;
const { pageNumber, pageCount, salt1, salt2, checksum1, checksum2 } = SQLITE_WAL_FRAME.at;
/** Bytes of a frame's header that its checksum covers: page number and page count. */
const SUMMED_HEADER = salt1;

/** `pageSize`: that of the database, which the log must share. */
export function readWal(file: RandomAccess, pageSize: number, log: IssueLog): WalIndex {
  if (file.size === 0) return EMPTY;
  const bytes = readRange(file, 0, SQLITE_WAL_HEADER.size);
  const reading = sqliteWalHeader.read(bytes);
  const sum = new WalChecksum(
    (bytes[SQLITE_WAL_HEADER.at.magic + 3] as number) !== (SQLITE_WAL_MAGIC & 0xff),
  );
  sum.add(bytes.subarray(0, SQLITE_WAL_HEADER.at.checksum1));
  const problem = !reading.ok
    ? reading.error.message
    : reading.issues.find(({ severity }) => severity === "error")?.message;
  if (!reading.ok || problem !== undefined) return ignored(file, log, problem ?? "");
  if (reading.value.pageSize !== pageSize)
    return ignored(file, log, `pages of ${reading.value.pageSize} bytes where the database has ${pageSize}`);
  if (!sum.is(reading.value.checksum1, reading.value.checksum2))
    return ignored(file, log, "its header's checksum is wrong");
  return new FrameScan(file, pageSize, sum, reading.value, log).index();
}

/** SQLite, too, takes a log it cannot make sense of for an empty one; that loses what it held. */
function ignored(file: RandomAccess, log: IssueLog, reason: string): WalIndex {
  log.add("sqlite-wal", { file: file.path, offset: 0 }, `the write-ahead log is not used: ${reason}`);
  return EMPTY;
}

class FrameScan {
  private readonly pages = new Map<number, number>();
  private committed: number | undefined;
  /** Frames since the last commit. */
  private readonly open: [page: number, offset: number][] = [];

  constructor(
    private readonly file: RandomAccess,
    private readonly pageSize: number,
    private readonly sum: WalChecksum,
    private readonly header: { readonly salt1: number; readonly salt2: number },
    private readonly log: IssueLog,
  ) {}

  index(): WalIndex {
    let broken: number | undefined;
    for (const { offset, frame } of this.frames()) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
      const ours = view.getUint32(salt1) === this.header.salt1 && view.getUint32(salt2) === this.header.salt2;
      if (broken === undefined) {
        // From here on the file holds frames of an earlier log.
        if (!ours) break;
        if (!this.holds(frame, view)) broken = offset;
        else this.take(view, offset);
      } else if (ours && view.getUint32(pageCount) !== 0) {
        this.reportLoss(broken);
        break;
      }
    }
    return { pages: this.pages, pageCount: this.committed };
  }

  private *frames(): Generator<{ offset: number; frame: Uint8Array }> {
    const size = SQLITE_WAL_FRAME.size + this.pageSize;
    const block = new Uint8Array(size * Math.max(1, Math.floor(READ_BYTES / size)));
    for (let offset = SQLITE_WAL_HEADER.size; offset + size <= this.file.size; ) {
      const count = this.file.readInto(block, offset);
      if (count < size) return;
      for (let at = 0; at + size <= count; at += size)
        yield { offset: offset + at, frame: block.subarray(at, at + size) };
      offset += count - (count % size);
    }
  }

  private holds(frame: Uint8Array, view: DataView): boolean {
    this.sum.add(frame.subarray(0, SUMMED_HEADER));
    this.sum.add(frame.subarray(SQLITE_WAL_FRAME.size));
    return (
      view.getUint32(pageNumber) > 0 && this.sum.is(view.getUint32(checksum1), view.getUint32(checksum2))
    );
  }

  private take(view: DataView, offset: number): void {
    this.open.push([view.getUint32(pageNumber), offset + SQLITE_WAL_FRAME.size]);
    const commit = view.getUint32(pageCount);
    if (commit === 0) return;
    for (const [page, at] of this.open) this.pages.set(page, at);
    this.open.length = 0;
    this.committed = commit;
  }

  private reportLoss(offset: number): void {
    const message = "a frame of the write-ahead log is damaged: it and the commits behind it are lost";
    this.log.add("sqlite-wal", { file: this.file.path, offset }, message);
  }
}

/** SQLite's running checksum over pairs of 32-bit words. */
export class WalChecksum {
  private first = 0;
  private second = 0;
  private readonly native: boolean;

  constructor(private readonly bigEndian: boolean) {
    this.native = !bigEndian && new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  }

  /** `bytes`: a multiple of 8. */
  add(bytes: Uint8Array): void {
    if (this.native && bytes.byteOffset % 4 === 0)
      this.addWords(new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
    else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.addWords(
        Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, !this.bigEndian)),
      );
    }
  }

  is(first: number, second: number): boolean {
    return this.first === first && this.second === second;
  }

  private addWords(words: Uint32Array): void {
    let first = this.first | 0;
    let second = this.second | 0;
    for (let i = 0; i < words.length; i += 2) {
      first = (first + (words[i] as number) + second) | 0;
      second = (second + (words[i + 1] as number) + first) | 0;
    }
    this.first = first >>> 0;
    this.second = second >>> 0;
  }
}
