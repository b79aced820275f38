/** What is known of the tables of a page log: names and compressors, from the shared metadata. */
import type { TransformHint } from "../../page/images.js";

export interface TableInfo extends TransformHint {
  /** `file:x.wt_stable` */
  readonly uri: string;
  readonly tableId: bigint;
  /** Cookie of the table's newest checkpoint; undefined for a table without rows. */
  readonly cookie: Uint8Array | undefined;
  readonly checkpoint: string;
}

export class TableDirectory {
  private readonly tables = new Map<bigint, TableInfo>();

  add(table: TableInfo): void {
    this.tables.set(table.tableId, table);
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
