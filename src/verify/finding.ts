/** What verification says: one finding, one place, one stable code. */
import type { Severity } from "../codec/schema.js";

export interface Finding {
  /** Stable kebab-case code of the rule, e.g. `block-checksum`. */
  readonly code: string;
  readonly severity: Severity;
  /** Input file, or file below the input directory. */
  readonly path: string;
  /** Byte offset in that file. */
  readonly offset?: number;
  /** Line in that file, 1-based, where it is text. */
  readonly line?: number;
  /** Field path inside the structure, e.g. `cells[3].length`. */
  readonly field?: string;
  readonly table?: string;
  readonly tableId?: bigint;
  readonly pageId?: bigint;
  readonly lsn?: bigint;
  readonly checkpoint?: string;
  readonly message: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
  /** What it means for the data: which table, how many pages or rows. */
  readonly consequence?: string;
  readonly hint?: string;
}
