import { addressFlags } from "../../../../formats/address-cookie.js";
import { DisaggBlock } from "../../page-log/block.js";
import type { AddressSubject } from "../../page-log/address.js";
import { RecordSubject } from "../../page-log/record.js";
import type { Rule, RuleInfo } from "../../rule.js";

/** The bytes of a cookie. */
export const addressFormat: RuleInfo = {
  code: "address-cookie",
  severity: "error",
  title: "every address cookie can be read",
  doc: "Page id, LSN, size and checksum in packed form, all bytes used (address and checkpoint cookies §1).",
};

const lost = "the page and everything below it cannot be read at this checkpoint";

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
        consequence: lost,
        hint: chain.length > 0 ? "an older version of the page is there" : "nothing of the page is there",
      });
    else if (newest.discarded) found({ ...wanted, message: "the address names a page that was freed", consequence: lost });
    else if (chain[0]?.isDelta === true)
      found({ ...wanted, message: "the chain of the page has no full image", consequence: lost });
  },
};

/** What a cookie says of its record. */
export const addressAgreement: Rule<AddressSubject> = {
  code: "address-agreement",
  severity: "error",
  title: "size, checksum, delta mark and base in an address are those of the record it names",
  doc: "Size of the newest record, or of the whole chain since January 2026; a replacement carries the checksum of what it replaces (address and checkpoint cookies §1; page and block headers §3.4).",
  check(subject, found) {
    const { cookie, newest, chain, store } = subject;
    if (cookie === undefined || newest === undefined || newest.discarded) return;
    const disagree = (field: string, expected: unknown, actual: unknown): void =>
      found({ field, message: `the address's ${field} is not that of page ${cookie.pageId} at LSN ${newest.lsn}`, expected, actual, consequence: lost });
    const record = new RecordSubject(store);
    record.record = newest;
    const block = new DisaggBlock();
    if (!block.set(record)) return;
    const checksum = block.replacement ? block.originalChecksum : block.checksum;
    if (cookie.checksum !== checksum) disagree("checksum", checksum, cookie.checksum);
    const size = cookie.generation === "D'" ? chain.reduce((sum, { data }) => sum + data.length, 0) : newest.data.length;
    if (cookie.size !== size && !block.replacement) disagree("size", size, cookie.size);
    if ("checkpointId" in cookie && newest.checkpointId !== undefined && cookie.checkpointId !== newest.checkpointId)
      disagree("checkpointId", newest.checkpointId, cookie.checkpointId);
    if (!("flags" in cookie)) return;
    const delta = (cookie.flags & addressFlags.delta) !== 0;
    if (delta !== newest.isDelta && !block.replacement) disagree("flags", newest.isDelta, delta);
    const base = newest.isDelta ? chain[0]?.lsn : 0n;
    if (delta === newest.isDelta && cookie.baseLsn !== base) disagree("baseLsn", base, cookie.baseLsn);
  },
};
