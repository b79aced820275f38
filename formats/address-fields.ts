/**
 * The fields of an address cookie where they lie, for verification: no value is built. What is odd in any way is left
 * to the `address-cookie` format, which says why.
 */
import { PACKED_ZERO, packedLength, readPackedUnsigned, skipPackedUnsigned } from "../src/codec/packed.js";
import { type AddressCookie, addressFlags } from "./address-cookie.js";

const CHECKSUM_SIZE = 4;
const U32_MAX = 0xffffffffn;

export class AddressFields {
  pageId = 0n;
  /** Generation A has none. */
  hasLsn = false;
  lsn = 0n;
  /** Generations A and B. */
  checkpointId = 0n;
  /** Generations from C on: the fourth number, a base LSN or its distance from the LSN. */
  base = 0n;
  size = 0;
  checksum = 0;
  /** Generations from C on say whether the newest record is a delta, and where its chain starts. */
  versioned = false;
  isDelta = false;
  private at = 0;

  /** False for a cookie that is absent, damaged, of a newer version, or otherwise odd. */
  read(cookie: Uint8Array): boolean {
    this.at = 0;
    this.versioned = (cookie[0] ?? 0) < PACKED_ZERO;
    return this.versioned ? this.readVersioned(cookie) : this.readPlain(cookie);
  }

  /** The fields of a cookie that was read as a value; false for an absent address. */
  take(value: AddressCookie): boolean {
    this.pageId = value.pageId;
    this.size = value.size;
    this.checksum = value.checksum;
    this.versioned = "flags" in value;
    this.isDelta = "flags" in value && (value.flags & addressFlags.delta) !== 0;
    this.hasLsn = value.generation !== "A";
    this.lsn = value.generation === "A" ? 0n : value.lsn;
    this.checkpointId = "checkpointId" in value ? value.checkpointId : 0n;
    if ("baseLsn" in value) this.base = value.generation === "C" ? value.baseLsn : value.lsn - value.baseLsn;
    else this.base = 0n;
    return value.pageId > 0n;
  }

  private readVersioned(cookie: Uint8Array): boolean {
    if (cookie[0] !== 0) return false;
    this.at = 1;
    const end = cookie.length - CHECKSUM_SIZE;
    const count = countPacked(cookie, 1, end);
    if (count !== 5) return false;
    this.pageId = this.next(cookie);
    const flags = this.next(cookie);
    this.lsn = this.next(cookie);
    this.base = this.next(cookie);
    const size = this.next(cookie);
    if ((flags & ~BigInt(addressFlags.delta)) !== 0n) return false;
    this.isDelta = flags !== 0n;
    this.hasLsn = true;
    this.checkpointId = 0n;
    const view = new DataView(cookie.buffer, cookie.byteOffset, cookie.length);
    this.checksum = view.getUint32(end, true);
    return this.fits(size) && this.baseFits();
  }

  /** A delta has a base below it; of an image the field is 0, or the LSN as the distance from 0. */
  private baseFits(): boolean {
    const { base, lsn } = this;
    return this.isDelta ? base > 0n && base < lsn : base === 0n || base === lsn;
  }

  private readPlain(cookie: Uint8Array): boolean {
    const count = countPacked(cookie, 0, cookie.length);
    if (count !== 5 && count !== 6) return false;
    this.hasLsn = count === 6;
    this.isDelta = false;
    this.base = 0n;
    this.pageId = this.next(cookie);
    this.lsn = this.hasLsn ? this.next(cookie) : 0n;
    this.checkpointId = this.next(cookie);
    const reconciliation = this.next(cookie);
    const size = this.next(cookie);
    const checksum = this.next(cookie);
    this.checksum = Number(checksum & U32_MAX);
    return reconciliation <= U32_MAX && checksum <= U32_MAX && this.fits(size);
  }

  private fits(size: bigint): boolean {
    this.size = Number(size);
    return size > 0n && size <= U32_MAX && this.pageId > 0n;
  }

  private next(cookie: Uint8Array): bigint {
    const at = this.at;
    this.at += packedLength(cookie[at] as number);
    return readPackedUnsigned(cookie, at, cookie.length);
  }
}

/** Packed integers from `start` exactly to `end`; −1 when something else is there. */
function countPacked(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let at = start;
  for (; at >= 0 && at < end; count++) at = skipPackedUnsigned(bytes, at, end);
  return at === end ? count : -1;
}
