/**
 * The engine's library made to start at once. Opening a database measures the processor's clock by counting to a hundred
 * million, three times: half a second in which nothing is looked at, at every start of `wt`. A private copy of the
 * library counts to a hundred thousand.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAME = "libwiredtiger.so.0";
/** `cmp rax, 99999999; jbe`; where its number is; a byte behind it `rdtsc`. */
const COMPARE = Buffer.from("483dffe0f50576", "hex");
const NUMBER_AT = 2;
const RDTSC = 0x310f;
const FEWER = 99_999;

/**
 * Writes the copy into `folder`.
 * @returns The environment `wt` finds it by; undefined where the library is another build, which is then used as it is.
 */
export function quickStart(folder: string, libraries: string): NodeJS.ProcessEnv | undefined {
  const original = join(libraries, NAME);
  if (!existsSync(original)) return undefined;
  const library = readFileSync(original);
  const places = placesOf(library);
  const [place] = places;
  if (place === undefined || places.length > 1) return undefined;
  library.writeUInt32LE(FEWER, place + NUMBER_AT);
  writeFileSync(join(folder, NAME), library);
  return { ...process.env, LD_LIBRARY_PATH: folder };
}

function placesOf(library: Buffer): number[] {
  const places: number[] = [];
  for (let at = library.indexOf(COMPARE); at >= 0; at = library.indexOf(COMPARE, at + 1))
    if (library.readUInt16LE(at + COMPARE.length + 1) === RDTSC) places.push(at);
  return places;
}
