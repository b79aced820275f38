/** An address and the page it leads to, as the rules see them. */
import { AddressFields } from "../../../formats/address-fields.js";
import type { FindingPlace, Subject } from "../rule.js";
import type { AddressHolder, BookedAddress, ChildKind } from "./address-book.js";
import { childKinds } from "./address-book.js";
import type { PageChain, PassedRecord } from "./page-chain.js";

/** Consequence of an address that leads nowhere. */
export const PAGE_LOST = "the page and everything below it cannot be read at this checkpoint";

/** One instance serves all addresses: a rule must not keep it. */
export class AddressSubject implements Subject, BookedAddress {
  at = 0;
  tableId = 0n;
  readonly fields = new AddressFields();
  kind: ChildKind = childKinds.any;
  holder!: AddressHolder;
  /** The page's records up to the address's LSN; undefined when there are none. */
  chain: PageChain | undefined;

  /** The record the address names; undefined when it is not there. */
  get named(): PassedRecord | undefined {
    const newest = this.chain?.newest;
    const { hasLsn, lsn } = this.fields;
    return newest === undefined || (hasLsn && newest.lsn !== lsn) ? undefined : newest;
  }
  /** Whether the chain begins with a full image. */
  get hasImage(): boolean {
    return this.chain?.image !== undefined;
  }

  place(): FindingPlace {
    const { name: _, walk: __, ...place } = this.holder;
    return place;
  }
}
