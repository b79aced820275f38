/** The tables of a page log at its checkpoints. */
import { specialTables } from "../../../formats/disagg-tables.js";
import { FormatError } from "../../codec/error.js";
import { type BlockHeaders, readBlockHeaders } from "../../page/block-headers.js";
import type { EncryptedSample } from "../../page/images.js";
import type { CheckpointRecord, PageLog } from "../../store/types.js";
import { Catalog, type CatalogEntry, readCatalog } from "../catalog.js";
import { SoundImages } from "../image-check.js";
import { type PageVersion, versionOf } from "../page-history.js";
import { TreeError } from "../problem.js";
import { TreeTable } from "../table.js";
import type {
  CheckpointInfo,
  Database,
  DatabaseOptions,
  Table,
  TableInfo,
  TableSize,
  TreeProblem,
} from "../types.js";
import {
  type FallbackRoot,
  followCheckpoint,
  lastPages,
  type MetadataRoot,
  metadataTableIds,
  newestCheckpoint,
  refuseNewerCheckpoint,
  rootLsn,
} from "./checkpoint.js";
import { PageLogSource } from "./source.js";

const { sharedMetadata, sharedHistoryStore } = specialTables;

interface OpenCheckpoint {
  readonly info: CheckpointInfo;
  readonly catalog: Catalog;
}

export class PageLogDatabase implements Database {
  readonly problems: TreeProblem[] = [];
  private readonly images: SoundImages;
  private readonly records: readonly CheckpointRecord[];
  private readonly infos: readonly CheckpointInfo[];
  private newestIndex: number | undefined;
  private sizesById: ReadonlyMap<bigint, TableSize> | undefined;
  private readonly opened = new Map<CheckpointInfo, OpenCheckpoint>();

  constructor(
    private readonly store: PageLog,
    readonly path: string,
    options: DatabaseOptions,
  ) {
    this.images = new SoundImages(options, () => encryptedBlocks(store));
    this.records = store.checkpoints();
    this.infos = this.records.map(({ lsn, checkpointId, timestamp }, index) => ({
      name: `checkpoint at LSN ${lsn}`,
      lsn,
      number: checkpointId ?? BigInt(index + 1),
      timestamp,
    }));
  }

  get kind(): PageLog["kind"] {
    return this.store.kind;
  }

  checkpoints(): readonly CheckpointInfo[] {
    return this.infos;
  }

  tables(checkpoint?: string): TableInfo[] {
    const open = this.open(checkpoint);
    const sizes = this.sizes();
    return open.catalog.entries().map((entry) => {
      const info = tableInfo(entry, open.info);
      return { ...info, size: info.id === undefined ? undefined : sizes.get(info.id) };
    });
  }

  table(name: string, checkpoint?: string): Table {
    const open = this.open(checkpoint);
    const entry = open.catalog.find(name);
    if (entry === undefined) {
      throw new TreeError("no-table", open.catalog.unknownName(name));
    }
    return this.tableOf(entry, open);
  }

  *pageHistory(name: string, pageId: bigint, checkpoint?: string): Generator<PageVersion> {
    const { tableId, open } = this.historySource(name, checkpoint);
    for (const record of this.store.records()) {
      if (record.tableId > tableId) return;
      if (record.tableId !== tableId || record.pageId !== pageId) continue;
      yield versionOf(record, open);
    }
  }

  /** Of a table of the metadata by name or id; of another id, whatever the log has of it. */
  private historySource(
    name: string,
    checkpoint: string | undefined,
  ): { tableId: bigint; open: Parameters<typeof versionOf>[1] } {
    const wanted = /^\d{1,20}$/.test(name) ? BigInt(name) : undefined;
    const catalog = this.catalogAt(checkpoint, wanted !== undefined);
    const entry =
      catalog?.find(name) ??
      catalog?.entries().find(({ config }) => wanted !== undefined && config.id === wanted);
    if (entry === undefined && wanted === undefined)
      throw new TreeError("no-table", catalog?.unknownName(name) ?? `no table ${name}`);
    const tableId = entry === undefined ? (wanted as bigint) : (entry.config.id ?? 0n);
    const plain = isPlainTable(tableId);
    const known = { tableId, compressor: "", encryptor: "", collator: "" };
    const source =
      entry === undefined ? new PageLogSource(this.store, known, this.images) : this.sourceOf(entry);
    return { tableId, open: plain ? () => undefined : (record) => source.partOf(record) };
  }

