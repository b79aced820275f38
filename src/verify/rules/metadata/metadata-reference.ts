import { parseConfigPrefix } from "../../../codec/config.js";
import { configGetText } from "../../../codec/config-edit.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

/** Configuration keys whose value is the URI of another row. */
const REFERENCES: ReadonlyArray<readonly [string, readonly string[]]> = [
  ["colgroup:", ["source"]],
  ["index:", ["source"]],
  // Only the stable side is shared: rows of a page log have no other.
  ["layered:", ["stable"]],
];

/** Rows that name other rows. */
export const metadataReferences: Rule<MetadataSubject> = {
  code: "metadata-reference",
  severity: "error",
  title: "the source of every column group, index and layered table is in the metadata",
  doc: "colgroup:, index: and layered: rows name the file: row that holds their data (turtle and disagg metadata §5).",
  check({ rows }, found) {
    const known = new Set(rows.map(({ uri }) => uri));
    for (const { uri, value, place } of rows)
      for (const [prefix, keys] of REFERENCES) {
        if (!uri.startsWith(prefix)) continue;
        for (const key of keys) {
          const target = configGetText(parseConfigPrefix(value), [key]);
          if (target === undefined || target === "" || known.has(target)) continue;
          found({
            ...place,
            table: uri,
            field: key,
            message: `${uri} names ${target}, which is not in the metadata`,
            actual: target,
            consequence: `${uri} cannot be opened`,
          });
        }
      }
  },
};
