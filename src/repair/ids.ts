/** Ids of tables: from engine 12 on the low three bits say which kind of table has it. */

/** First engine whose ids have a namespace in their low three bits: 0 local, 1 shared. */
const NAMESPACES_SINCE = 12;
const NAMESPACE_BITS = 3n;
const NAMESPACE_MASK = 7n;

export type IdNamespace = bigint;

/** The namespace of an id; older engines have one for all. */
export const namespaceOf = (id: bigint, major: number): IdNamespace =>
  major < NAMESPACES_SINCE ? 0n : id & NAMESPACE_MASK;

/** The namespace a table's new id has to be in: its old one's; ids given by an older engine count as local. */
export function namespaceFor(id: bigint | undefined, major: number): IdNamespace {
  const namespace = id === undefined ? 0n : namespaceOf(id, major);
  return namespace === 1n ? 1n : 0n;
}

/** The id the engine gives next, above all there are. */
export const nextId = (highest: bigint, major: number, namespace: IdNamespace): bigint =>
  major < NAMESPACES_SINCE
    ? highest + 1n
    : (((highest >> NAMESPACE_BITS) + 1n) << NAMESPACE_BITS) | namespace;
