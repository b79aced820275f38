/** A fuzzer's bytes as a source of decisions: what was drawn can be drawn again, and a shorter input decides less. */
import type { RandomSource } from "../src/codec/index.js";

/** Draws from the bytes in turn; zeros from their end on. */
export class Tape implements RandomSource {
  private at = 0;

  constructor(private readonly input: Uint8Array) {}

  get left(): number {
    return this.input.length - this.at;
  }

  /** As few bytes as the bound needs, so that one byte of input is one decision wherever that is possible. */
  below(bound: number): number {
    if (bound <= 1) return 0;
    let value = this.byte();
    for (let reach = 0x100; reach < bound; reach *= 0x100) value = value * 0x100 + this.byte();
    return value % bound;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.byte());
  }

  /** All that is left. */
  rest(): Uint8Array {
    const rest = this.input.subarray(this.at);
    this.at = this.input.length;
    return rest;
  }

  private byte(): number {
    return this.input[this.at++] ?? 0;
  }
}
