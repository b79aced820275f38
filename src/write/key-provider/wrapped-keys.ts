/** A provider to use: data keys of its own, wrapped with AES-256-GCM under a passphrase or a key file. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scryptSync } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  DATA_KEY_SIZE,
  type DataKey,
  keyRing,
  scryptLimits,
  WRAP_NONCE_SIZE,
  WRAP_SALT_SIZE,
  WRAP_TAG_SIZE,
  type WrappedKeyHeader,
  wrappedKey,
  wrappedKeyHeader,
  wrappedKeyStart,
  wrapSecrets,
} from "../../../formats/wrapped-key.js";
import { FormatError } from "../../codec/error.js";
import { KeyProviderError } from "./key-error.js";
import type { KeyAnswer, KeyProvider, KeyRequest, KeyUpdate, PersistedKey } from "./types.js";

/** Either is turned into a sealing key anew for every blob, with a salt of its own. */
export type KeySecret =
  | { readonly passphrase: string | Uint8Array }
  /** Path of a file of at least 32 bytes nobody can guess. */
  | { readonly keyFile: string };

export interface WrappedKeysOptions {
  /** Data keys that are kept, the newest included; older ones are forgotten (default 8). */
  readonly keep?: number;
  /** scrypt's N as a logarithm (default 15, 32 MiB); 10 to 20. */
  readonly costLog2?: number;
  /** Seconds since 1970. */
  readonly now?: () => bigint;
  /** Where keys, salts and nonces come from: something else than the system's source is for tests only. */
  readonly random?: (size: number) => Uint8Array;
}

const CIPHER = "aes-256-gcm";
const SEALING_KEY_SIZE = 32;
const SCRYPT = { costLog2: 15, blockSize: 8, parallelization: 1 } as const;
const COST = scryptLimits.costLog2;
const MIN_KEY_FILE = 32;
const INFO = "pugmark wrapped keys";

/**
 * Loads the data keys from the persisted blob, or makes a first one where there is none. `rotate` makes a new one; the
 * next checkpoint persists it.
 */
export class WrappedKeys implements KeyProvider {
  private ring: DataKey[] = [];
  private offered: Uint8Array | undefined;
  private isDirty = false;
  private readonly keep: number;
  private readonly costLog2: number;
  private readonly now: () => bigint;
  private readonly random: (size: number) => Uint8Array;

  constructor(
    private readonly secret: KeySecret,
    options: WrappedKeysOptions = {},
  ) {
    this.keep = options.keep ?? 8;
    this.costLog2 = options.costLog2 ?? SCRYPT.costLog2;
    if (this.keep < 1 || !isCost(this.costLog2))
      throw new RangeError(`keep is at least 1, costLog2 ${COST.least} to ${COST.most}`);
    this.now = options.now ?? (() => BigInt(Math.floor(Date.now() / 1000)));
    this.random = options.random ?? randomBytes;
  }

  /** The data key in use; undefined before the database was opened. */
  get current(): DataKey | undefined {
    return this.ring.at(-1);
  }

  /** A data key that is still kept. */
  key(id: number): DataKey | undefined {
    return this.ring.find((key) => key.id === id);
  }

  /** Makes a new data key, which the next checkpoint persists with the older ones. */
  rotate(): void {
    const id = (this.current?.id ?? 0) + 1;
    this.ring.push({ id, createdAt: this.now(), key: Uint8Array.from(this.random(DATA_KEY_SIZE)) });
    for (const forgotten of this.ring.splice(0, Math.max(0, this.ring.length - this.keep)))
      forgotten.key.fill(0);
    this.isDirty = true;
  }

  /** @throws KeyProviderError `key-refused` for another secret, or what is no blob of this provider */
  loadKey({ key }: PersistedKey): void {
    const ring = key.length === 0 ? [] : this.unwrap(key);
    this.wipe();
    this.ring = ring;
    this.isDirty = false;
    if (ring.length === 0) this.rotate();
  }

