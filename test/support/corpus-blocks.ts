/** Every healthy block of the corpus. */
import { readdirSync } from "node:fs";
import { openPalm } from "../../src/store/palm.js";
import { blocksOf, healthyFiles } from "./classic-files.js";
import { corpusPath } from "./corpus.js";

export interface CorpusBlock {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Address cookies of the block are of this generation. */
  readonly cookies: "classic" | "B";
}

/** The table of the turtle pages in these stores. */
const TURTLE = 1n;
/** Key id of rotn in the only encrypted store. */
export const ROTN_KEY_ID = 13;

/** Sound blocks of all classic files, current and old. */
export function* classicBlocks(): IterableIterator<CorpusBlock> {
  for (const { name, bytes } of healthyFiles())
    for (const block of blocksOf(bytes))
      yield { name: `${name} at ${block.offset}`, bytes: block.bytes, cookies: "classic" };
}

/** Records of all page logs but the turtle pages, which are text. */
export function* pageLogBlocks(): IterableIterator<CorpusBlock> {
  for (const store of readdirSync(corpusPath("palm"))) {
    const log = openPalm(corpusPath("palm", store, "kv_home", "data.mdb"));
    for (const { tableId, pageId, lsn, data } of log.records())
      if (tableId !== TURTLE)
        yield { name: `${store} ${tableId}/${pageId} at LSN ${lsn}`, bytes: data.slice(), cookies: "B" };
    log.close();
  }
}

export function* corpusBlocks(): IterableIterator<CorpusBlock> {
  yield* classicBlocks();
  yield* pageLogBlocks();
}
