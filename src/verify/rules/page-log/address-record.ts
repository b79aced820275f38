import { type AddressSubject, PAGE_LOST } from "../../page-log/address.js";
import type { Rule } from "../../rule.js";

/** The record a cookie names is there. */
export const addressRecord: Rule<AddressSubject> = {
  code: "address-record",
  severity: "error",
  title: "the record an address names is in the log, with its whole chain",
  doc: "The newest record found at or below the cookie's LSN must have exactly that LSN; an older one means that the named record is missing (page-log stores §3).",
  check({ cookie, chain, newest, tableId }, found) {
    if (cookie === undefined) return;
    const lsn = "lsn" in cookie ? cookie.lsn : undefined;
    const wanted = { tableId, pageId: cookie.pageId, ...(lsn === undefined ? {} : { lsn }) };
    if (newest === undefined)
      found({
        ...wanted,
        message: `page ${cookie.pageId} has no record at LSN ${lsn ?? "any"}`,
        expected: lsn,
        actual: chain.at(-1)?.lsn,
        consequence: PAGE_LOST,
        hint: chain.length > 0 ? "an older version of the page is there" : "nothing of the page is there",
      });
    else if (newest.discarded)
      found({ ...wanted, message: "the address names a page that was freed", consequence: PAGE_LOST });
    else if (chain[0]?.isDelta === true)
      found({ ...wanted, message: "the chain of the page has no full image", consequence: PAGE_LOST });
  },
};
