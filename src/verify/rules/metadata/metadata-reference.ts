import { parseConfigPrefix } from "../../../codec/config.js";
import { configGetText } from "../../../codec/config-edit.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

type References = ReadonlyArray<readonly [string, readonly string[]]>;

/** Configuration keys whose value is the URI of another row. Only the stable side of layered tables is shared. */
const REFERENCES: Readonly<Record<MetadataSubject["side"], References>> = {
  shared: [
    ["colgroup:", ["source"]],
    ["index:", ["source"]],
    ["layered:", ["stable"]],
  ],
  local: [
    ["colgroup:", ["source"]],
    ["index:", ["source"]],
    ["layered:", ["ingest", "stable"]],
  ],
};

/** Rows that name other rows. */
export const metadataReferences: Rule<MetadataSubject> = {
  code: "metadata-reference",
  severity: "error",
  title: "the source of every column group, index and layered table is in the metadata",
  doc: "colgroup:, index: and layered: rows name the file: row that holds their data (turtle and disagg metadata §5).",
  check({ rows, side }, found) {
    const known = new Set(rows.map(({ uri }) => uri));
    for (const { uri, value, place } of rows)
      for (const [prefix, keys] of REFERENCES[side]) {
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
