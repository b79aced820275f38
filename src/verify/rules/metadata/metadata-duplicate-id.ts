import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

/** Two files under one id. */
export const metadataDuplicateId: Rule<MetadataSubject> = {
  code: "metadata-duplicate-id",
  severity: "error",
  title: "no two files have the same id",
  doc: "The engine refuses to open a database in which two file: rows carry one id (repair writes §2).",
  check({ rows, ids }, found) {
    const owners = new Map<bigint, string>();
    for (const { uri, place } of rows) {
      const id = ids.get(uri);
      if (id === undefined) continue;
      const owner = owners.get(id);
      if (owner === undefined) owners.set(id, uri);
      else
        found({
          ...place,
          table: uri,
          message: `${uri} and ${owner} both have the id ${id}`,
          actual: id,
          consequence: "the engine cannot open the database, not even to salvage it",
          hint: "one of the two needs a fresh id",
        });
    }
  },
};
