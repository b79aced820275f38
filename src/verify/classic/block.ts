/** A block of a classic file as the rules see it. */
import type { FindingPlace, Subject } from "../rule.js";

/** What the address that led here says the block is. */
export type BlockRole = "root" | "internal" | "leaf" | "overflow" | "deleted" | "extent list";

export interface BlockAddress {
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
}

/**
 * One block and the address it was read from. A single instance is reused for all blocks of a file: a rule must not
 * keep it.
 */
export class ClassicBlock implements Subject {
  bytes: Uint8Array = new Uint8Array();
  offset = 0;
  size = 0;
  /** The checksum the address asks for. */
  checksum = 0;
  role: BlockRole = "leaf";
  checkpoint: string | undefined;

  constructor(
    readonly path: string,
    readonly table: string | undefined,
    readonly allocationSize: number,
  ) {}

  set(bytes: Uint8Array, address: BlockAddress, role: BlockRole): this {
    this.bytes = bytes;
    this.offset = address.offset;
    this.size = address.size;
    this.checksum = address.checksum;
    this.role = role;
    return this;
  }

  place(): FindingPlace {
    const { path, offset, table, checkpoint } = this;
    return { path, offset, ...(table === undefined ? {} : { table }), ...(checkpoint === undefined ? {} : { checkpoint }) };
  }
}
