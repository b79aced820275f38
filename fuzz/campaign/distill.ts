/** The inputs of a corpus that together reach all that it reaches, the smallest first. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FuzzTarget } from "../target.js";
import { instrumentedBundle, loadTargets } from "./bundle.js";
import { takeCounters } from "./coverage-counters.js";

export interface Distilled {
  /** Paths of the inputs to keep. */
  readonly keep: readonly string[];
  readonly drop: readonly string[];
  /** Coverage counters reached. */
  readonly reached: number;
}

/** Loads the instrumented targets; one process can do so once. */
export class Distiller {
  private readonly targetByName: (name: string) => FuzzTarget | undefined;
  private readonly counters;

  constructor(bundle = instrumentedBundle()) {
    this.targetByName = loadTargets(bundle);
    this.counters = takeCounters(bundle);
  }

  /** Inputs that break the target are kept. */
  distill(target: string, folders: readonly string[]): Distilled {
    const fuzz = this.targetByName(target)?.fuzz;
    if (fuzz === undefined) throw new RangeError(`no target ${target}`);
    const seen = new Set<number>();
    const contents = new Set<string>();
    const keep: string[] = [];
    const drop: string[] = [];
    for (const { file, input } of inputsOf(folders)) {
      const content = Buffer.from(input).toString("latin1");
      const adds = !contents.has(content) && this.adds(fuzz, input, seen);
      contents.add(content);
      (adds ? keep : drop).push(file);
    }
    return { keep, drop, reached: seen.size };
  }

  private adds(fuzz: FuzzTarget["fuzz"], input: Uint8Array, seen: Set<number>): boolean {
    this.counters.reset();
    let broken = false;
    try {
      fuzz(input);
    } catch {
      broken = true;
    }
    const before = seen.size;
    for (const hit of this.counters.hits()) seen.add(hit);
    return broken || seen.size > before;
  }
}

function inputsOf(folders: readonly string[]): Array<{ file: string; input: Uint8Array }> {
  return folders
    .flatMap((folder) =>
      readdirSync(folder)
        .sort()
        .map((name) => join(folder, name)),
    )
    .map((file) => ({ file, input: new Uint8Array(readFileSync(file)) }))
    .sort((a, b) => a.input.length - b.input.length);
}
