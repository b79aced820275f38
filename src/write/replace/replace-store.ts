/** A new page log beside a given one, with chains replaced by images. */
import { renameSync, rmSync } from "node:fs";
import { installNodeAccelerators } from "../../platform/node.js";
import { copyPageLog } from "../../store/copy.js";
import { detectInput } from "../../store/detect.js";
import { InputError } from "../../store/input-error.js";
import { exportPageLog } from "../../store/jsonl-writer.js";
import { isPageLogKind, openDetectedPageLog } from "../../store/open.js";
import type { PageLog } from "../../store/types.js";
import { openDatabase } from "../../tree/open.js";
import { TreeError } from "../../tree/problem.js";
import type { DatabaseOptions, TableInfo } from "../../tree/types.js";
import { databaseEncryptor } from "./encryption.js";
import { ReplaceError } from "./replace-error.js";
import {
  type ReplacedChain,
  type ReplaceSelection,
  type ReplaceTable,
  replacePages,
} from "./replace-pages.js";
import type { ReplacementEncoding } from "./replacement.js";

/** Which chains, with the table as the caller names it. */
export type WantedChains =
  | { readonly minDeltas: number }
  | { readonly table: string; readonly pageId: bigint; readonly lsn?: bigint | undefined };

export interface ReplaceStoreOptions extends DatabaseOptions {
  readonly encoding: ReplacementEncoding;
  readonly wanted: WantedChains;
  /** What the new page log is kept in; PALite keeps no checkpoint ids (default: as the given one, or JSON lines). */
  readonly outputKind?: OutputKind | undefined;
}

export type OutputKind = "palite" | "page-log-jsonl";

/** A chain that was to be replaced, and why it stays as it is. */
export interface KeptChain {
  readonly tableId: bigint;
  readonly pageId: bigint;
  readonly lsn: bigint;
  readonly reason: string;
}

export { ReplaceError } from "./replace-error.js";

export interface ReplaceReport {
  /** Of encrypted pages. */
  readonly encryptor?: string;
  readonly chains: readonly ReplacedChain[];
  readonly kept: readonly KeptChain[];
}

/**
 * Writes the page log at `path`, with chains replaced, to the directory `output`, which appears whole or not at
 * all.
 * @throws InputError, ReplaceError, PageLogError `io`
 */
export function replaceStore(path: string, output: string, options: ReplaceStoreOptions): ReplaceReport {
  installNodeAccelerators();
  const input = detectInput(path, options.kind);
  if (!isPageLogKind(input.kind))
    throw new InputError("input-unknown", path, `a ${input.kind} has no chains of records`);
  const infos = tableInfos(path, options);
  const log = openDetectedPageLog(input);
  try {
    const selection = selectionOf(log, options.wanted, infos);
    const tables = new Map<bigint, ReplaceTable>();
    for (const { id, compressor, encryptor } of infos)
      if (id !== undefined) tables.set(id, { compressor, encryptor });
    const encryptor = databaseEncryptor(log, { ...options, selection, tables });
    const chains: ReplacedChain[] = [];
    const kept: KeptChain[] = [];
    const contents = replacePages(log, {
      ...options,
      selection,
      tables,
      encryptor,
      onReplaced: (chain) => chains.push(chain),
      onFault: ({ message, place: { tableId = 0n, pageId = 0n, lsn = 0n } }) => {
        if (!("minDeltas" in selection))
          throw new ReplaceError(`table ${tableId}, page ${pageId}, LSN ${lsn}: ${message}`);
        kept.push({ tableId, pageId, lsn, reason: message });
      },
    });
    const partial = `${output}.${process.pid}.partial`;
    try {
      const kind = options.outputKind ?? (log.kind === "palite" ? "palite" : "page-log-jsonl");
      if (kind === "palite") copyPageLog(contents, partial);
      else exportPageLog(contents, partial);
      renameSync(partial, output);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
    return { chains, kept, ...(encryptor === undefined ? {} : { encryptor: encryptor.name }) };
  } finally {
    log.close();
  }
}

/** What is known of the tables; nothing where no checkpoint leads to them. */
function tableInfos(path: string, options: DatabaseOptions): readonly TableInfo[] {
  const database = openDatabase(path, options);
  try {
    return database.tables();
  } catch (error) {
    if (error instanceof TreeError) return [];
    throw error;
  } finally {
    database.close();
  }
}

function selectionOf(log: PageLog, wanted: WantedChains, infos: readonly TableInfo[]): ReplaceSelection {
  if ("minDeltas" in wanted) return wanted;
  const { pageId, lsn } = wanted;
  const tableId = tableIdOf(wanted.table, infos);
  const ends = chainEnds(log, tableId, pageId);
  const place = `table ${tableId}, page ${pageId}`;
  if (ends.length === 0) throw new ReplaceError(`${place}: no completed checkpoint has a record of it`);
  if (lsn !== undefined && !ends.includes(lsn))
    throw new ReplaceError(
      `${place}: LSN ${lsn} is not the last record of a chain: addresses of later deltas lead past it. Chains end at ${ends.join(", ")}`,
    );
  return { tableId, pageId, lsn: lsn ?? (ends.at(-1) as bigint) };
}

function tableIdOf(name: string, infos: readonly TableInfo[]): bigint {
  const names = (info: TableInfo): string[] => [
    info.uri,
    info.name,
    info.name.replace(/^[a-z]+:/, ""),
    info.uri.replace(/^file:/, ""),
  ];
  const id = infos.find((info) => names(info).includes(name))?.id;
  if (id !== undefined) return id;
  if (/^\d{1,19}$/.test(name)) return BigInt(name);
  const known = infos.map((info) => info.name).slice(0, 20);
  throw new ReplaceError(`no table ${name}; there are ${known.join(", ") || "none"}`);
}

/** LSNs of the last records of a page's chains, oldest first, up to the newest checkpoint. */
function chainEnds(log: PageLog, tableId: bigint, pageId: bigint): bigint[] {
  const limit = log.checkpoints().at(-1)?.lsn;
  const ends: bigint[] = [];
  for (const record of log.records()) {
    if (record.tableId > tableId) break;
    if (record.tableId !== tableId || record.pageId !== pageId || record.discarded) continue;
    if (limit !== undefined && record.lsn > limit) continue;
    if (record.isDelta) ends.pop();
    ends.push(record.lsn);
  }
  return ends;
}
