/** An address cookie and the records it leads to, as the rules see them. */
import { type AddressCookie, addressCookie } from "../../../formats/address-cookie.js";
import type { Reading } from "../../codec/index.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import type { FindingPlace, Subject } from "../rule.js";

/** Consequence of an address that leads nowhere. */
export const PAGE_LOST = "the page and everything below it cannot be read at this checkpoint";

/** Cookies before July 2025 name a checkpoint instead of a base LSN. */
export class AddressSubject implements Subject {
  readonly reading: Reading<AddressCookie>;
  /** The image and the deltas a reader gets, oldest first; empty when there is nothing at or below the LSN. */
  readonly chain: readonly PageRecord[];
  /** What the address is of: "root page", "child 12". */
  table: string | undefined;

  constructor(
    readonly store: PageLog,
    readonly tableId: bigint,
    readonly bytes: Uint8Array,
    private readonly holder: FindingPlace,
  ) {
    const first = addressCookie.read(bytes);
    this.chain = first.ok ? this.findChain(first.value) : [];
    this.reading = this.chain.length === 0 ? first : this.readAgain();
  }

  private findChain(cookie: AddressCookie): PageRecord[] {
    // Generation A has no LSN: the newest record of the page is meant.
    const lsn = "lsn" in cookie ? cookie.lsn : (1n << 64n) - 1n;
    return this.store.chain(this.tableId, cookie.pageId, lsn);
  }

  /** What is known of the chain tells generations C, D and D' apart. */
  private readAgain(): Reading<AddressCookie> {
    const { chain } = this;
    const newest = chain.at(-1) as PageRecord;
    const params = {
      baseLsn: newest.isDelta ? Number((chain[0] as PageRecord).lsn) : 0,
      newestLength: newest.data.length,
      chainLength: chain.reduce((sum, { data }) => sum + data.length, 0),
    };
    return addressCookie.read(this.bytes, { params });
  }

  get cookie(): AddressCookie | undefined {
    return this.reading.ok ? this.reading.value : undefined;
  }
  /** The record the cookie names; undefined when it is not there. */
  get newest(): PageRecord | undefined {
    const newest = this.chain.at(-1);
    const { cookie } = this;
    if (newest === undefined || cookie === undefined) return undefined;
    return "lsn" in cookie && cookie.lsn !== newest.lsn ? undefined : newest;
  }

  place(): FindingPlace {
    return this.holder;
  }
}
