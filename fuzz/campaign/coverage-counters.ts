/**
 * Coverage as a fuzzer needs it: was anything new reached? Istanbul's counters are plain objects, and adding all of
 * them up after each input, as jsfuzz does, takes longer than most inputs. Here they lie in one array, and jsfuzz is
 * shown a list that grows by one whenever something new was reached.
 */

interface IstanbulCoverage {
  s: Record<string, number> | Uint32Array;
  f: Record<string, number> | Uint32Array;
  b: Record<string, number[] | Uint32Array>;
}

declare global {
  var __coverage__: Record<string, unknown> | undefined;
}

export class CoverageCounters {
  private readonly counters: Uint32Array;
  private readonly seen: Uint8Array;
  /** Counters that were reached at least once. */
  reached = 0;

  constructor(coverage: IstanbulCoverage) {
    const sizes = [Object.keys(coverage.s).length, Object.keys(coverage.f).length];
    const branches = Object.entries(coverage.b).map(([key, counts]) => [key, counts.length] as const);
    const total = [...sizes, ...branches.map(([, count]) => count)].reduce((sum, size) => sum + size, 0);
    this.counters = new Uint32Array(total);
    this.seen = new Uint8Array(total);
    let at = 0;
    const part = (length: number, old: ArrayLike<number>): Uint32Array => {
      const view = this.counters.subarray(at, at + length);
      view.set(old);
      at += length;
      return view;
    };
    coverage.s = part(sizes[0] as number, Object.values(coverage.s));
    coverage.f = part(sizes[1] as number, Object.values(coverage.f));
    for (const [key, length] of branches) coverage.b[key] = part(length, coverage.b[key] as number[]);
    this.note();
  }

  get total(): number {
    return this.counters.length;
  }

  /** Whether something was reached for the first time since it was last asked. */
  note(): boolean {
    const { counters, seen } = this;
    let fresh = 0;
    for (let i = 0; i < counters.length; i++)
      if (counters[i] !== 0 && seen[i] === 0) {
        seen[i] = 1;
        fresh++;
      }
    this.reached += fresh;
    return fresh > 0;
  }

  /** The counters reached since `reset`, for comparing inputs. */
  hits(): number[] {
    const found: number[] = [];
    this.counters.forEach((count, index) => {
      if (count !== 0) found.push(index);
    });
    return found;
  }

  reset(): void {
    this.counters.fill(0);
  }
}

/** Takes the counters of the one instrumented file away from the global, so that nobody else adds them up. */
export function takeCounters(file: string): CoverageCounters {
  const coverage = globalThis.__coverage__?.[file] as IstanbulCoverage | undefined;
  if (coverage === undefined) throw new Error(`${file} has no coverage counters`);
  globalThis.__coverage__ = {};
  return new CoverageCounters(coverage);
}
