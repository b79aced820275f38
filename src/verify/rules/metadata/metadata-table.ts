import { parseConfigPrefix } from "../../../codec/config.js";
import { configGet, configGetStruct } from "../../../codec/config-edit.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

const TABLE = "table:";
/** Rows of a table's parts: the table's name follows, then perhaps a colon and a name of their own. */
const PART = /^(?:colgroup|index):([^:]+)/;

/** Rows of tables and the rows of their parts. */
export const metadataTable: Rule<MetadataSubject> = {
  code: "metadata-table",
  severity: "error",
  title: "every table is in the metadata with its column groups, and these with their table",
  doc: "table:t without column groups has one row colgroup:t, with column groups g a row colgroup:t:g each; index:t:i is of table:t, too (turtle and disagg metadata §5).",
  check({ rows }, found) {
    const known = new Set(rows.map(({ uri }) => uri));
    for (const { uri, value, place } of rows)
      for (const missing of neededBy(uri, value)) {
        if (known.has(missing)) continue;
        found({
          ...place,
          table: uri,
          message: `${missing}, which belongs to ${uri}, is not in the metadata`,
          actual: missing,
          consequence: `${uri.startsWith(TABLE) ? uri : missing} cannot be opened`,
        });
      }
  },
};

/** URIs of rows without which this one is of no use. */
function neededBy(uri: string, value: string): string[] {
  if (uri.startsWith(TABLE)) return partsOf(uri.slice(TABLE.length), value);
  const table = PART.exec(uri)?.[1];
  return table === undefined ? [] : [`${TABLE}${table}`];
}

function partsOf(name: string, value: string): string[] {
  const config = parseConfigPrefix(value);
  // What has no such key is no table of column groups.
  if (configGet(config, ["colgroups"]) === undefined) return [];
  const groups = configGetStruct(config, ["colgroups"])?.entries ?? [];
  return groups.length === 0 ? [`colgroup:${name}`] : groups.map(({ key }) => `colgroup:${name}:${key}`);
}
