import type { Rule, RuleInfo, Subject } from "../../rule.js";

/** The first allocation unit of a file. */
export const descriptionRule: RuleInfo = {
  code: "file-description",
  severity: "error",
  title: "a file begins with a sound description block",
  doc: "Magic number, version and a checksum over the whole allocation unit (classic file format §1). The engine opens no file without it.",
};

/** The cookie of a checkpoint. */
export const checkpointCookieRule: RuleInfo = {
  code: "checkpoint-cookie",
  severity: "error",
  title: "every checkpoint's cookie can be read",
  doc: "Four addresses and two sizes in hex (address and checkpoint cookies §4).",
};

/** An extent list of a checkpoint. */
export const extentRule: RuleInfo = {
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

export const fileSizeRule: Rule<FileSizeSubject> = {
  code: "file-size",
  severity: "error",
  title: "a file is as long as its newest checkpoint says",
  doc: "The cookie holds the file's length in bytes; blocks behind the end are gone (classic file format §3).",
  check({ size, expected }, found) {
    if (size < expected)
      found({
        offset: size,
        message: `the file ends at ${size}, ${expected - size} bytes before the end its newest checkpoint names`,
        expected,
        actual: size,
        consequence: "every block in the missing part is lost",
      });
  },
};

export const fileTailRule: Rule<FileSizeSubject> = {
  code: "file-tail",
  severity: "info",
  title: "nothing lies behind the end of the newest checkpoint",
  doc: "Bytes there were written for a checkpoint that never completed; the engine truncates them when it opens the file (repair writes §2).",
  check({ size, expected }, found) {
    if (size > expected)
      found({
        offset: expected,
        message: `${size - expected} bytes behind the newest checkpoint`,
        expected,
        actual: size,
      });
  },
};
