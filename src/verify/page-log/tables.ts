/** What is known of the tables of a page log, from the shared metadata. */
import type { FindingPlace } from "../rule.js";
import type { TreeTable } from "./tree.js";

export interface TableInfo extends TreeTable {
  /** `file:x.wt_stable` */
  readonly uri: string;
  /** Where its metadata row is. */
  readonly place: FindingPlace;
  /** Cookie of the table's newest checkpoint; undefined for a table without rows. */
  readonly cookie: Uint8Array | undefined;
  /** Its metadata row has a checkpoint, be it one without an address. */
  readonly hasCheckpoint: boolean;
  /** The next page id the tree will give out; undefined where its checkpoint does not say. */
  readonly nextPageId: bigint | undefined;
}

export class TableDirectory {
  private readonly tables = new Map<bigint, TableInfo>();

  /** The first one of an id counts. */
  add(table: TableInfo): void {
    if (!this.tables.has(table.tableId)) this.tables.set(table.tableId, table);
  }
  get(tableId: bigint): TableInfo | undefined {
    return this.tables.get(tableId);
  }
  name(tableId: bigint): string | undefined {
    return this.tables.get(tableId)?.uri;
  }
  all(): IterableIterator<TableInfo> {
    return this.tables.values();
  }
}
