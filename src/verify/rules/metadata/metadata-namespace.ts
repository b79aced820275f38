import { namespacedId, specialTables } from "../../../../formats/disagg-tables.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

/** Ids of shared tables. */
export const metadataNamespace: Rule<MetadataSubject> = {
  code: "metadata-namespace",
  severity: "warning",
  title: "tables of the shared metadata have ids of the shared namespace",
  doc: "A btree id is a number and, in its low 3 bits, a namespace: 0 local, 1 shared, 2 special (turtle and disagg metadata §1).",
  check({ rows, ids }, found) {
    const special: readonly bigint[] = specialTables.sharedHistoryStore.ids;
    for (const { uri, place } of rows) {
      const id = ids.get(uri);
      if (id === undefined) continue;
      const { namespace } = namespacedId(id);
      if (namespace === "shared" || (namespace === "special" && special.includes(id))) continue;
      found({
        ...place,
        table: uri,
        field: "id",
        message: `the id ${id} of ${uri} is in the namespace "${namespace}"`,
        expected: "shared",
        actual: namespace,
      });
    }
  },
};
