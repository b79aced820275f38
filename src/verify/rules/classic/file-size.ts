import type { Rule, Subject } from "../../rule.js";

export interface FileSizeSubject extends Subject {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes the newest checkpoint says it has. */
  readonly expected: number;
}

export const fileSize: Rule<FileSizeSubject> = {
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