  /** Records of a given id can be shown without any checkpoint. */
  private catalogAt(checkpoint: string | undefined, optional: boolean): Catalog | undefined {
    if (optional && checkpoint === undefined && this.infos.length === 0) return undefined;
    return this.open(checkpoint).catalog;
  }

  close(): void {
    this.store.close();
  }

  /** Reads every record once. */
  private sizes(): ReadonlyMap<bigint, TableSize> {
    if (this.sizesById !== undefined) return this.sizesById;
    const sizes = new Map<bigint, { bytes: number; pages: number; records: number; last: bigint }>();
    for (const { tableId, pageId, data } of this.store.records()) {
      const size = sizes.get(tableId) ?? { bytes: 0, pages: 0, records: 0, last: 0n };
      sizes.set(tableId, size);
      if (size.records === 0 || size.last !== pageId) size.pages++;
      size.last = pageId;
      size.records++;
      size.bytes += data.length;
    }
    this.sizesById = new Map([...sizes].map(([id, { last: _, ...size }]) => [id, size]));
    return this.sizesById;
  }

  private tableOf(entry: CatalogEntry, open: OpenCheckpoint): Table {
    const { config } = entry;
    return new TreeTable({
      info: tableInfo(entry, open.info),
      checkpoint: open.info,
      source: this.sourceOf(entry, open.info.lsn),
      root: config.checkpoints.at(-1)?.cookie,
      problems: cookieProblems(entry, this.store.path),
      history: () => {
        const history = open.catalog.find(sharedHistoryStore.uri);
        return (
          history && {
            source: this.sourceOf(history, open.info.lsn),
            root: history.config.checkpoints.at(-1)?.cookie,
          }
        );
      },
    });
  }

  private sourceOf(
    { config: { id, compressor, encryptor, collator } }: CatalogEntry,
    lsn?: bigint,
  ): PageLogSource {
    // A table without an id has no pages: no record has this one.
    const tableId = id ?? 0n;
    return new PageLogSource(this.store, { tableId, compressor, encryptor, collator, lsn }, this.images);
  }

  /** A checkpoint by LSN or number; the newest one when none is named. */
  private open(name: string | undefined): OpenCheckpoint {
    const index = name === undefined ? this.newest() : this.indexOf(name);
    const info = this.infos[index];
    if (info === undefined) throw new TreeError("no-checkpoint", "the page log has no complete checkpoint");
    const known = this.opened.get(info);
    if (known !== undefined) return known;
    const open = this.read(info, this.records[index] as CheckpointRecord);
    this.opened.set(info, open);
    return open;
  }

  private newest(): number {
    if (this.newestIndex !== undefined) return this.newestIndex;
    const { records } = this;
    const index = newestCheckpoint(records);
    this.reportLostCheckpoints(index);
    const last = records.at(-1);
    if (last !== undefined && records[index] !== last)
      this.report(
        "the checkpoint with the highest LSN has an older turtle page than another one, which is taken",
        {
          path: last.place.file,
          lsn: last.lsn,
        },
      );
    this.newestIndex = index;
    return index;
  }

  private indexOf(name: string): number {
    const wanted = /^(?:lsn[:=]?)?(\d{1,20})$/.exec(name);
    const value = BigInt(wanted?.[1] ?? -1);
    const byNumber = this.infos.findIndex(({ number }) => number === value);
    const byLsn = this.infos.findIndex(({ lsn }) => lsn === value);
    const index = name.startsWith("lsn") ? byLsn : byNumber === -1 ? byLsn : byNumber;
    if (index !== -1) return index;
    const known = this.infos.slice(-20).map(({ number, lsn }) => `${number} (LSN ${lsn})`);
    throw new TreeError("no-checkpoint", `no checkpoint ${name}; there are ${known.join(", ") || "none"}`);
  }

