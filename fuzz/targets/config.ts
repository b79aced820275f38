/** Configuration text: parsed, written back, and edited. */

import { config } from "../../formats/config.js";
import { parseConfig, writeConfig } from "../../src/codec/config.js";
import { configDuplicates, configGetText, configSet } from "../../src/codec/config-edit.js";
import { decodeText, encodeText, FormatError, seededRandom } from "../../src/codec/index.js";
import { dictionaryOf } from "../mutate/dictionary.js";
import { Broken, type FuzzTarget, same } from "../target.js";

const SEEDS = 12;
/** What the engine itself would not take as one value, bytes. */
const MAX_TEXT = 64 * 1024;

export const configTarget: FuzzTarget = {
  name: "config",
  oracle:
    "text is refused with a place or written back byte for byte; after an edit its value is there and the rest unchanged",
  *seeds() {
    for (let seed = 1; seed <= SEEDS; seed++) yield config.build(config.generate(seededRandom(seed)));
  },
  dictionary: () => [...dictionaryOf(config), ...['="', "=(", '\\"', ",,", "=[", "):"].map(encodeText)],
  fuzz(input) {
    const bytes = input.subarray(0, MAX_TEXT);
    const text = decodeText(bytes);
    const tree = parsed(text);
    if (tree === undefined) return;
    if (!same(encodeText(writeConfig(tree)), bytes)) throw new Broken("written otherwise than read");
    configDuplicates(tree);
    // An empty step of a path is a struct without a key.
    for (const { key } of tree.entries.slice(0, 8)) if (key !== "") edit(tree, key);
  },
};

function parsed(text: string): ReturnType<typeof parseConfig> | undefined {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.offset === undefined || error.offset > encodeText(text).length)
      throw new Broken(`${error.code} at ${error.offset}`);
    return undefined;
  }
}

const VALUES = ["", "1", "a b", 'say "hi"', "(1,2)", "\\", "x=y"];

function edit(tree: ReturnType<typeof parseConfig>, key: string): void {
  for (const value of VALUES) {
    const edited = configSet(tree, [key], value);
    const back = parsed(writeConfig(edited));
    if (back === undefined) throw new Broken(`an edit of ${key} gives text that cannot be read`);
    if (configGetText(back, [key]) !== value) throw new Broken(`an edit of ${key} is lost`);
    if (back.entries.length !== tree.entries.length)
      throw new Broken(`an edit of ${key} adds or removes entries`);
  }
}
