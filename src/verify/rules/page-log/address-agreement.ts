import { hex32 } from "../../hex.js";
import { type AddressSubject, PAGE_LOST } from "../../page-log/address.js";
import type { PageChain, PassedRecord } from "../../page-log/page-chain.js";
import type { Rule } from "../../rule.js";

/** What a cookie says of its record. */
export const addressAgreement: Rule<AddressSubject> = {
  code: "address-agreement",
  severity: "error",
  title: "size, checksum, delta mark and base in an address are those of the record it names",
  doc: "Size of the newest record, or of the whole chain since January 2026; a replacement carries the checksum of what it replaces, and its address the size of that (address and checkpoint cookies §1; page and block headers §3.4). Where the page is sound and fits the records around it, the address is taken for the damaged one.",
  check(subject, found) {
    const { fields, named, holder } = subject;
    if (named === undefined || named.discarded || named.addressChecksum === undefined) return;
    const chain = subject.chain as PageChain;
    // A closure only where there is something to say.
    if (agrees(subject, named, chain)) return;
    const disagree = (field: string, expected: unknown, actual: unknown): void =>
      found({
        field,
        message: `page ${fields.pageId} at LSN ${named.lsn} and its address in ${holder.name} differ in ${field}`,
        expected,
        actual,
        consequence: PAGE_LOST,
      });
    if (fields.checksum !== named.addressChecksum)
      disagree("checksum", hex32(named.addressChecksum), hex32(fields.checksum));
    // Readers leave out the sum where a replacement is below: deltas on it count on from what it replaced.
    if (
      chain.image?.replacement !== true &&
      fields.size !== named.size &&
      !(fields.versioned && fields.size === chain.bytes)
    )
      disagree("size", named.size, fields.size);
    if (fields.versioned) checkBase(subject, named, chain, disagree);
    else if (named.checkpointId !== undefined && fields.checkpointId !== named.checkpointId)
      disagree("checkpointId", named.checkpointId, fields.checkpointId);
  },
};

/** Whether nothing of all this is wrong: nearly always. */
function agrees({ fields }: AddressSubject, named: PassedRecord, { bytes, image }: PageChain): boolean {
  const { versioned, size } = fields;
  if (fields.checksum !== named.addressChecksum || named.replacement) return false;
  if (size !== named.size && !(versioned && size === bytes)) return false;
  if (!versioned) return named.checkpointId === undefined || fields.checkpointId === named.checkpointId;
  return (
    fields.isDelta === named.isDelta &&
    (!named.isDelta ||
      image === undefined ||
      fields.base === image.lsn ||
      fields.lsn - fields.base === image.lsn)
  );
}

/** The fourth number is the base LSN, or since late 2025 its distance; of an image 0, or the LSN. */
function checkBase(
  { fields }: AddressSubject,
  named: PassedRecord,
  { image }: PageChain,
  disagree: (field: string, expected: unknown, actual: unknown) => void,
): void {
  if (named.replacement) return;
  if (fields.isDelta !== named.isDelta) disagree("flags", named.isDelta, fields.isDelta);
  else if (
    named.isDelta &&
    image !== undefined &&
    fields.base !== image.lsn &&
    fields.lsn - fields.base !== image.lsn
  )
    disagree("baseLsn", image.lsn, fields.lsn - fields.base);
}