  /** The store counts the checkpoints it completed: what it shows may not be its newest state. */
  private reportLostCheckpoints(index: number): void {
    const { checkpointCompleted: completed = 0n } = this.store.globals;
    const newest = this.records[index];
    const id = newest === undefined ? 0n : newest.checkpointId;
    if (id === undefined || id >= completed) return;
    const there = newest === undefined ? "there is no checkpoint record" : `the newest record is of ${id}`;
    this.report(`the store completed checkpoint ${completed}, and ${there}: newer rows are lost`, {
      path: this.store.path,
      ...(newest === undefined ? {} : { lsn: newest.lsn }),
    });
  }

  private read(info: CheckpointInfo, record: CheckpointRecord): OpenCheckpoint {
    refuseNewerCheckpoint(this.store, record);
    const target = followCheckpoint(this.store, record);
    // Where the record does not tell, its own LSN does: it completes the checkpoint of an older turtle page.
    const { turtleLsn = record.lsn } = target;
    const named = "root" in target ? this.readMetadata(target.root, this.problems) : undefined;
    if (named !== undefined && !(named.damaged && named.catalog.isEmpty))
      return { info, catalog: this.completed(named, record.lsn, turtleLsn) };
    if (!("root" in target)) this.report(target.problem, target.place);
    const root = this.fallbackRoot(turtleLsn, "root" in target ? target.root : undefined);
    const found =
      root === undefined ? { catalog: new Catalog(), damaged: true } : this.readMetadata(root, this.problems);
    return { info, catalog: this.completed(found, record.lsn, turtleLsn) };
  }

  /** Tables whose metadata is lost are taken from an older checkpoint; their pages tell their roots. */
  private completed({ catalog, damaged }: ReadMetadata, newest: bigint, turtleLsn: bigint): Catalog {
    if (!damaged) return catalog;
    for (const record of this.records.toReversed()) {
      const target = record.lsn < newest ? followCheckpoint(this.store, record) : undefined;
      if (target === undefined || !("root" in target) || target.root === undefined) continue;
      const older = this.readMetadata(target.root, []);
      if (older.damaged) continue;
      this.adoptLost(catalog, older.catalog, record.lsn, turtleLsn);
      break;
    }
    return catalog.finish();
  }

  private adoptLost(catalog: Catalog, older: Catalog, olderLsn: bigint, turtleLsn: bigint): void {
    const lost = older.entries().filter(({ config }) => !catalog.has(config.uri));
    const ids = new Set(lost.flatMap(({ config }) => config.id ?? []));
    const roots = lastPages(this.store, ids, turtleLsn, "internal");
    for (const { config } of lost) {
      const root = config.id === undefined ? undefined : roots.get(config.id);
      const { name = "", order = 0n, cookie } = config.checkpoints.at(-1) ?? {};
      const checkpoint = { name, order, cookie: root?.cookie ?? cookie, addressOffset: 0 };
      catalog.adopt({ ...config, checkpoints: [checkpoint] }, older);
      this.report(
        `the metadata of ${config.uri} is lost: that of the checkpoint at LSN ${olderLsn} is taken, and the last ` +
          "internal page of the table for its root",
        { path: this.store.path, ...(root === undefined ? {} : { tableId: root.tableId, lsn: root.lsn }) },
      );
    }
  }

  private report(message: string, place: TreeProblem["place"]): void {
    this.problems.push({ code: "metadata", message, table: "", place });
  }

  /** The tables of a root. */
  private readMetadata(root: MetadataRoot | undefined, met: TreeProblem[]): ReadMetadata {
    if (root === undefined) return { catalog: new Catalog(), damaged: false };
    const config = { tableId: root.tableId, compressor: "", encryptor: "", collator: "" };
    const own: TableInfo = { ...metadataInfo(root.tableId), checkpoints: [] };
    const problems: TreeProblem[] = [];
    const table = new TreeTable({
      info: own,
      checkpoint: undefined,
      source: new PageLogSource(this.store, config, this.images),
      root: root.cookie,
      problems: [],
      history: () => undefined,
    });
    const onProblem = (problem: TreeProblem): void => void problems.push(problem);
    const catalog = readCatalog(table.rows({ onProblem }), this.store.path, onProblem);
    met.push(...problems);
    const damaged = problems.some(({ code }) => code !== "page-too-new");
    if (!damaged || !catalog.isEmpty) catalog.addFile(metadataConfig(root));
    return { catalog: catalog.finish(), damaged };
  }

