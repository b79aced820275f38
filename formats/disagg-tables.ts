/** Tables of a page log with a fixed meaning (formats: turtle and disagg metadata §1). */

/** How a table id is put together: the number, and in its low bits the namespace. */
const NAMESPACE_BITS = 3n;
const namespaces = ["local", "shared", "special"] as const;
export type TableNamespace = (typeof namespaces)[number] | "unknown";

export interface NamespacedId {
  readonly number: bigint;
  readonly namespace: TableNamespace;
  /** The namespace as stored, 0..7. */
  readonly namespaceId: number;
}

/** The parts of a btree id. Ids of page logs before namespaces, and of 3.2 directories, have no such parts. */
export function namespacedId(id: bigint | number): NamespacedId {
  const value = BigInt(id);
  const namespaceId = Number(value & ((1n << NAMESPACE_BITS) - 1n));
  return { number: value >> NAMESPACE_BITS, namespace: namespaces[namespaceId] ?? "unknown", namespaceId };
}

/** The btree id of a number in a namespace. */
export function btreeId(number: bigint | number, namespace: Exclude<TableNamespace, "unknown">): bigint {
  return (BigInt(number) << NAMESPACE_BITS) | BigInt(namespaces.indexOf(namespace));
}

export interface SpecialTable {
  /** Table ids, newest first; before February 2026 some had others, or none that was fixed. */
  readonly ids: readonly bigint[];
  readonly uri?: string;
  /** The only page, where there is just one. */
  readonly page?: bigint;
}

/** Table id 2 is the turtle now and was the key provider before: tell them apart by content. */
export const specialTables = {
  turtle: { ids: [2n, 1n], page: 1n },
  sharedMetadata: { ids: [10n], uri: "file:WiredTigerShared.wt_stable" },
  sharedHistoryStore: { ids: [18n], uri: "file:WiredTigerSharedHS.wt_stable" },
  keyProvider: { ids: [26n, 2n], page: 1n },
} as const satisfies Readonly<Record<string, SpecialTable>>;

/** Page ids below it are kept for the engine; 0 is never a page. */
export const FIRST_USER_PAGE = 100n;

/** The value that marks a deleted row in layered tables while their values are stored escaped. */
const LAYERED_TOMBSTONE = [0x14, 0x14] as const;
/** Whether a value of a layered table begins like that mark: below record version 2 it is not stored as it is. */
export const beginsLikeTombstone = (value: Uint8Array): boolean =>
  LAYERED_TOMBSTONE.every((byte, at) => value[at] === byte);
