/** What walking a page takes and gives. */

/** What the payload of a page is made of. */
export const pageForms = {
  /** A full image. */
  image: 0,
  /** A delta of cells: P1 or P2. */
  delta: 1,
  /** A delta of entries: P0. */
  oldDelta: 2,
  /** A delta behind a page header: of entries only where cells do not fit. */
  anyDelta: 3,
} as const;
export type PageForm = (typeof pageForms)[keyof typeof pageForms];
export type DeltaForm = "P0" | "P1" | "P2";

/** What the headers say of the payload. */
export interface PageLayout {
  /** Page type, as in the header. */
  readonly type: number;
  /** Flags of the page header. */
  readonly flags: number;
  /** Cells, records, or bytes of payload, as in the header. */
  readonly entries: number;
  /** Bytes of the image. */
  readonly memSize: number;
  /** Where the payload begins: the combined header size. */
  readonly payload: number;
  /** First record number of a column page. */
  readonly recno: bigint;
  readonly form: PageForm;
  /** Bits of a record of a fixed-length column page, 1 to 8; absent: any that fit. */
  readonly bitsPerRecord?: number;
}

/** A cell that holds an address; valid only while the sink is called. Offsets are from the start of the image. */
export interface AddressCell {
  /** First byte of the cell. */
  readonly start: number;
  /** As in `cellTags`. */
  readonly tag: number;
  /** Where the bits of the window are; −1 without one. */
  readonly windowAt: number;
  readonly cookieStart: number;
  readonly cookieEnd: number;
  /** Row-store children: the key in front, whole; of an overflow key the cookie of its page. */
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly keyOverflow: boolean;
  /** Column-store children: number of the first record. */
  readonly recno: bigint | undefined;
}

/** What is found on the way; also on damaged pages, up to where they can be read. */
export interface PageSink {
  /** A child that exists or existed: every address cell but ADDR_DEL_VISIBLE_ALL. */
  child?(cell: AddressCell): void;
  /** An overflow key or value. */
  overflow?(cell: AddressCell): void;
}

export interface WalkOptions {
  /** Defects kept of one page; the walk ends with the last (default 16). */
  readonly maxDefects?: number;
  /** Keys are in an order of the table's own collator. */
  readonly anyKeyOrder?: boolean;
}
