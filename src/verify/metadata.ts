/** Rows of a metadata table as the rules see them, classic and shared alike. */
import type { FindingPlace, Subject } from "./rule.js";

export interface MetadataRow {
  /** `file:x.wt`, `table:x`, `system:checkpoint`, … */
  readonly uri: string;
  /** Configuration text. */
  readonly value: string;
  /** False when the NUL behind key or value is missing; undefined: not looked at. */
  readonly terminated?: boolean;
  /** Where the row's page is. */
  readonly place: FindingPlace;
}

export class MetadataSubject implements Subject {
  constructor(
    readonly rows: readonly MetadataRow[],
    /** btree id of each `file:` row whose configuration could be read. */
    readonly ids: ReadonlyMap<string, bigint>,
    private readonly home: FindingPlace,
  ) {}

  place(): FindingPlace {
    return this.home;
  }
}
