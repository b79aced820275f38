/** Names of a page log's tables, as the shared metadata of the newest checkpoint that can be read has them. */
import { specialTables } from "../../../formats/disagg-tables.js";
import { FormatError } from "../../codec/error.js";
import { decodeText } from "../../codec/text.js";
import type { PageLog } from "../../store/types.js";
import { SoundImages } from "../../tree/image-check.js";
import { followCheckpoint, type MetadataRoot } from "../../tree/page-log/checkpoint.js";
import { encryptedBlocks } from "../../tree/page-log/database.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { readTableConfig } from "../../tree/table-config.js";
import { pageRows, TreeWalk } from "../../tree/walk.js";

const { uri } = specialTables.sharedMetadata;

/** By table id. Empty when no metadata can be read; damage on the way is no matter here. */
export function tableNames(log: PageLog): Map<bigint, string> {
  const names = new Map<bigint, string>();
  for (const record of log.checkpoints().reverse()) {
    const target = followCheckpoint(log, record);
    if (!("root" in target) || target.root === undefined) continue;
    names.set(target.root.tableId, uri);
    readRows(log, target.root, names);
    break;
  }
  return names;
}

function readRows(log: PageLog, { tableId, cookie }: MetadataRoot, names: Map<bigint, string>): void {
  const images = new SoundImages({}, () => encryptedBlocks(log));
  const source = new PageLogSource(log, { tableId, compressor: "", encryptor: "", collator: "" }, images);
  for (const { page } of new TreeWalk(source, { table: uri, report: () => {} }).leaves(cookie))
    for (const { key, data } of pageRows(page.parts))
      if (key !== undefined) addName(textOf(key), textOf(data), names);
}

function addName(name: string, value: string, names: Map<bigint, string>): void {
  if (!name.startsWith("file:")) return;
  try {
    const { id } = readTableConfig(name, value);
    if (id !== undefined) names.set(id, name);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);
