/** The keys of a page against those its parent gives it. */
import { compareKeys } from "../../tree/keys.js";
import type { Findings } from "../rule.js";
import { treeKeyRange } from "../rules/tree/tree-key-range.js";
import type { ClassicBlock } from "./block.js";
import { recordOf } from "./key-bytes.js";
import { rangeText } from "./lost-rows.js";

const CONSEQUENCE =
  "rows outside the range are not found by their keys, and searches may end in the wrong page";

export class KeyRanges {
  constructor(
    private readonly block: ClassicBlock,
    private readonly findings: Findings,
  ) {}

  /** Row stores: the first and last key of the page; undefined = not known. */
  checkKeys(first: Uint8Array | undefined, last: Uint8Array | undefined): void {
    const { low, high } = this.block;
    if (low !== undefined && first !== undefined && compareKeys(first, low) < 0)
      this.report("the first key of the page is below the separator its parent has for it");
    if (high !== undefined && last !== undefined && compareKeys(last, high) >= 0)
      this.report("the last key of the page is not below its parent's next separator");
  }

  /** Column stores: `count` records from the number in the header on; undefined for an internal page. */
  checkRecords(count: bigint | undefined): void {
    const { low, high, recno } = this.block;
    if (low !== undefined && recordOf(low) !== recno)
      this.report("the page begins with another record than its parent says", recordOf(low), recno);
    if (high === undefined || count === undefined) return;
    const [next, end] = [recordOf(high), recno + count];
    if (end > next) this.report("the page has records of the next page", next, end);
    else if (end < next)
      this.report("there are records between this page and the next that no page has", next, end, "warning");
  }

  private report(message: string, expected?: bigint, actual?: bigint, severity?: "warning"): void {
    this.findings.add(treeKeyRange, this.block.place(), {
      ...(severity === undefined ? {} : { severity }),
      message: `${message}: its range is ${rangeText(this.block.range)}`,
      ...(expected === undefined ? {} : { expected, actual }),
      consequence: CONSEQUENCE,
    });
  }
}
