/** Key providers: the interface, its push form and its first form, and a provider that wraps keys with a secret. */
export { type FirstDesignProvider, fromFirstDesign } from "./first-design.js";
export { KeyProviderError, type KeyProviderErrorCode } from "./key-error.js";
export { buildKeyPage, MAX_KEY_SIZE } from "./key-exchange.js";
export { PushedKeys } from "./pushed-keys.js";
export type { KeyAnswer, KeyProvider, KeyRequest, KeyUpdate, PersistedKey } from "./types.js";
export { type KeySecret, WrappedKeys, type WrappedKeysOptions } from "./wrapped-keys.js";
