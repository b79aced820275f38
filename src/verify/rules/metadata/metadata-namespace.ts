import { HISTORY_STORE_URI } from "../../../../formats/classic-home.js";
import { namespacedId, specialTables, type TableNamespace } from "../../../../formats/disagg-tables.js";
import { isInPageLog, type MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

const special: readonly bigint[] = [
  ...specialTables.sharedHistoryStore.ids,
  ...specialTables.sharedMetadata.ids,
];

/** Releases before namespaces number through, 1 being the history store; a home keeps the ids it was made with. */
function hasNamespaces({ side, ids }: MetadataSubject): boolean {
  const history = ids.get(HISTORY_STORE_URI);
  return side === "shared" || (history !== undefined && namespacedId(history).namespace === "local");
}

/** Ids of tables of a page log and of local files. */
export const metadataNamespace: Rule<MetadataSubject> = {
  code: "metadata-namespace",
  severity: "warning",
  title: "ids of tables are of their namespace: shared in page logs, local in a home's own files",
  doc: "A btree id is a number and, in its low 3 bits, a namespace: 0 local, 1 shared, 2 special (turtle and disagg metadata §1). Homes whose history store has an id of no namespace were made before there were any, and are not judged.",
  check(subject, found) {
    if (!hasNamespaces(subject)) return;
    const { rows, ids, side } = subject;
    for (const row of rows) {
      const { uri, place } = row;
      const id = ids.get(uri);
      if (id === undefined) continue;
      const expected: TableNamespace = side === "shared" || isInPageLog(row) ? "shared" : "local";
      const { namespace } = namespacedId(id);
      if (namespace === expected || (expected === "shared" && special.includes(id))) continue;
      found({
        ...place,
        table: uri,
        field: "id",
        message: `the id ${id} of ${uri} is in the namespace "${namespace}"`,
        expected,
        actual: namespace,
      });
    }
  },
};
