/** Names of a page log's tables, as the shared metadata of the newest checkpoint that can be read has them. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { FormatError } from "../../codec/error.js";
import { decodeText } from "../../codec/text.js";
import type { EncryptedSample } from "../../page/images.js";
import type { Row } from "../../page/rows.js";
import type { PageLog } from "../../store/types.js";
import { readTableConfig } from "../../tree/table-config.js";
import { DisaggBlock } from "../../verify/page-log/block.js";
import { CheckpointSubject } from "../../verify/page-log/checkpoint.js";
import { isPlainPage } from "../../verify/page-log/plain-pages.js";
import { RecordSubject } from "../../verify/page-log/record.js";
import { PageLogTree } from "../../verify/page-log/tree.js";
import { PageVerifier } from "../../verify/page-verifier.js";
import { Detected, Run } from "../../verify/run.js";

/** By table id. Empty when no metadata can be read; damage on the way is no matter here. */
export function tableNames(log: PageLog): Map<bigint, string> {
  const names = new Map<bigint, string>();
  for (const record of log.checkpoints().reverse()) {
    const { rootCookie } = new CheckpointSubject(log, record, undefined);
    const tableId = rootCookie === undefined ? undefined : tableOfRoot(log, rootCookie);
    if (rootCookie === undefined || tableId === undefined) continue;
    names.set(tableId, specialTables.sharedMetadata.uri);
    readRows(log, tableId, rootCookie, names);
    break;
  }
  return names;
}

/** The table that has a record of the root's page id and LSN: LSNs are unique in a log. */
function tableOfRoot(log: PageLog, cookie: Uint8Array): bigint | undefined {
  const reading = addressCookie.read(cookie);
  if (!reading.ok || !("lsn" in reading.value)) return undefined;
  const { pageId, lsn } = reading.value;
  for (const id of specialTables.sharedMetadata.ids) if (log.record(id, pageId, lsn) !== undefined) return id;
  for (const record of log.records())
    if (record.lsn === lsn && record.pageId === pageId) return record.tableId;
  return undefined;
}

function readRows(log: PageLog, tableId: bigint, cookie: Uint8Array, names: Map<bigint, string>): void {
  const run = new Run({}, 0);
  const detected = new Detected(log.path, log.kind);
  const visitor = {
    leaf: (rows: readonly Row[]) => {
      for (const { key, data, removed } of rows)
        if (key !== undefined && !removed) addName(textOf(key), textOf(data), names);
    },
  };
  const table = { tableId, compressor: "", encryptor: "" };
  new PageLogTree(
    log,
    table,
    run,
    detected,
    new PageVerifier(run, detected, () => encryptedBlocks(log)),
    visitor,
  ).verify(cookie, {
    path: log.path,
  });
}

/** Blocks to find the key of the encryptor by. */
function* encryptedBlocks(log: PageLog): Generator<EncryptedSample> {
  const block = new DisaggBlock();
  const subject = new RecordSubject(log);
  for (const record of log.records()) {
    subject.record = record;
    if (isPlainPage(record.tableId, record.pageId) || !block.set(subject) || !block.encrypted) continue;
    const { combinedHeaderSize, memSize, compressed, encrypted, bytes } = block;
    yield { bytes, shape: { combinedHeaderSize, memSize, compressed, encrypted } };
  }
}

function addName(uri: string, value: string, names: Map<bigint, string>): void {
  if (!uri.startsWith("file:")) return;
  try {
    const { id } = readTableConfig(uri, value);
    if (id !== undefined) names.set(id, uri);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);
