/** Rows of the history store: whose versions they are, and that one after the other begins and ends. */
import { HistoryFields } from "../../../formats/history-fields.js";
import { LeafCursor } from "../../page/leaf-cursor.js";
import { rowsOf } from "../../page/rows.js";
import { type PageLayout, pageForms } from "../../page/walk-types.js";
import type { FindingPlace } from "../rule.js";
import { historyOrder } from "../rules/metadata/history-order.js";
import { historyTable } from "../rules/metadata/history-table.js";
import type { Run } from "../run.js";

export class HistoryCheck {
  private readonly fields = new HistoryFields();
  private readonly cursor = new LeafCursor();
  /** Versions by table ids the metadata does not have. */
  private readonly strangers = new Map<number, { count: number; place: FindingPlace }>();

  constructor(
    private readonly run: Run,
    /** Tables of the metadata by id. */
    private readonly tables: { get(id: bigint): unknown },
    /** Leaves come in the order of keys: the last row of one is the neighbour of the next one's first. */
    private readonly inKeyOrder = false,
  ) {}

  /** A sound leaf, or a delta of one. */
  add(image: Uint8Array, layout: PageLayout, place: () => FindingPlace): void {
    const { cursor } = this;
    if (!this.inKeyOrder) this.fields.forget();
    if (layout.form !== pageForms.image) {
      for (const { key, data, removed } of rowsOf(image, layout))
        if (key !== undefined && !removed) this.row(key, 0, key.length, data, 0, data.length, place);
      return;
    }
    cursor.begin(image, layout);
    while (cursor.next()) {
      const { keyBytes, keyStart, keyEnd, valueStart, valueEnd, overflow } = cursor;
      if (!overflow) this.row(keyBytes, keyStart, keyEnd, image, valueStart, valueEnd, place);
    }
  }

  private row(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    place: () => FindingPlace,
  ): void {
    const { fields } = this;
    if (!fields.readKey(key, keyStart, keyEnd) || !fields.readValue(value, valueStart, valueEnd)) {
      this.run.findings.add(historyOrder, place(), {
        message: "a row of the history store is no version of anything",
        consequence: "reads at older timestamps may go wrong",
      });
      return;
    }
    if (!fields.inOrder)
      this.run.findings.add(historyOrder, place(), {
        message: `a version of a row of table ${fields.btreeId} ends before it began`,
        consequence: "reads at older timestamps miss it",
      });
    if (!fields.follows())
      this.run.findings.add(historyOrder, place(), {
        severity: "warning",
        message: `a version of a row of table ${fields.btreeId} begins before the one before it has ended`,
        consequence: "which of them a read between the two gets is not sure",
      });
    if (this.tables.get(BigInt(fields.btreeId)) === undefined) this.addStranger(fields.btreeId, place);
  }

  private addStranger(id: number, place: () => FindingPlace): void {
    const known = this.strangers.get(id);
    if (known === undefined) this.strangers.set(id, { count: 1, place: place() });
    else known.count++;
  }

  /** To be called behind the last leaf. */
  finish(): void {
    for (const [id, { count, place }] of this.strangers)
      this.run.findings.add(historyTable, place, {
        message: `${count} older versions belong to table ${id}, which is not in the metadata`,
        actual: id,
        consequence: "nothing, if the table was dropped",
      });
  }
}
