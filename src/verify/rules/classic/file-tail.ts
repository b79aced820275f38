import type { Rule } from "../../rule.js";
import type { FileSizeSubject } from "./file-size.js";

export const fileTail: Rule<FileSizeSubject> = {
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
