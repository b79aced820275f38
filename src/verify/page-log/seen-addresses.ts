/**
 * Addresses that were met with the same range of keys and the same times before: most of a tree is shared by the
 * checkpoints before and after it. What would be found at them and below has been found.
 */
import type { TreeKey } from "../../tree/types.js";

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

const keyText = (key: TreeKey | undefined): string => (key instanceof Uint8Array ? text(key) : "");

export class SeenAddresses {
  private readonly known = new Set<string>();

  /** True for an address that was not met before; `cell` is all the parent says of the child, `from` to `to` its keys. */
  add(tableId: bigint, cell: Uint8Array, from: TreeKey | undefined, to: TreeKey | undefined): boolean {
    const [low, high] = [keyText(from), keyText(to)];
    const { size } = this.known;
    this.known.add(`${tableId} ${cell.length} ${low.length} ${high.length} ${text(cell)}${low}${high}`);
    return this.known.size > size;
  }
}
