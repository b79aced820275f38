/** The shared metadata of one checkpoint: its rows, and the tables they tell of. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { hasStop } from "../../../formats/time-window.js";
import { parseConfig } from "../../codec/config.js";
import { configGetStruct, configGetText } from "../../codec/config-edit.js";
import { parseSigned64 } from "../../codec/config-scalar.js";
import { FormatError } from "../../codec/index.js";
import { decodeText } from "../../codec/text.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { readTableConfig } from "../../tree/table-config.js";
import type { PagePlace } from "../../tree/types.js";
import { pageRows, TreeWalk } from "../../tree/walk.js";
import { readAs } from "../generation.js";
import { type MetadataRow, MetadataSubject } from "../metadata.js";
import type { FindingPlace } from "../rule.js";
import { metadataDuplicateId } from "../rules/metadata/metadata-duplicate-id.js";
import { metadataNamespace } from "../rules/metadata/metadata-namespace.js";
import { metadataReferences } from "../rules/metadata/metadata-reference.js";
import { metadataRowConfig } from "../rules/metadata/metadata-row-config.js";
import { addressFormat } from "../rules/page-log/address-cookie.js";
import type { TableInfo } from "./tables.js";
import type { TreeContext } from "./tree.js";

const { sharedMetadata } = specialTables;
/** The shared metadata's table id in every store of mid-2025. */
const OLD_SHARED_METADATA = 9n;
const KNOWN_IDS: readonly bigint[] = [...sharedMetadata.ids, OLD_SHARED_METADATA];

export interface SharedMetadata {
  readonly tables: readonly TableInfo[];
  /** False when pages of it cannot be read: tables may be missing. */
  readonly whole: boolean;
}

export class SharedMetadataReader {
  /** Roots that are in the log under no known id, by page id and LSN; made when first needed. */
  private elsewhere: ReadonlyMap<string, bigint> | undefined;

  constructor(
    private readonly context: TreeContext,
    /** Every root any checkpoint names. */
    private readonly roots: readonly Uint8Array[],
  ) {}

  /** Old stores do not say which table the shared metadata is: page id and LSN of the root tell. */
  tableOf(root: Uint8Array): bigint | undefined {
    const at = this.rootPlace(root);
    if (at === undefined) return undefined;
    const { store } = this.context;
    const known = KNOWN_IDS.find((id) => store.record(id, at.pageId, at.lsn) !== undefined);
    if (known !== undefined) return known;
    this.elsewhere ??= this.findRoots();
    return this.elsewhere.get(rootKey(at));
  }

  private rootPlace(root: Uint8Array): RootPlace | undefined {
    const reading = addressCookie.read(root, readAs(this.context.run.forced.cookie));
    return reading.ok && reading.value.generation !== "A" ? reading.value : undefined;
  }

  /** Looks at every record once, for all roots. */
  private findRoots(): ReadonlyMap<string, bigint> {
    const wanted = new Set(this.roots.flatMap((root) => this.rootPlace(root) ?? []).map(rootKey));
    const found = new Map<string, bigint>();
    for (const record of this.context.store.records()) {
      const key = rootKey(record);
      if (wanted.has(key)) found.set(key, record.tableId);
    }
    return found;
  }

  /** The tables at a checkpoint; `place` is the turtle page's. Rows are checked once a root. */
  read(tableId: bigint, root: Uint8Array, place: FindingPlace): SharedMetadata {
    const { run } = this.context;
    let whole = true;
    const rows = this.rows(tableId, root, () => {
      whole = false;
    });
    if (!whole)
      run.unchecked(
        place,
        "not all of the shared metadata can be read: tables may be missing from this check",
      );
    return { tables: this.tables(rows, place), whole };
  }

  private rows(tableId: bigint, root: Uint8Array, onProblem: () => void): MetadataRow[] {
    const { store, images } = this.context;
    const source = new PageLogSource(store, { tableId, compressor: "", encryptor: "", collator: "" }, images);
    const walk = new TreeWalk(source, { table: sharedMetadata.uri, report: onProblem });
    const rows: MetadataRow[] = [];
    for (const { page } of walk.leaves(root))
      for (const { key, data, window } of pageRows(page.parts)) {
        if (key === undefined || (window !== undefined && hasStop(window))) continue;
        const terminated = key.at(-1) === 0 && data.at(-1) === 0;
        rows.push({ uri: textOf(key), value: textOf(data), terminated, place: placeOf(page.place) });
      }
    return rows;
  }

  private tables(rows: readonly MetadataRow[], place: FindingPlace): TableInfo[] {
    const ids = new Map<string, bigint>();
    const tables: TableInfo[] = [];
    for (const row of rows) {
      const table = row.uri.startsWith("file:") ? this.tableOfRow(row) : undefined;
      if (table === undefined) continue;
      ids.set(table.uri, table.tableId);
      tables.push(table);
    }
    this.context.run.findings.check(
      [metadataRowConfig, metadataDuplicateId, metadataNamespace, metadataReferences],
      new MetadataSubject(rows, ids, place, "shared"),
    );
    return tables;
  }

  private tableOfRow({ uri, value, place }: MetadataRow): TableInfo | undefined {
    try {
      const { id, compressor, encryptor, collator, checkpoints } = readTableConfig(uri, value);
      const newest = checkpoints.at(-1);
      this.reportRow({ ...place, table: uri }, id, newest?.error);
      if (id === undefined) return undefined;
      return {
        uri,
        tableId: id,
        compressor,
        encryptor,
        collator,
        place,
        cookie: newest?.cookie,
        hasCheckpoint: newest !== undefined,
        nextPageId: newest === undefined ? undefined : nextPageId(value, newest.name),
      };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return undefined;
    }
  }

  private reportRow(place: FindingPlace, id: bigint | undefined, error: FormatError | undefined): void {
    const { run } = this.context;
    const consequence = `${place.table} cannot be opened`;
    if (error !== undefined)
      run.findings.add(addressFormat, place, {
        field: "addr",
        message: `addr= of the newest checkpoint of ${place.table} is no hex text: ${error.message}`,
        consequence,
      });
    if (id === undefined)
      run.findings.add(metadataRowConfig, place, {
        field: "id",
        message: `${place.table} has no id`,
        consequence,
      });
    if (error !== undefined || id === undefined) run.complete = false;
  }
}

interface RootPlace {
  readonly pageId: bigint;
  readonly lsn: bigint;
}

const rootKey = ({ pageId, lsn }: RootPlace): string => `${pageId}/${lsn}`;

/** `next_page_id=` of a checkpoint in a `file:` row. */
function nextPageId(text: string, checkpoint: string): bigint | undefined {
  const list = configGetStruct(parseConfig(text), ["checkpoint", checkpoint]);
  const number = list === undefined ? undefined : configGetText(list, ["next_page_id"]);
  try {
    return number === undefined ? undefined : parseSigned64(number);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);

const placeOf = ({ path, offset, tableId, pageId, lsn }: PagePlace): FindingPlace => ({
  path,
  ...(offset === undefined ? {} : { offset }),
  ...(tableId === undefined ? {} : { tableId }),
  ...(pageId === undefined ? {} : { pageId }),
  ...(lsn === undefined ? {} : { lsn }),
});
