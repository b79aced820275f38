/**
 * Coverage as a fuzzer needs it: was anything new reached? Istanbul counts how often, in objects that jsfuzz adds up
 * after each input; both take longer than most inputs. Here every place has one byte that is set the first time, and
 * jsfuzz is shown a list that grows by one whenever something new was reached.
 */

declare global {
  var __coverage__: Record<string, unknown> | undefined;
  var __reached__: Record<string, Reached> | undefined;
}

/** What an instrumented file keeps in `__reached__`, under its path. */
interface Reached {
  /** One byte a place: whether it was reached. */
  readonly places: Uint8Array;
  /** One number: places reached for the first time since it was last set to 0. */
  readonly fresh: Int32Array;
}

/** How Istanbul's code begins, and how it counts statements, functions and branches. */
const HEADER = /^var (cov_\w+)=function\(\)\{var path=.*?return coverage\[path\]=coverageData;\}\(\);/s;
const counter = (name: string): RegExp =>
  new RegExp(`\\b${name}\\.(?:([sf])\\[(\\d+)\\]|b\\[(\\d+)\\]\\[(\\d+)\\])\\+\\+`, "g");

/** Istanbul's code with places in place of its counters; undefined when it has another form. */
export function withPlaces(code: string, file: string): string | undefined {
  const [header, name] = HEADER.exec(code) ?? [];
  if (header === undefined || name === undefined) return undefined;
  const places = new Map<string, number>();
  const body = code.slice(header.length).replaceAll(counter(name), (count: string) => {
    const place = places.get(count) ?? places.size;
    places.set(count, place);
    return `(__places[${place}]||__reach(${place}))`;
  });
  return `${prelude(file, places.size)}${body}`;
}

const prelude = (file: string, size: number): string =>
  `const __places=new Uint8Array(${size}),__fresh=new Int32Array(1);` +
  "function __reach(place){__places[place]=1;__fresh[0]++;}" +
  `(globalThis.__reached__??={})[${JSON.stringify(file)}]={places:__places,fresh:__fresh};`;

export class CoverageCounters {
  constructor(private readonly counted: Reached) {
    this.note();
  }

  get total(): number {
    return this.counted.places.length;
  }

  /** Whether something was reached for the first time since it was last asked. */
  note(): boolean {
    const { fresh } = this.counted;
    if (fresh[0] === 0) return false;
    fresh[0] = 0;
    return true;
  }

  /** The places reached since `reset`, for comparing inputs. */
  hits(): number[] {
    const found: number[] = [];
    this.counted.places.forEach((reached, place) => {
      if (reached !== 0) found.push(place);
    });
    return found;
  }

  reset(): void {
    this.counted.places.fill(0);
  }
}

/** The counters of an instrumented file that is loaded. */
export function takeCounters(file: string): CoverageCounters {
  const counted = globalThis.__reached__?.[file];
  if (counted === undefined) throw new Error(`${file} has no coverage counters`);
  return new CoverageCounters(counted);
}