  getKey({ buffer }: KeyRequest): KeyAnswer {
    if (!this.isDirty) return { size: 0 };
    if (buffer === undefined || this.offered === undefined) this.offered = this.wrap();
    buffer?.set(this.offered);
    return { size: this.offered.length, timestamp: (this.current?.createdAt ?? 0n) << 32n };
  }

  onKeyUpdate({ lsn }: KeyUpdate): void {
    this.offered = undefined;
    if (lsn !== undefined) this.isDirty = false;
  }

  terminate(): void {
    this.wipe();
  }

  private wipe(): void {
    for (const { key } of this.ring) key.fill(0);
    this.ring = [];
    this.offered = undefined;
  }

  private wrap(): Uint8Array {
    const header = this.newHeader();
    const sealingKey = this.sealingKey(header);
    const plain = keyRing.build({ keys: this.ring });
    const cipher = createCipheriv(CIPHER, sealingKey, header.nonce, { authTagLength: WRAP_TAG_SIZE });
    cipher.setAAD(wrappedKeyHeader.build(header));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    sealingKey.fill(0);
    plain.fill(0);
    return wrappedKey.build({ header, tag: cipher.getAuthTag(), sealed });
  }

  private newHeader(): WrappedKeyHeader {
    const passphrase = "passphrase" in this.secret;
    return {
      ...wrappedKeyStart,
      secret: passphrase ? wrapSecrets.passphrase : wrapSecrets.keyFile,
      costLog2: passphrase ? this.costLog2 : 0,
      blockSize: passphrase ? SCRYPT.blockSize : 0,
      parallelization: passphrase ? SCRYPT.parallelization : 0,
      salt: this.random(WRAP_SALT_SIZE),
      nonce: this.random(WRAP_NONCE_SIZE),
    };
  }

  private unwrap(blob: Uint8Array): DataKey[] {
    try {
      const { header, tag, sealed } = wrappedKey.parse(blob);
      const sealingKey = this.sealingKey(header);
      const decipher = createDecipheriv(CIPHER, sealingKey, header.nonce, { authTagLength: WRAP_TAG_SIZE });
      decipher.setAAD(wrappedKeyHeader.build(header)).setAuthTag(tag);
      sealingKey.fill(0);
      const opened = decipher.update(sealed);
      const plain = Buffer.concat([opened, finish(decipher)]);
      opened.fill(0);
      const { keys } = keyRing.parse(plain);
      const ring = keys.map(({ key, ...rest }) => ({ ...rest, key: Uint8Array.from(key) }));
      plain.fill(0);
      return ring;
    } catch (error) {
      if (error instanceof FormatError)
        throw refusal("the key blob is not one of this provider, or of a cost that is not accepted");
      throw error;
    }
  }

  private sealingKey(header: WrappedKeyHeader): Uint8Array {
    const { salt } = header;
    if ("passphrase" in this.secret) {
      const { costLog2, blockSize, parallelization } = header;
      if (header.secret !== wrapSecrets.passphrase)
        throw refusal("the key blob was not made with a passphrase");
      const N = 2 ** costLog2;
      const maxmem = 256 * N * blockSize;
      const options = { N, r: blockSize, p: parallelization, maxmem };
      return scryptSync(this.secret.passphrase, salt, SEALING_KEY_SIZE, options);
    }
    if (header.secret !== wrapSecrets.keyFile) throw refusal("the key blob was not made with a key file");
    const secret = readFileSync(this.secret.keyFile);
    if (secret.length < MIN_KEY_FILE) throw refusal(`a key file has at least ${MIN_KEY_FILE} bytes`);
    const key = new Uint8Array(hkdfSync("sha256", secret, salt, INFO, SEALING_KEY_SIZE));
    secret.fill(0);
    return key;
  }
}

const isCost = (log2: number): boolean => Number.isInteger(log2) && log2 >= COST.least && log2 <= COST.most;
const refusal = (message: string): KeyProviderError => new KeyProviderError("key-refused", message);

function finish(decipher: ReturnType<typeof createDecipheriv>): Uint8Array {
  try {
    return decipher.final();
  } catch {
    throw refusal("the secret does not open the key blob, or the blob is damaged");
  }
}
