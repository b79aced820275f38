/** The smallest input that still breaks a target in the same way: by structure first, then byte by byte. */
import { formats } from "../../formats/registry.js";
import { type AnyFormat, sitesOf } from "../mutate/site.js";
import { isRaw } from "../target.js";
import type { Outcome } from "./runner.js";

export interface MinimizeOptions {
  /** Tries at most (default 20,000). */
  readonly tries?: number;
  readonly onProgress?: (length: number, tries: number) => void;
}

type Try = (input: Uint8Array) => Promise<Outcome>;

/** @throws RangeError when the input does not break the target at all. */
export async function minimize(
  target: string,
  input: Uint8Array,
  run: Try,
  options: MinimizeOptions = {},
): Promise<{ input: Uint8Array; outcome: Outcome; tries: number }> {
  const outcome = await run(input);
  if (outcome.kind === "fine") throw new RangeError("the input does not break the target");
  // A Buffer's slice is no copy.
  const search = new Search(Uint8Array.from(input), outcome.signature, run, options);
  const format = formats.find(({ name }) => target === `format-${name.replaceAll(":", "-")}`);
  if (format !== undefined && isRaw(input)) await search.byStructure(format);
  await search.byChunks();
  await search.byValues();
  return { input: search.best, outcome, tries: search.tries };
}

const isSame = (outcome: Outcome, signature: string): boolean =>
  outcome.kind !== "fine" && outcome.signature === signature;

class Search {
  tries = 0;
  private readonly most: number;

  constructor(
    public best: Uint8Array,
    private readonly signature: string,
    private readonly run: Try,
    private readonly options: MinimizeOptions,
  ) {
    this.most = options.tries ?? 20_000;
  }

  /** Whether the candidate breaks in the same way; then it is the best so far. */
  private async accept(candidate: Uint8Array): Promise<boolean> {
    if (this.tries >= this.most) return false;
    this.tries++;
    if (!isSame(await this.run(candidate), this.signature)) return false;
    this.best = candidate;
    this.options.onProgress?.(candidate.length, this.tries);
    return true;
  }

  /** Fields and elements are left out whole, the last first, as long as any can be. */
  async byStructure(format: AnyFormat): Promise<void> {
    for (let again = true; again && this.tries < this.most; ) {
      again = false;
      const sites = sitesOf(format, this.best.subarray(1)).reverse();
      for (const { start, end } of sites) {
        if (end + 1 > this.best.length || end === start) continue;
        if (await this.accept(without(this.best, start + 1, end + 1))) again = true;
      }
    }
  }

  /** Chunks are left out, halving their size down to a byte. */
  async byChunks(): Promise<void> {
    for (let size = this.best.length >> 1; size >= 1; size >>= 1)
      for (let at = this.best.length - size; at >= 0; at -= size)
        if (at + size <= this.best.length) await this.accept(without(this.best, at, at + size));
  }

  /** Bytes that do not matter become zero. */
  async byValues(): Promise<void> {
    for (let at = 0; at < this.best.length; at++) {
      if (this.best[at] === 0) continue;
      const candidate = this.best.slice();
      candidate[at] = 0;
      await this.accept(candidate);
    }
  }
}

function without(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const rest = new Uint8Array(bytes.length - (end - start));
  rest.set(bytes.subarray(0, start));
  rest.set(bytes.subarray(end), start);
  return rest;
}
