/** Blocks of every generation: decoding bears anything, and the two readers of cells agree. */
import { page } from "../../formats/page.js";
import { MAX_BITS_PER_RECORD } from "../../formats/page-content.js";
import { pageTypes } from "../../formats/page-header.js";
import { seededRandom } from "../../src/codec/index.js";
import { decodePage, type PageLayout, PageWalker, pageForms, pageLayout } from "../../src/page/index.js";
import { corpusSeeds } from "../corpus.js";
import { dictionaryOf } from "../mutate/dictionary.js";
import { mutate } from "../mutate/mutate.js";
import { seals } from "../mutate/seal.js";
import { sitesOf } from "../mutate/site.js";
import { encodeScalar, interestingValue, type ScalarNode } from "../mutate/values.js";
import { Tape } from "../tape.js";
import { Broken, DECIDED, type FuzzTarget, isRaw, RAW } from "../target.js";

const SEEDS = 24;
const MAX_CHANGES = 4;
/** Inputs that grow are cut here: the largest page of the corpus is smaller, bytes. */
const MAX_BLOCK = 256 * 1024;

export const pagesTarget: FuzzTarget = {
  name: "pages",
  oracle:
    "a block is decoded as far as it can be, issues lie within it; the walker finds a page sound exactly when the " +
    "declared cell codec does",
  *seeds() {
    for (let seed = 0; seed < SEEDS; seed++)
      yield Uint8Array.of(
        DECIDED,
        11 * seed,
        seed % seals.length,
        seed % MAX_CHANGES,
        ...seededRandom(seed).bytes(16),
      );
    // A header's number one off, of pages that are otherwise as they were.
    for (let seed = 0; seed < SEEDS; seed++)
      yield Uint8Array.of(DECIDED, 11 * seed, 0, 0, 0, 2, seed, 3 + 2 * (seed & 1));
    for (const block of bases()) if (block.length < 4096) yield Uint8Array.of(RAW, ...block);
  },
  dictionary: () => dictionaryOf(page),
  fuzz(input) {
    const block = isRaw(input) ? input.subarray(1) : decided(new Tape(input.subarray(1)));
    check(block.subarray(0, MAX_BLOCK));
  },
};

let known: Uint8Array[] | undefined;
/** Real pages, and generated ones for the generations that are not in the corpus. */
function bases(): Uint8Array[] {
  known ??= [
    ...corpusSeeds("format-page").flatMap((seed) => (isRaw(seed) ? [seed.subarray(1)] : [])),
    ...page.generations.flatMap((generation) =>
      [1, 2, 3].map((seed) => page.build(page.generate(seededRandom(seed), { generation }))),
    ),
  ];
  return known;
}

function decided(tape: Tape): Uint8Array {
  const pages = bases();
  const base = pages[tape.below(256) % pages.length] as Uint8Array;
  const seal = seals[tape.below(seals.length)] ?? "none";
  const changes = tape.below(MAX_CHANGES);
  const other = pages[tape.below(256) % pages.length] as Uint8Array;
  const mutant = mutate(page, base, tape, { changes, seal, other });
  const lies = tape.below(3);
  return lies === 0 ? mutant : withLie(lies === 1 ? mutant : base, tape);
}

/** Cells are so many that changes anywhere seldom fall on the header's numbers, which count and measure them. */
const LIES = /^header\.(entries|memSize|recno|flags)$/;

/** One of the header's numbers does not fit the page. */
function withLie(block: Uint8Array, tape: Tape): Uint8Array {
  const numbers = sitesOf(page, block).filter(({ path, kind }) => kind === "field" && LIES.test(path));
  const site = numbers[tape.below(numbers.length)];
  if (site === undefined) return block;
  const { start, end } = site;
  const node = site.node as ScalarNode;
  const current = BigInt(`0x${Buffer.from(block.subarray(start, end)).reverse().toString("hex")}`);
  const near = current + BigInt(tape.below(9)) - 4n;
  const changed = block.slice();
  changed.set(encodeScalar(node, tape.below(2) === 0 ? near : interestingValue(node, current, tape)), start);
  return changed;
}

const walker = new PageWalker();

function check(block: Uint8Array): void {
  const { issues, headers, transformed } = decodePage(block);
  for (const { code, offset } of issues)
    if (offset === undefined || offset < 0 || offset > block.length)
      throw new Broken(`${code} at ${offset} of ${block.length}`);
  if (headers === undefined || transformed || issues.some(isOfHeaders)) return;
  const layout = pageLayout(headers);
  const readings = generationsOf(headers.generation, layout.form).flatMap((generation) =>
    paramsOf(layout).map((params) => page.read(block, { generation, params })),
  );
  if (readings.length === 0 || readings.some(({ issues: found }) => found.some(isOfHeaders))) return;
  const declared = readings.map(({ issues: found }) => found.find(isOfPayload)?.code ?? "sound");
  const walked = walker.walk(block, layout) ? "sound" : (walker.defects[0]?.code ?? "unsound");
  if (declared.includes("sound") !== (walked === "sound"))
    throw new Broken(`declared as ${headers.generation}: ${declared.join(", ")}; walked: ${walked}`);
}

/** A fixed-length column store's page is of as many bits a record as make it sound: it does not say how many. */
function paramsOf({ type }: PageLayout): Array<Record<string, number>> {
  if (type !== pageTypes.columnFixed) return [{ plain: 1 }];
  return Array.from({ length: MAX_BITS_PER_RECORD }, (_, bits) => ({ plain: 1, bitsPerRecord: bits + 1 }));
}

/** What headers say of the payload, and the payload does not bear out: the walker finds that, too. */
const SAID_OF_PAYLOAD: ReadonlySet<string> = new Set(["entry-count", "data-length", "record-number"]);
/** Headers are not the walker's: where they are wrong by themselves there is nothing to compare. */
const isOfHeaders = ({ path, severity, code }: { path: string; severity: string; code: string }): boolean =>
  severity === "error" &&
  /^(header|block)(\.|$)/.test(path) &&
  !path.endsWith("checksum") &&
  !SAID_OF_PAYLOAD.has(code);

/** Bytes behind an image are not the walker's either. */
const NOT_WALKED: ReadonlySet<string> = new Set(["checksum", "trailing-bytes"]);
const isOfPayload = ({ severity, code }: { severity: string; code: string }): boolean =>
  severity === "error" && !NOT_WALKED.has(code);

/** What the declared codec calls blocks with such headers. A D1 delta has one of two forms; others have none. */
function generationsOf(header: string, form: PageLayout["form"]): string[] {
  if (form === pageForms.oldDelta) return ["D0-delta"];
  if (form === pageForms.image) return [header];
  return header === "D1" ? ["D1", "D1-P0"] : [];
}
