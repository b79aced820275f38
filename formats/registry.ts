/** Every format by its command-line name. */
import type { Format } from "../src/codec/index.js";
import { addressCookie, checkpointCookie } from "./address-cookie.js";
import { blockHeader, classicBlockHeader, deltaHeader } from "./block-header.js";
import { cell } from "./cell.js";
import { checkpointList } from "./checkpoint-list.js";
import { checkpointRecord } from "./checkpoint-record.js";
import { classicAddressCookie, classicCheckpointCookie } from "./classic-cookie.js";
import { config, configFile } from "./config.js";
import { cryptPage } from "./crypt-page.js";
import { deltaInternalEntry, deltaLeafEntry, deltaValue } from "./delta.js";
import { descriptionBlock } from "./description-block.js";
import { disaggTurtle } from "./disagg-turtle.js";
import { extentList } from "./extent-list.js";
import { HISTORY_KEY_FORMAT, HISTORY_VALUE_FORMAT, historyKey, historyValue, modifyList } from "./history.js";
import { lmdbBranchNode, lmdbDatabase, lmdbLeafNode, lmdbMeta, lmdbPage } from "./lmdb.js";
import { logFileHeader, logRecord, logRecordBody } from "./log.js";
import { logOperation } from "./log-operation.js";
import { blockMetadata, metadataRow } from "./metadata-row.js";
import { cookieVersion, packedInteger, packedIntegerSigned } from "./packed-integer.js";
import { PACKED_STRUCT, packedStruct } from "./packed-struct.js";
import { page } from "./page.js";
import { pageHeader } from "./page-header.js";
import { paliteRow } from "./palite.js";
import { palmCheckpointKey, palmGlobal, palmKey } from "./palm.js";
import { encryptedPrefix, lz4Prefix, rotnEnvelope, streamPrefix } from "./transforms.js";
import { turtleFile } from "./turtle-file.js";
import { wrappedKey } from "./wrapped-key.js";

// biome-ignore lint/suspicious/noExplicitAny: a list of formats of different values.
type AnyFormat = Format<any>;

/** In the order `pugmark formats` lists them. */
export const formats: readonly AnyFormat[] = [
  page,
  pageHeader,
  classicBlockHeader,
  blockHeader,
  deltaHeader,
  cell,
  deltaValue,
  deltaLeafEntry,
  deltaInternalEntry,
  addressCookie,
  checkpointCookie,
  palmKey,
  palmCheckpointKey,
  palmGlobal,
  lmdbMeta,
  lmdbDatabase,
  lmdbPage,
  lmdbBranchNode,
  lmdbLeafNode,
  paliteRow,
  classicAddressCookie,
  classicCheckpointCookie,
  descriptionBlock,
  extentList,
  cryptPage,
  wrappedKey,
  packedInteger,
  packedIntegerSigned,
  cookieVersion,
  packedStruct(HISTORY_KEY_FORMAT),
  packedStruct(HISTORY_VALUE_FORMAT),
  historyKey,
  historyValue,
  modifyList,
  disaggTurtle,
  checkpointRecord,
  turtleFile,
  metadataRow,
  checkpointList,
  blockMetadata,
  config,
  configFile,
  logRecord,
  logRecordBody,
  logFileHeader,
  logOperation,
  streamPrefix,
  lz4Prefix,
  encryptedPrefix,
  rotnEnvelope,
];

/** The format of a name; `packed-struct:` followed by any format text is a name, too. */
export const formatByName = (name: string): AnyFormat | undefined =>
  formats.find((format) => format.name === name) ??
  (name.startsWith(PACKED_STRUCT) ? packedStructByText(name.slice(PACKED_STRUCT.length)) : undefined);

function packedStructByText(formatText: string): AnyFormat | undefined {
  try {
    return packedStruct(formatText);
  } catch {
    return undefined;
  }
}
