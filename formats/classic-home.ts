/** Files of a classic home, by name (formats: classic file format §5). */

/** Metadata row of the metadata file itself: in the turtle file. */
export const METADATA_URI = "file:WiredTiger.wt";
/** Metadata row of the history store. */
export const HISTORY_STORE_URI = "file:WiredTigerHS.wt";

export type ClassicFileRole =
  /** `WiredTiger`: the version text. */
  | "version"
  | "lock"
  | "turtle"
  /** `WiredTiger.wt`: the table of all tables. */
  | "metadata"
  /** `WiredTigerHS.wt`. */
  | "history"
  /** `WiredTigerLAS.wt` of 3.2: empty when closed. */
  | "lookaside"
  | "base-config"
  /** Text key/value lines of metadata: of a hot backup, an incremental one, an export. */
  | "backup-metadata"
  | "log"
  /** Log files made ready for use, or in the making. */
  | "spare-log"
  | "table"
  /** `.wt_ingest`: local part of a layered table. */
  | "ingest-table";

const NAMES: Readonly<Record<string, ClassicFileRole>> = {
  WiredTiger: "version",
  "WiredTiger.lock": "lock",
  "WiredTiger.turtle": "turtle",
  "WiredTiger.wt": "metadata",
  "WiredTigerHS.wt": "history",
  "WiredTigerLAS.wt": "lookaside",
  "WiredTiger.basecfg": "base-config",
  "WiredTiger.backup": "backup-metadata",
  "WiredTiger.ibackup": "backup-metadata",
  "WiredTiger.export": "backup-metadata",
};
const PATTERNS: ReadonlyArray<readonly [RegExp, ClassicFileRole]> = [
  [/^WiredTigerLog\.\d+$/, "log"],
  [/^WiredTiger(?:Preplog|Tmplog)\.\d+$/, "spare-log"],
  [/\.wt$/, "table"],
  [/\.wt_ingest$/, "ingest-table"],
];

/** What a file of a home is for; undefined for one that is none of its own. */
export const classicFileRole = (name: string): ClassicFileRole | undefined =>
  Object.hasOwn(NAMES, name) ? NAMES[name] : PATTERNS.find(([pattern]) => pattern.test(name))?.[1];
