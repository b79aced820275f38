/** Rows of a metadata table as the rules see them, classic and shared alike. */
import { parseConfigPrefix } from "../codec/config.js";
import { configGetText } from "../codec/config-edit.js";
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

/**
 * Whether a `file:` row is of a table whose pages are in a page log: the stable side of a layered table, whose
 * `block_manager` says `default`, or one that was made there directly.
 */
export function isInPageLog({ uri, value }: Pick<MetadataRow, "uri" | "value">): boolean {
  return (
    uri.endsWith(".wt_stable") || configGetText(parseConfigPrefix(value), ["block_manager"]) === "disagg"
  );
}

export class MetadataSubject implements Subject {
  constructor(
    readonly rows: readonly MetadataRow[],
    /** btree id of each `file:` row whose configuration could be read. */
    readonly ids: ReadonlyMap<string, bigint>,
    private readonly home: FindingPlace,
    /** Whose metadata it is: a page log's, or a home's own. */
    readonly side: "shared" | "local",
  ) {}

  place(): FindingPlace {
    return this.home;
  }
}
