/** Pages that are no blocks: turtle text and key pages. Which one a table holds is told by its content. */
import { cryptPage, keyPageStart } from "../../../formats/crypt-page.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { disaggTurtle } from "../../../formats/disagg-turtle.js";
import { looksLikeText } from "../../store/block-look.js";
import type { PageRecord } from "../../store/types.js";
import { readAs } from "../generation.js";
import type { FindingPlace } from "../rule.js";
import { keyPageFormat } from "../rules/page-log/key-page.js";
import { turtlePageFormat } from "../rules/page-log/turtle-page.js";
import type { Detected, Run } from "../run.js";
import { placeOf } from "./checkpoint.js";

const plainTables: ReadonlySet<bigint> = new Set([
  ...specialTables.turtle.ids,
  ...specialTables.keyProvider.ids,
]);

/** Whether a page is text or a key page rather than a block. */
export const isPlainPage = (tableId: bigint, pageId: bigint): boolean =>
  pageId === 1n && plainTables.has(tableId);

/** A key page by its signature; where that is damaged, by its table and by not being text. */
export function isKeyPage({ tableId, pageId, data }: PageRecord): boolean {
  if (keyPageStart(data) !== undefined) return true;
  const { turtle, keyProvider } = specialTables;
  const isOf = ({ ids, page }: { ids: readonly bigint[]; page: bigint }): boolean =>
    pageId === page && ids.includes(tableId);
  return isOf(keyProvider) && !(isOf(turtle) && looksLikeText(data));
}

export function verifyPlainPage(
  record: PageRecord,
  run: Run,
  detected: Detected,
  place: FindingPlace = placeOf(record),
): void {
  const { forced } = run;
  const key = forced.turtle === undefined && (forced.keyPage !== undefined || isKeyPage(record));
  const reading = key
    ? cryptPage.read(record.data, readAs(forced.keyPage))
    : disaggTurtle.read(record.data, readAs(forced.turtle));
  if (reading.generation !== undefined)
    detected.generations.add(`${key ? "key page" : "turtle"} ${reading.generation}`);
  const consequence = key
    ? "the key cannot be loaded"
    : "checkpoints that name this turtle page cannot be opened";
  run.findings.addIssues(key ? keyPageFormat : turtlePageFormat, place, reading.issues, {
    consequence,
  });
}
