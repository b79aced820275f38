/** Rows that wait to be inserted by one statement: a call of the library costs more than a small row does. */
import type { SqliteValue } from "./sqlite-connection.js";

/** Statements that insert so many rows at once, most first. */
export interface RowInsertion {
  readonly columns: number;
  readonly statements: ReadonlyArray<{ readonly rows: number; readonly sql: string }>;
}

/** Rows of one statement. */
const ROWS = [64, 8, 1] as const;
/** Data up to this size waits; what is larger does not gain by it. */
const SMALL = 2048;
const ARENA = ROWS[0] * SMALL;

/** The data is the last column. */
export function rowInsertion(table: string, columns: readonly string[]): RowInsertion {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const head = `INSERT INTO ${table} (${columns.join(", ")}) VALUES `;
  const sqlOf = (rows: number): string => head + Array<string>(rows).fill(row).join(", ");
  return { columns: columns.length, statements: ROWS.map((rows) => ({ rows, sql: sqlOf(rows) })) };
}

export class RowQueue {
  private insertion: RowInsertion | undefined;
  private values: SqliteValue[] = [];
  private rows = 0;
  /** Copies of the rows' data, which is the caller's. */
  private arena: Uint8Array | undefined;
  private used = 0;

  get isEmpty(): boolean {
    return this.rows === 0;
  }

  /** Whether a row can wait together with those that do already. */
  takes(insertion: RowInsertion, data: Uint8Array): boolean {
    return this.rows === 0 || (this.insertion === insertion && this.used + data.length <= ARENA);
  }

  /** `values`: all columns but the data. True: the queue is to be drained now, before the data changes. */
  add(insertion: RowInsertion, values: readonly SqliteValue[], data: Uint8Array): boolean {
    this.insertion = insertion;
    for (const value of values) this.values.push(value);
    const isSmall = data.length <= SMALL;
    this.values.push(isSmall ? this.copy(data) : data);
    return ++this.rows === ROWS[0] || !isSmall;
  }

  /** Empties itself. @throws what `execute` throws; the rest of the rows is gone then */
  drain(execute: (sql: string, values: SqliteValue[]) => void): void {
    const { insertion, values } = this;
    let left = this.rows;
    this.clear();
    if (insertion === undefined) return;
    for (let at = 0; left > 0; ) {
      const { rows, sql } = insertion.statements.find((one) => one.rows <= left) as {
        rows: number;
        sql: string;
      };
      const end = at + rows * insertion.columns;
      execute(sql, at === 0 && end === values.length ? values : values.slice(at, end));
      at = end;
      left -= rows;
    }
  }

  clear(): void {
    this.values = [];
    this.rows = this.used = 0;
  }

  private copy(data: Uint8Array): Uint8Array {
    this.arena ??= new Uint8Array(ARENA);
    const copy = this.arena.subarray(this.used, this.used + data.length);
    copy.set(data);
    this.used += data.length;
    return copy;
  }
}
