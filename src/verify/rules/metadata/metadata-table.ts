import { parseConfigPrefix } from "../../../codec/config.js";
import { configGet, configGetStruct } from "../../../codec/config-edit.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

const TABLE = "table:";

/** Rows of tables and the rows of their parts. */
export const metadataTable: Rule<MetadataSubject> = {
  code: "metadata-table",
  severity: "error",
  title: "every column group of a table is in the metadata",
  doc: "table:t without column groups has one row colgroup:t, with column groups g a row colgroup:t:g each (turtle and disagg metadata §5).",
  check({ rows }, found) {
    const known = new Set(rows.map(({ uri }) => uri));
    for (const { uri, value, place } of rows) {
      if (!uri.startsWith(TABLE)) continue;
      for (const part of partsOf(uri.slice(TABLE.length), value)) {
        if (known.has(part)) continue;
        found({
          ...place,
          table: uri,
          message: `${part} of ${uri} is not in the metadata`,
          actual: part,
          consequence: `${uri} cannot be opened`,
        });
      }
    }
  },
};

function partsOf(name: string, value: string): string[] {
  const config = parseConfigPrefix(value);
  // What has no such key is no table of column groups.
  if (configGet(config, ["colgroups"]) === undefined) return [];
  const groups = configGetStruct(config, ["colgroups"])?.entries ?? [];
  return groups.length === 0 ? [`colgroup:${name}`] : groups.map(({ key }) => `colgroup:${name}:${key}`);
}
