/** What the encrypted pages of a page log are encrypted with, before anything is written in their place. */
import { FormatError } from "../../codec/error.js";
import { readBlockHeaders } from "../../page/block-headers.js";
import { type Encryptor, rotnEncryptor } from "../../page/transform/index.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import { SoundImages } from "../../tree/image-check.js";
import { encryptedBlocks } from "../../tree/page-log/database.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { PageFault } from "../../tree/problem.js";
import { ReplaceError } from "./replace-error.js";
import type { ReplaceOptions, ReplaceTable } from "./replace-pages.js";

/** Encrypted pages of a table that are tried. */
const TRIED = 8;

export type EncryptionOptions = Pick<
  ReplaceOptions,
  "encryptor" | "rotnKeyId" | "compressor" | "selection"
> & {
  readonly tables: ReadonlyMap<bigint, ReplaceTable>;
};

/**
 * The encryptor of the pages whose tables name none: the one that is given, or found by evidence; undefined when no
 * page is encrypted.
 * @throws ReplaceError when a table's pages are encrypted and none of the first ones can be opened
 */
export function databaseEncryptor(log: PageLog, options: EncryptionOptions): Encryptor | undefined {
  const images = new SoundImages(options, () => encryptedBlocks(log));
  const tables = new Map<bigint, { tried: number; opened: boolean; reason: string }>();
  for (const record of log.records()) {
    const { tableId } = record;
    const state = tables.get(tableId) ?? { tried: 0, opened: false, reason: "" };
    if (state.tried === TRIED || !isSelected(record, options) || !isEncrypted(record)) continue;
    tables.set(tableId, state);
    state.tried++;
    const table = options.tables.get(tableId) ?? { compressor: "", encryptor: "" };
    const source = new PageLogSource(log, { tableId, collator: "", ...table }, images);
    const fault = faultOf(source, { ...record, data: record.data.slice() });
    if (fault === undefined) state.opened = true;
    else state.reason ||= fault.message;
  }
  const { encryptor, rotnKeyId } = options;
  const isGiven = encryptor !== undefined || rotnKeyId !== undefined;
  for (const [tableId, { opened, reason }] of tables)
    if (!opened) {
      const why = isGiven ? "no page makes sense with the key that was given" : reason;
      throw new ReplaceError(`table ${tableId} is encrypted: ${why}; nothing was written`);
    }
  if (tables.size === 0) return encryptor;
  return encryptor ?? (rotnKeyId === undefined ? images.databaseEncryptor : rotnEncryptor(rotnKeyId));
}

const isSelected = ({ tableId }: PageRecord, { selection }: EncryptionOptions): boolean =>
  "minDeltas" in selection || selection.tableId === tableId;

/** Damaged blocks tell nothing. */
function isEncrypted({ data, discarded }: PageRecord): boolean {
  if (discarded) return false;
  try {
    const { encrypted, checksum } = readBlockHeaders(data);
    return encrypted && checksum.valid;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

function faultOf(source: PageLogSource, record: PageRecord): PageFault | undefined {
  try {
    source.partOf(record);
    return undefined;
  } catch (error) {
    if (error instanceof PageFault) return error;
    throw error;
  }
}
