/** The push form: keys are given with timestamps, and a checkpoint takes the newest one it covers. */
import { KeyProviderError } from "./key-error.js";
import type { KeyAnswer, KeyProvider, KeyRequest, KeyUpdate, PersistedKey } from "./types.js";

interface QueuedKey {
  readonly timestamp: bigint;
  readonly key: Uint8Array;
}

/**
 * Keys wait here until a checkpoint's timestamp reaches theirs. It persists the newest at or below its own timestamp;
 * that one and the older ones are then dropped and wiped.
 */
export class PushedKeys implements KeyProvider {
  private queue: QueuedKey[] = [];
  /** Of the newest key that was given or loaded. */
  private newest = 0n;
  private offered: QueuedKey | undefined;

  /** Keys that are still to be persisted. */
  get waiting(): number {
    return this.queue.length;
  }

  loadKey({ timestamp }: PersistedKey): void {
    if (timestamp > this.newest) this.newest = timestamp;
  }

  setKey(key: Uint8Array, timestamp: bigint): void {
    if (timestamp <= this.newest)
      throw new KeyProviderError(
        "key-timestamp",
        `a key of timestamp ${timestamp}: it must be above ${this.newest}, that of the key before`,
      );
    if (key.length === 0) throw new KeyProviderError("key-size", "a key without bytes");
    this.queue.push({ timestamp, key: Uint8Array.from(key) });
    this.newest = timestamp;
  }

  getKey({ checkpointTimestamp, buffer }: KeyRequest): KeyAnswer {
    this.offered = this.queue.findLast(({ timestamp }) => timestamp <= checkpointTimestamp);
    if (this.offered === undefined) return { size: 0 };
    const { key, timestamp } = this.offered;
    buffer?.set(key);
    return { size: key.length, timestamp };
  }

  onKeyUpdate({ lsn }: KeyUpdate): void {
    const { offered } = this;
    this.offered = undefined;
    if (lsn === undefined || offered === undefined) return;
    const [done, waiting] = [this.queue, this.queue.filter(({ timestamp }) => timestamp > offered.timestamp)];
    for (const { key, timestamp } of done) if (timestamp <= offered.timestamp) key.fill(0);
    this.queue = waiting;
  }

  terminate(): void {
    for (const { key } of this.queue) key.fill(0);
    this.queue = [];
  }
}
