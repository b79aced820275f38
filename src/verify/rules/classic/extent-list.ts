import type { RuleInfo, Subject } from "../../rule.js";

/** An extent list of a checkpoint. */
export const extentListFormat: RuleInfo = {
  code: "extent-list",
  severity: "error",
  title: "extent lists are sound",
  doc: "Extents lie inside the file, on allocation units, do not overlap and ascend (classic file format §3).",
};

export interface FileSizeSubject extends Subject {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes the newest checkpoint says it has. */
  readonly expected: number;
}
