/** Why a key cannot be persisted or loaded. Messages never hold bytes of a blob, nor the provider's own words. */
export type KeyProviderErrorCode =
  /** The provider threw; `cause` is what it threw. */
  | "key-provider-failed"
  /** The two calls of `getKey` differ. */
  | "key-calls-disagree"
  /** A blob above the size limit, or a size that is no number of bytes. */
  | "key-size"
  /** The first checkpoint with a provider needs a key, and there is none. */
  | "key-missing"
  /** Not above the timestamps before, or not above the stable timestamp. */
  | "key-timestamp"
  /** The provider has no push form. */
  | "key-not-pushed"
  /** The key page a checkpoint names is missing or damaged. */
  | "key-page"
  /** A provider's own: the blob is not one of its own, or the secret does not open it. */
  | "key-refused";

export class KeyProviderError extends Error {
  override readonly name = "KeyProviderError";

  constructor(
    readonly code: KeyProviderErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
