/** Older values that the history store of a home has under btree ids. */
import { HISTORY_STORE_URI } from "../../formats/classic-home.js";
import { HISTORY_KEY_FORMAT } from "../../formats/history.js";
import { readPackedNumber } from "../codec/packed.js";
import { rowsOf } from "../page/rows.js";
import { openDatabase, TreeError } from "../tree/index.js";
import { RepairRefusal } from "./error.js";

/** Ids with the number of their records; a damaged history store is refused. 3.2 has none that outlives a run. */
export function historyRecords(home: string, ids: ReadonlySet<bigint>): Map<bigint, number> {
  const counts = new Map<bigint, number>();
  if (ids.size === 0) return counts;
  const database = openDatabase(home, { kind: "classic-directory" });
  try {
    const known = database.tables().find(({ uri }) => uri === HISTORY_STORE_URI);
    if (known === undefined || known.keyFormat !== HISTORY_KEY_FORMAT) return counts;
    const reader = database.table(HISTORY_STORE_URI).reader();
    for (const { page } of reader.leaves()) {
      const [part] = page.parts;
      if (part === undefined) continue;
      for (const { key } of rowsOf(part.image, part.layout)) {
        if (key === undefined) throw new TreeError("damaged", "a key on an overflow page");
        const id = BigInt(readPackedNumber(key, 0, key.length, 0xffffffff));
        if (ids.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    return counts;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    throw new RepairRefusal("history-damaged", `${HISTORY_STORE_URI}: ${error.message}`);
  } finally {
    database.close();
  }
}
