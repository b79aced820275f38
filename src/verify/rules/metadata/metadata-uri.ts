import { isObjectUri } from "../../../../formats/metadata-row.js";
import { parseConfigPrefix } from "../../../codec/config.js";
import { configGet } from "../../../codec/config-edit.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

/** Names of metadata rows. */
export const metadataUri: Rule<MetadataSubject> = {
  code: "metadata-uri",
  severity: "error",
  title: "every metadata row is of an object of a known kind",
  doc: "Rows are called file:, table:, colgroup:, index:, layered:, system: and so on (turtle and disagg metadata §5). An application's own kind of data source may add others, but only the engine's files have checkpoints: a row of another name that has is a file's that nobody finds.",
  check({ rows }, found) {
    for (const { uri, value, place } of rows) {
      if (isObjectUri(uri)) continue;
      const lost = configGet(parseConfigPrefix(value), ["checkpoint"]) !== undefined;
      found({
        ...place,
        table: uri,
        message: `no kind of object is called ${uri.split(":", 1)[0]}:`,
        ...(lost ? { consequence: "the file this row is of cannot be opened" } : { severity: "info" }),
      });
    }
  },
};
