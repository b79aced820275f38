/** What is said between a checkpoint and its key provider, and what is kept of it: nothing but the page's LSN. */
import { type CryptGeneration, type CryptPage, cryptPage } from "../../../formats/crypt-page.js";
import { FormatError } from "../../codec/error.js";
import { type CrashHook, CrashReached } from "../../store/crash-point.js";
import { KeyProviderError } from "./key-error.js";
import type { KeyAnswer, KeyProvider, KeyRequest, PersistedKey } from "./types.js";

/** Bytes of the largest blob that is persisted unless another limit is set. */
export const MAX_KEY_SIZE = 64 * 1024;
/** The size field of the crypt header has 32 bits. */
const LARGEST_LIMIT = 0xffff_ffff;

export interface KeyExchangeOptions {
  /** Layout of the key page. */
  readonly generation: CryptGeneration;
  /** Bytes of the largest blob that is taken (default 64 KiB). */
  readonly maxKeySize?: number | undefined;
  readonly onCrashPoint?: CrashHook | undefined;
}

export class KeyExchange {
  private readonly maxKeySize: number;

  constructor(
    private readonly provider: KeyProvider,
    private readonly options: KeyExchangeOptions,
  ) {
    const { maxKeySize = MAX_KEY_SIZE } = options;
    if (!Number.isSafeInteger(maxKeySize) || maxKeySize < 1 || maxKeySize > LARGEST_LIMIT)
      throw new RangeError(`a key size limit of ${maxKeySize} bytes; it can be 1 to ${LARGEST_LIMIT}`);
    this.maxKeySize = maxKeySize;
  }

  /**
   * Hands the persisted key to the provider: the key page, or undefined when there never was one. The bytes handed
   * over are wiped afterwards.
   * @throws KeyProviderError `key-page`, `key-provider-failed`
   */
  load(page: Uint8Array | undefined, lsn: bigint): void {
    const key = persistedKey(page, lsn);
    try {
      this.call("loadKey", (provider) => provider.loadKey(key));
    } finally {
      key.key.fill(0);
    }
  }

  /**
   * Asks for a new key, puts its page and tells the provider. The LSN of the page; undefined when there is no new key.
   * @throws KeyProviderError, or what `put` throws; the provider was told of the error, and nothing of the key is left
   */
  persist(checkpointTimestamp: bigint, put: (page: Uint8Array) => bigint): bigint | undefined {
    const lsn = this.attempt(() => this.putNewKey(checkpointTimestamp, put));
    if (lsn !== undefined) this.at("after-key-update");
    return lsn;
  }

  /** Tells the provider of a page that was put again. @throws KeyProviderError */
  moved(lsn: bigint): void {
    this.call("onKeyUpdate", (provider) => provider.onKeyUpdate({ lsn }));
  }

  /** Tells the provider that its key is not persisted. What the provider throws is of no use any more. */
  failed(error: Error): void {
    try {
      this.provider.onKeyUpdate({ error });
    } catch {
      // The checkpoint fails for the first error.
    }
  }

  private putNewKey(checkpointTimestamp: bigint, put: (page: Uint8Array) => bigint): bigint | undefined {
    this.at("before-get-key-size");
    const first = this.ask({ checkpointTimestamp });
    if (first.size === 0) return undefined;
    this.checkSize(first.size);
    const buffer = new Uint8Array(first.size);
    try {
      this.at("between-get-key");
      checkAgreement(first, this.ask({ checkpointTimestamp, buffer }));
      this.at("after-get-key");
      const lsn = this.putPage(buffer, first.timestamp ?? 0n, put);
      this.at("before-key-update");
      this.tell(lsn);
      return lsn;
    } finally {
      buffer.fill(0);
    }
  }

  private putPage(blob: Uint8Array, timestamp: bigint, put: (page: Uint8Array) => bigint): bigint {
    const page = buildKeyPage(this.options.generation, blob, timestamp);
    try {
      return put(page);
    } finally {
      page.fill(0);
    }
  }

  private tell(lsn: bigint): void {
    try {
      this.moved(lsn);
    } catch (error) {
      // It knows already what it refuses to hear.
      throw new Told(error);
    }
  }

  /** A hook that stands for a killed process stops everything: nobody is told anything then. */
  private attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof Told) throw error.reason;
      if (!(error instanceof CrashReached)) this.failed(asError(error));
      throw error;
    }
  }

  private ask(request: KeyRequest): KeyAnswer {
    return this.call("getKey", (provider) => provider.getKey(request));
  }

  private call<T>(name: string, use: (provider: KeyProvider) => T): T {
    try {
      return use(this.provider);
    } catch (cause) {
      if (cause instanceof KeyProviderError) throw cause;
      throw new KeyProviderError("key-provider-failed", `the key provider failed in ${name}`, { cause });
    }
  }

  private checkSize(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new KeyProviderError("key-size", "the key provider names a size that is no number of bytes");
    if (size > this.maxKeySize)
      throw new KeyProviderError(
        "key-size",
        `a key blob of ${size} bytes; at most ${this.maxKeySize} are persisted`,
      );
  }

  private at(point: Parameters<CrashHook>[0]): void {
    this.options.onCrashPoint?.(point);
  }
}

/** Wraps an error the provider has caused by refusing an update. */
class Told {
  constructor(readonly reason: unknown) {}
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error("the checkpoint failed", { cause: thrown });

function checkAgreement(first: KeyAnswer, second: KeyAnswer): void {
  const differs =
    first.size !== second.size
      ? `sizes: ${first.size} and ${second.size} bytes`
      : (first.timestamp ?? 0n) !== (second.timestamp ?? 0n)
        ? `timestamps: ${first.timestamp ?? 0n} and ${second.timestamp ?? 0n}`
        : undefined;
  if (differs !== undefined)
    throw new KeyProviderError("key-calls-disagree", `the two calls of getKey give different ${differs}`);
}

/**
 * A key page: crypt header and blob.
 * @param timestamp kept by generation K3 only
 */
export function buildKeyPage(generation: CryptGeneration, blob: Uint8Array, timestamp: bigint): Uint8Array {
  const own = generation === "K3" ? { timestamp } : generation.startsWith("K1") ? { flags: 0 } : {};
  return cryptPage.build({ generation, blob, ...own } as CryptPage);
}

/** @throws KeyProviderError `key-page` */
function persistedKey(page: Uint8Array | undefined, lsn: bigint): PersistedKey {
  if (page === undefined) return { lsn: 0n, timestamp: 0n, key: new Uint8Array() };
  try {
    const value = cryptPage.parse(page);
    const timestamp = "timestamp" in value ? (value.timestamp ?? 0n) : 0n;
    return { lsn, timestamp, key: Uint8Array.from(value.blob) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new KeyProviderError("key-page", `the key page at LSN ${lsn} cannot be read: ${error.code}`);
  }
}
