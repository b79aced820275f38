import { type AddressSubject, PAGE_LOST } from "../../page-log/address.js";
import type { Rule } from "../../rule.js";

/** The record a cookie names is there. */
export const addressRecord: Rule<AddressSubject> = {
  code: "address-record",
  severity: "error",
  title: "the record an address names is in the log, with its whole chain",
  doc: "The newest record found at or below the cookie's LSN must have exactly that LSN; an older one means that the named record is missing (page-log stores §3).",
  check({ fields, chain, named, hasImage, tableId, holder }, found) {
    const { pageId } = fields;
    const lsn = fields.hasLsn ? fields.lsn : undefined;
    const wanted = { tableId, pageId, ...(lsn === undefined ? {} : { lsn }) };
    const by = `which ${holder.name} names`;
    if (named === undefined)
      found({
        ...wanted,
        message: `page ${pageId} has no record at LSN ${lsn ?? "any"}, ${by}`,
        expected: lsn,
        actual: chain?.newest?.lsn,
        consequence: PAGE_LOST,
        hint:
          chain?.newest === undefined
            ? "nothing of the page is there"
            : "an older version of the page is there",
      });
    else if (named.discarded)
      found({ ...wanted, message: `page ${pageId} was freed, ${by}`, consequence: PAGE_LOST });
    else if (!hasImage)
      found({ ...wanted, message: `page ${pageId}, ${by}, has no full image`, consequence: PAGE_LOST });
  },
};
