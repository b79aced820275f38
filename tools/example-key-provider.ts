/**
 * An example of a key provider, to begin one's own with: a key that expires, and is replaced at the first checkpoint
 * after that. Its blob holds the key in plain; `WrappedKeys` shows how to seal one.
 */
import { randomBytes } from "node:crypto";
import type {
  KeyAnswer,
  KeyProvider,
  KeyRequest,
  KeyUpdate,
  PersistedKey,
} from "../src/write/key-provider/index.js";

export interface RotatingKeysOptions {
  /** Seconds a key is used. */
  readonly lifetime: bigint;
  /** Seconds since 1970. */
  readonly now: () => bigint;
  readonly onUpdate?: (update: KeyUpdate) => void;
}

const KEY_SIZE = 32;
const TIME_SIZE = 8;

export class RotatingKeys implements KeyProvider {
  /** When the key was made, seconds since 1970, then its bytes. */
  private blob: Uint8Array = new Uint8Array(TIME_SIZE + KEY_SIZE);
  private isPersisted = false;

  constructor(private readonly options: RotatingKeysOptions) {}

  get key(): Uint8Array {
    return this.blob.subarray(TIME_SIZE);
  }
  private get createdAt(): bigint {
    return new DataView(this.blob.buffer).getBigUint64(0);
  }

  loadKey({ key }: PersistedKey): void {
    this.isPersisted = key.length === TIME_SIZE + KEY_SIZE;
    if (this.isPersisted) this.blob = key.slice();
    else this.rotate();
  }

  /** The size is asked for first: that is when a key that has expired is replaced. */
  getKey({ buffer }: KeyRequest): KeyAnswer {
    const { lifetime, now } = this.options;
    if (buffer === undefined && now() >= this.createdAt + lifetime) this.rotate();
    if (this.isPersisted) return { size: 0 };
    buffer?.set(this.blob);
    return { size: this.blob.length, timestamp: this.createdAt << 32n };
  }

  /** Without an LSN the key is offered again by the next checkpoint. */
  onKeyUpdate(update: KeyUpdate): void {
    this.isPersisted = update.lsn !== undefined;
    this.options.onUpdate?.(update);
  }

  private rotate(): void {
    this.blob = new Uint8Array(TIME_SIZE + KEY_SIZE);
    new DataView(this.blob.buffer).setBigUint64(0, this.options.now());
    this.blob.set(randomBytes(KEY_SIZE), TIME_SIZE);
    this.isPersisted = false;
  }
}
