/** The timestamps of a leaf with deltas: what its rows say once all of its records are put together. */
import { GLOBAL_WINDOW } from "../../../formats/time-window.js";
import type { PageLog } from "../../store/types.js";
import type { SoundImages } from "../../tree/image-check.js";
import { PageLogSource } from "../../tree/page-log/source.js";
import { PageFault } from "../../tree/problem.js";
import { pageRows } from "../../tree/walk.js";
import type { BookedAddress } from "./address-book.js";
import type { TableDirectory } from "./tables.js";
import { type PageTimes, windowTimes } from "./times.js";

export interface MergedTimesContext {
  readonly store: PageLog;
  readonly images: SoundImages;
  readonly tables: TableDirectory;
}

/** Undefined where the page has no rows, or cannot be read, which is said elsewhere. */
export function mergedTimes(
  { tableId, fields }: BookedAddress,
  { store, images, tables }: MergedTimesContext,
): PageTimes | undefined {
  const { compressor = "", encryptor = "", collator = "" } = tables.get(tableId) ?? {};
  const source = new PageLogSource(store, { tableId, compressor, encryptor, collator }, images);
  try {
    const chain = store.chain(tableId, fields.pageId, fields.lsn);
    const rows = pageRows(chain.map((record) => source.partOf(record)));
    return windowTimes(rows.map(({ window = GLOBAL_WINDOW }) => window));
  } catch (error) {
    if (error instanceof PageFault) return undefined;
    throw error;
  }
}
