/** Copying page logs, whatever they are kept in: records with the LSNs, links and flags they have. */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { PaliteLayout } from "../../formats/palite.js";
import { syncDirectory } from "./durable-file.js";
import type { PageLogContents } from "./memory-page-log.js";
import { PageLogError } from "./page-log-error.js";
import { readContents, setCheckpointIds, setCounters } from "./palite-contents.js";
import { CHECKPOINT_INSERTION, PaliteFiles, pageInsertion, rowValues } from "./palite-files.js";
import { signed } from "./palite-row.js";
import { failure } from "./write-failure.js";

const BATCH_BYTES = 8 * 1024 * 1024;
const HOME = "kv_home";

export interface CopyOptions {
  /** Default the newest, P4. */
  readonly layout?: PaliteLayout;
}

/**
 * Writes all of a page log into a new PALite store: `kv_home` in the directory, or the directory if that is its name.
 * It is there when it is whole. Checkpoint ids are dropped, because PALite keeps none.
 * @throws PageLogError `unsupported` when there is something already, `io`
 */
export function copyPageLog(log: PageLogContents, directory: string, options: CopyOptions = {}): void {
  const home = basename(directory) === HOME ? directory : join(directory, HOME);
  const parent = dirname(home);
  const work = join(parent, `.pugmark-copy-${process.pid}`);
  try {
    if (statSync(home, { throwIfNoEntry: false }) !== undefined && readdirSync(home).length > 0)
      throw new PageLogError("unsupported", "there is something already", { file: home });
    mkdirSync(work, { recursive: true });
    fill(new PaliteFiles(work, options.layout ?? "P4"), log);
    renameSync(work, home);
    syncDirectory(parent);
  } catch (error) {
    throw failure(error, { file: home });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fill(files: PaliteFiles, log: PageLogContents): void {
  try {
    files.makeControlFiles();
    const insertion = pageInsertion(files.layout);
    for (const record of log.records()) {
      const database = files.database(files.fileOfTable(record.tableId));
      const values = rowValues(files.layout, record, record.timestampMaterializedUs ?? 0n);
      database.insert(insertion, values, record.data);
      database.pendingBytes += record.data.length;
      if (database.pendingBytes >= BATCH_BYTES) database.commit();
    }
    for (const { lsn, timestamp, metadata } of log.checkpoints())
      files.checkpoints.run(CHECKPOINT_INSERTION, [signed(lsn), signed(timestamp), metadata]);
    for (const database of files.opened()) database.commit();
    completeCounters(files, log);
    files.syncDirectory();
  } finally {
    files.close();
  }
}

function completeCounters(files: PaliteFiles, { globals = {} }: PageLogContents): void {
  const { lastLsn, highestTableId, completedId } = readContents(files);
  const { lsnCounter = 0n, lsnCounterIs, checkpointCompleted = completedId } = globals;
  const given = lsnCounterIs === "next" && lsnCounter > 0n ? lsnCounter - 1n : lsnCounter;
  const tables = globals.highestTableId ?? 0n;
  setCounters(files, {
    last: given > lastLsn ? given : lastLsn,
    highestTableId: tables > highestTableId ? tables : highestTableId,
  });
  setCheckpointIds(files, checkpointCompleted);
  files.globals.commit();
}
