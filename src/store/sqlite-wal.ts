/**
 * What SQLite does not say: it takes a write-ahead log to end at the first frame that is not sound. Commits behind
 * that are lost, and that is worth an issue.
 */
import { SQLITE_WAL_FRAME, SQLITE_WAL_HEADER } from "../../formats/palite.js";
import { FileAccess, readRange } from "./file.js";
import type { IssueLog } from "./issue-log.js";

const { pageCount, salt1, salt2 } = SQLITE_WAL_FRAME.at;

/** `used`: the frames SQLite takes; the last of them ends a transaction. `pageSize`: that of the database. */
export function checkWriteAheadLog(path: string, used: number, pageSize: number, log: IssueLog): void {
  const file = new FileAccess(path);
  try {
    const frameSize = SQLITE_WAL_FRAME.size + pageSize;
    const end = SQLITE_WAL_HEADER.size + used * frameSize;
    if (!hasCommitBehind(file, end, frameSize, used === 0)) return;
    if (used === 0)
      log.add(
        "sqlite-wal",
        { file: path, offset: 0 },
        "nothing in the write-ahead log is sound: it is not used",
        {
          severity: "warning",
        },
      );
    else
      log.add(
        "sqlite-wal",
        { file: path, offset: end },
        "a frame of the write-ahead log is damaged: its transaction and those behind it are lost",
      );
  } finally {
    file.close();
  }
}

/** Frames with other salts than the header's are of an earlier log; `ofAny` counts them, too. */
function hasCommitBehind(file: FileAccess, from: number, frameSize: number, ofAny: boolean): boolean {
  const header = viewOf(file, 0, SQLITE_WAL_HEADER.size);
  for (let offset = from; offset + frameSize <= file.size; offset += frameSize) {
    const frame = viewOf(file, offset, SQLITE_WAL_FRAME.size);
    const isOurs =
      frame.getUint32(salt1) === header.getUint32(SQLITE_WAL_HEADER.at.salt1) &&
      frame.getUint32(salt2) === header.getUint32(SQLITE_WAL_HEADER.at.salt2);
    if ((isOurs || ofAny) && frame.getUint32(pageCount) !== 0) return true;
  }
  return false;
}

/** Zeros stand for what a file that shrinks does not have any more. */
function viewOf(file: FileAccess, offset: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  bytes.set(readRange(file, offset, length));
  return new DataView(bytes.buffer);
}
