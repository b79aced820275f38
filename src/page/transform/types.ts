/** What a compressor or encryptor plug-in has to offer. */

/**
 * A compressor as the engine stores its output: prefix included, zero padding tolerated behind the stream.
 * Every method throws only `FormatError`, whose `offset` counts from the first byte of `stored`.
 */
export interface Compressor {
  /** As in the engine's `block_compressor=`. */
  readonly name: string;
  /** Which code does the work, e.g. `built-in`. */
  readonly implementation: string;

  /** Cheap evidence, from prefix and stream header alone: could `stored` inflate to `expectedLength` bytes? */
  plausible(stored: Uint8Array, expectedLength: number): boolean;

  /**
   * Inflates to exactly `expectedLength` bytes, which the caller has bounded. They lie behind `headroom` zero bytes,
   * so that the caller can put what was not compressed in front without another copy: the result has
   * `headroom + expectedLength` bytes. Memory to be used again may be given in `into`, which is at least that long; a
   * codec is free to leave it alone.
   */
  decompress(stored: Uint8Array, expectedLength: number, headroom?: number, into?: Uint8Array): Uint8Array;

  /** The stored form of `plain`. It may be longer than `plain`: then the engine keeps the block uncompressed. */
  compress(plain: Uint8Array): Uint8Array;
}

/** The algorithm alone, without the engine's prefix; offsets in errors count from the first byte of the stream. */
export interface StreamCodec {
  readonly implementation: string;
  /** Inflates to exactly `expectedLength` bytes behind `headroom` zero bytes, or throws `FormatError`. */
  decode(stream: Uint8Array, expectedLength: number, headroom: number, into?: Uint8Array): Uint8Array;
  encode(plain: Uint8Array): Uint8Array;
}

/** Where an encrypted block was found: some encryptors derive their key from it. */
export interface EncryptionContext {
  tableId?: bigint;
  pageId?: bigint;
  lsn?: bigint;
}

/** An encryptor. The engine's length field in front of its output is not its concern. Throws only `FormatError`. */
export interface Encryptor {
  /** As in the engine's `encryption=(name=)`. */
  readonly name: string;
  /** From the encryptor's output back to the bytes behind the header. */
  decrypt(output: Uint8Array, context: EncryptionContext): Uint8Array;
  encrypt(plain: Uint8Array, context: EncryptionContext): Uint8Array;
}
