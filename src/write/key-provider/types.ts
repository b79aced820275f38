/**
 * The key provider: whoever makes the key blobs that a database keeps in its page log. The interface is the engine's
 * (formats: crypt header and key provider); a blob is opaque here.
 */

/** What start-up and pick-up hand to the provider. */
export interface PersistedKey {
  /** LSN of the key page; 0 = no key was ever persisted. */
  readonly lsn: bigint;
  /** When the key was made; 0 = unknown, as in every generation before K3. */
  readonly timestamp: bigint;
  /** The blob, empty when there is none. Wiped when `loadKey` returns: copy what is to be kept. */
  readonly key: Uint8Array;
}

/** The two questions of a checkpoint: how long is the new blob, then (with a buffer of that size) which is it. */
export interface KeyRequest {
  /** Timestamp of the checkpoint that will persist the key; 0 = none. */
  readonly checkpointTimestamp: bigint;
  /** Absent in the first call. To be filled in the second; ours, and wiped after `onKeyUpdate`. */
  readonly buffer?: Uint8Array;
}

/** The same in both calls. */
export interface KeyAnswer {
  /** Bytes of the new blob; 0 = there is no new one. */
  readonly size: number;
  /** When the key was made; absent or 0 = unknown. Generation K3 keeps it. */
  readonly timestamp?: bigint;
}

/** What became of the key `getKey` gave: its page's LSN, or why there is no page. Never the bytes. */
export type KeyUpdate =
  | { readonly lsn: bigint; readonly error?: undefined }
  | { readonly error: Error; readonly lsn?: undefined };

export interface KeyProvider {
  /** At start-up, and whenever a checkpoint is picked up. May throw: the database is not opened then. */
  loadKey(key: PersistedKey): void;
  /** Asked once or twice by every checkpoint of a leader. May throw: the checkpoint fails then. */
  getKey(request: KeyRequest): KeyAnswer;
  /**
   * After the key page was put, or when it could not be. An LSN counts once the checkpoint is published: if that
   * fails, the page is put again by the next checkpoint, and its new LSN is told.
   */
  onKeyUpdate(update: KeyUpdate): void;
  /**
   * Push form: gives a key without being asked.
   * @throws KeyProviderError `key-timestamp` unless the timestamp is above that of every key before
   */
  setKey?(key: Uint8Array, timestamp: bigint): void;
  /** The database is closed. */
  terminate?(): void;
}
