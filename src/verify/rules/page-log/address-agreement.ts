import { addressFlags } from "../../../../formats/address-cookie.js";
import { hex32 } from "../../hex.js";
import { type AddressSubject, PAGE_LOST } from "../../page-log/address.js";
import { DisaggBlock } from "../../page-log/block.js";
import { RecordSubject } from "../../page-log/record.js";
import type { Rule } from "../../rule.js";

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
      found({
        field,
        message: `the address's ${field} is not that of page ${cookie.pageId} at LSN ${newest.lsn}`,
        expected,
        actual,
        consequence: PAGE_LOST,
      });
    const record = new RecordSubject(store);
    record.record = newest;
    const block = new DisaggBlock();
    if (!block.set(record)) return;
    const checksum = block.replacement ? block.originalChecksum : block.checksum;
    if (cookie.checksum !== checksum) disagree("checksum", hex32(checksum), hex32(cookie.checksum));
    const size =
      cookie.generation === "D'" ? chain.reduce((sum, { data }) => sum + data.length, 0) : newest.data.length;
    if (cookie.size !== size && !block.replacement) disagree("size", size, cookie.size);
    if (
      "checkpointId" in cookie &&
      newest.checkpointId !== undefined &&
      cookie.checkpointId !== newest.checkpointId
    )
      disagree("checkpointId", newest.checkpointId, cookie.checkpointId);
    if (!("flags" in cookie)) return;
    const delta = (cookie.flags & addressFlags.delta) !== 0;
    if (delta !== newest.isDelta && !block.replacement) disagree("flags", newest.isDelta, delta);
    const base = newest.isDelta ? chain[0]?.lsn : 0n;
    if (delta === newest.isDelta && cookie.baseLsn !== base) disagree("baseLsn", base, cookie.baseLsn);
  },
};
