/** Providers written for the first design of the interface, whose calls had other names. */
import type { KeyAnswer, KeyProvider, KeyRequest } from "./types.js";

/**
 * | first design | now |
 * |---|---|
 * | `load_key_blob(blob)` | `loadKey` |
 * | `has_changes()` | first call of `getKey`: size 0 = no |
 * | `get_key_blob()` | both calls of `getKey`: the size, then the bytes |
 * | `get_key_complete(lsn, error)` | `onKeyUpdate` |
 *
 * It had no timestamps: keys of such a provider have none (0).
 */
export interface FirstDesignProvider {
  load_key_blob(blob: Uint8Array): void;
  has_changes(): boolean;
  get_key_blob(): Uint8Array;
  /** The LSN is 0 when there is an error. */
  get_key_complete(lsn: bigint, error: Error | undefined): void;
}

/** A provider of the first design as one of today's. */
export function fromFirstDesign(provider: FirstDesignProvider): KeyProvider {
  let offered: Uint8Array | undefined;
  const wipe = (): void => {
    offered?.fill(0);
    offered = undefined;
  };
  return {
    loadKey: ({ key }) => provider.load_key_blob(key),
    getKey({ buffer }: KeyRequest): KeyAnswer {
      if (buffer === undefined) {
        wipe();
        if (!provider.has_changes()) return { size: 0 };
        offered = Uint8Array.from(provider.get_key_blob());
      } else if (offered !== undefined) buffer.set(offered);
      return { size: offered?.length ?? 0 };
    },
    onKeyUpdate({ lsn = 0n, error }) {
      wipe();
      provider.get_key_complete(lsn, error);
    },
  };
}
