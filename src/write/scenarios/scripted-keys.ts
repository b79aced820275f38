/** The key provider of scenarios: rotates when told to, and fails where it is told to. */
import { encodeText } from "../../codec/text.js";
import type { KeyAnswer, KeyProvider, KeyRequest, KeyUpdate, PersistedKey } from "../key-provider/types.js";

/** What the provider does wrong, once. */
export type KeyFault = "size call fails" | "bytes call fails" | "calls disagree" | "update call fails";

const BLOB_SIZE = 600;

/** Keys are text, so that a search for them finds any that leaks. They tell seed and number. */
export class ScriptedKeys implements KeyProvider {
  /** Done by the next call it concerns. */
  fault: KeyFault | undefined;
  /** What the provider was told, LSN or error. */
  readonly updates: KeyUpdate[] = [];
  /** The blob that was handed to it last, empty for none. */
  loaded: Uint8Array = new Uint8Array();
  private current: Uint8Array = new Uint8Array();
  private isNew = false;

  constructor(
    private readonly seed: number,
    /** Numbers the keys of all providers of a scenario. */
    private readonly nextNumber: () => number,
  ) {}

  /** The newest key, whether or not it is persisted. */
  get blob(): Uint8Array {
    return this.current;
  }

  rotate(): void {
    const start = `KEK ${this.seed}.${this.nextNumber()} `;
    this.current = encodeText(
      start.repeat(Math.ceil(BLOB_SIZE / start.length)).slice(0, BLOB_SIZE + (this.seed % 7)),
    );
    this.isNew = true;
  }

  loadKey({ key }: PersistedKey): void {
    this.loaded = key.slice();
    this.current = key.slice();
    this.isNew = false;
    if (key.length === 0) this.rotate();
  }

  getKey({ buffer }: KeyRequest): KeyAnswer {
    this.trip(buffer === undefined ? "size call fails" : "bytes call fails");
    if (!this.isNew) return { size: 0 };
    buffer?.set(this.current);
    const odd = buffer !== undefined && this.takes("calls disagree") ? 1 : 0;
    return { size: this.current.length + odd, timestamp: BigInt(this.current.length) };
  }

  onKeyUpdate(update: KeyUpdate): void {
    this.updates.push(update);
    if (update.lsn === undefined) return;
    this.trip("update call fails");
    this.isNew = false;
  }

  private takes(fault: KeyFault): boolean {
    if (this.fault !== fault) return false;
    this.fault = undefined;
    return true;
  }

  private trip(fault: KeyFault): void {
    if (this.takes(fault)) throw new Error(`scripted: ${fault}`);
  }
}