  /**
   * The last page of the shared metadata before the turtle page, unless it is the one that is named. Where that is a
   * leaf, the root is lost, and other leaves with it.
   */
  private fallbackRoot(turtleLsn: bigint, named: MetadataRoot | undefined): MetadataRoot | undefined {
    const ids = new Set(metadataTableIds);
    for (const record of this.records) {
      const other = followCheckpoint(this.store, record);
      if ("root" in other && other.root !== undefined) ids.add(other.root.tableId);
    }
    const pages = [...lastPages(this.store, ids, turtleLsn, "any").values()];
    const root = pages.reduce<FallbackRoot | undefined>(
      (last, one) => (last === undefined || one.lsn > last.lsn ? one : last),
      undefined,
    );
    if (root === undefined || (named !== undefined && rootLsn(named) === root.lsn)) return undefined;
    this.report("the last page of the shared metadata before the turtle page is taken for its root", {
      path: this.store.path,
      tableId: root.tableId,
      lsn: root.lsn,
    });
    return root;
  }
}

interface ReadMetadata {
  readonly catalog: Catalog;
  /** Some of its pages or rows cannot be read. */
  readonly damaged: boolean;
}

/** Tables whose pages are no blocks: turtle and key provider. Of their pages only the attributes are shown. */
const isPlainTable = (tableId: bigint): boolean =>
  [specialTables.turtle, specialTables.keyProvider].some(({ ids }) =>
    (ids as readonly bigint[]).includes(tableId),
  );

const metadataInfo = (id: bigint): Omit<TableInfo, "checkpoints"> => ({
  uri: sharedMetadata.uri,
  name: sharedMetadata.uri,
  id,
  keyFormat: "S",
  valueFormat: "S",
  compressor: "",
  encryptor: "",
  collator: "",
});

const metadataConfig = ({ tableId, cookie }: MetadataRoot): CatalogEntry["config"] => ({
  ...metadataInfo(tableId),
  file: sharedMetadata.uri.replace(/^file:/, ""),
  allocationSize: undefined,
  checkpoints: [{ name: "", cookie, addressOffset: 0, order: 0n }],
});

function tableInfo({ config, name }: CatalogEntry, checkpoint: CheckpointInfo): TableInfo {
  const { uri, id, keyFormat, valueFormat, compressor, encryptor, collator, checkpoints } = config;
  const own = checkpoints.map((entry) => ({
    name: entry.name,
    number: entry.order,
    ...(checkpoint.lsn === undefined ? {} : { lsn: checkpoint.lsn }),
  }));
  return { uri, name, id, keyFormat, valueFormat, compressor, encryptor, collator, checkpoints: own };
}

function cookieProblems({ config }: CatalogEntry, path: string): TreeProblem[] {
  const error = config.checkpoints.at(-1)?.error;
  if (error === undefined) return [];
  const message = `the address of the root is no hex text: ${error.message}`;
  return [{ code: "address", message, table: config.uri, place: { path }, lost: {} }];
}

/** Blocks to find the key of an encryptor by. */
export function* encryptedBlocks(store: PageLog): Generator<EncryptedSample> {
  for (const { data: bytes } of store.records()) {
    const headers = soundHeaders(bytes);
    if (headers?.encrypted !== true) continue;
    const { compressed, encrypted, payload, header } = headers;
    yield {
      bytes,
      shape: { combinedHeaderSize: payload, memSize: header.memSize, compressed, encrypted },
    };
  }
}

function soundHeaders(bytes: Uint8Array): BlockHeaders | undefined {
  try {
    const headers = readBlockHeaders(bytes);
    return headers.checksum.valid ? headers : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
