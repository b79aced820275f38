import { parseConfig, parseConfigPrefix } from "../src/codec/config.js";
import { planOf } from "../src/codec/config-record.js";
import {
  type ConfigInfer,
  type ConfigRecordValue,
  type ConfigRule,
  decimal32,
  fallback,
  hex64,
  optional,
  type RecordNode,
  record,
  unsigned64,
  type Valued,
} from "../src/codec/config-schema.js";
import type { Format } from "../src/codec/format.js";
import { recordForm, textGenerations } from "../src/codec/text-format.js";
import { checkpointRules, checkpoints, type NamedCheckpoint, newestCheckpoint } from "./checkpoint-list.js";
import { MAX_VERSION, READER_VERSION } from "./checkpoint-record.js";
import { type LegacyTurtle, legacyTurtle } from "./disagg-turtle-l0.js";

const NEXT = ",\n";
const version = (doc: string) => fallback(decimal32({ max: MAX_VERSION, doc }), 1);
const timestamp = (doc: string, key: { before?: string; since?: number } = {}) =>
  hex64({ doc, symbols: { "0": "none" }, before: NEXT, ...key });

/** Where the key page is: always page 1 of the key provider's table. */
const keyProviderKeys = (at: readonly string[]) => ({
  pageId: decimal32({ min: 1, max: 1, at: [...at, "page.1", "page_id"], doc: "Page id" }),
  lsn: unsigned64({ min: 1, at: [...at, "page.1", "lsn"], doc: "LSN of the key page that counts" }),
  version: decimal32({ min: 1, max: 1, doc: "Version of this reference" }),
});
const keyProvider = record(keyProviderKeys([]), { before: NEXT, duplicates: "fatal", doc: "The key page" });
/** In the turtle of three lines the page stands in parentheses of its own. */
const wrappedKeyProvider = record(keyProviderKeys([""]), {
  before: "\n",
  duplicates: "fatal",
  doc: "The key page",
});

const fields = {
  version: version("Version the page was written with; absent together with compatible_version"),
  compatibleVersion: version("Oldest reader version"),
  checkpoint: checkpoints({
    before: NEXT,
    doc: "The newest checkpoint of the shared metadata; () when there is none",
  }),
  timestamp: timestamp("Checkpoint timestamp"),
  oldestTimestamp: optional(timestamp("Oldest timestamp")),
  schemaEpoch: optional(timestamp("Schema epoch", { since: 2 })),
  largestFileId: optional(unsigned64({ before: NEXT, since: 2, doc: "Largest file id given out" })),
  maxWriteGen: optional(
    unsigned64({ before: NEXT, since: 2, aliases: ["base_write_gen"], doc: "Largest write generation" }),
  ),
  keyProvider: optional(keyProvider),
};
interface Versions {
  readonly version: number;
  readonly compatibleVersion: number;
  readonly other?: readonly string[];
}

const rules: readonly ConfigRule[] = [
  {
    code: "unsupported-version",
    gate: true,
    doc: "compatible_version is not above the reader's version",
    check: ({ compatibleVersion }: Versions, { params }) => {
      const reader = params.readerVersion ?? READER_VERSION;
      if (compatibleVersion <= reader) return undefined;
      return { path: "compatible_version", expected: `at most ${reader}`, actual: compatibleVersion };
    },
  },
  {
    code: "version-pair",
    doc: "version and compatible_version are both there or both absent",
    check: (_value: Versions, { has }) => {
      if (has("version") === has("compatible_version")) return undefined;
      return has("version") ? { path: "version" } : { path: "compatible_version" };
    },
  },
  {
    code: "unknown-key",
    doc: "A page of the reader's own version has no key the reader does not know",
    check: ({ version: written, other = [] }: Versions, { params, has }) => {
      const reader = params.readerVersion ?? READER_VERSION;
      if (written !== reader) return undefined;
      const known = planOf(turtle).byKey;
      const late = [...known].find(([key, { node }]) => (node.since ?? 1) > reader && has(key))?.[0];
      const stranger = late ?? other.map(keyOfFragment).find((key) => !known.has(key));
      return stranger === undefined ? undefined : { path: stranger, message: `unknown key ${stranger}` };
    },
  },
  ...checkpointRules,
];

const keyOfFragment = (fragment: string): string => parseConfig(fragment).entries[0]!.key;

const turtle: RecordNode & Valued<ConfigRecordValue<typeof fields>> = record(fields, {
  rules,
  duplicates: "fatal",
});
const turtleOfLines = record(
  {
    ...fields,
    checkpoint: checkpoints({ key: "", doc: "The newest checkpoint of the shared metadata" }),
    timestamp: timestamp("Checkpoint timestamp", { before: "\n" }),
    keyProvider: optional(wrappedKeyProvider),
  },
  { rules, duplicates: "fatal" },
);
export type DisaggTurtleValue = ConfigInfer<typeof turtle>;
export type DisaggTurtle =
  | ({ generation: "V2++" | "V2+" | "V2" | "V1" } & DisaggTurtleValue)
  | ({ generation: "L1" } & ConfigInfer<typeof turtleOfLines>)
  | ({ generation: "L0" } & LegacyTurtle);

const v1 = ["checkpoint", "timestamp", "oldestTimestamp", "keyProvider"] as const;
const v2 = ["version", "compatibleVersion", ...v1, "largestFileId"] as const;

/** The reader's routing, and then the newest key that is there. */
function detect(text: string): string {
  if (text.startsWith("(WiredTigerCheckpoint.")) return "L1";
  if (/^file:[^\n]*\n/.test(text)) return "L0";
  const keys = new Set(parseConfigPrefix(text).entries.map(({ key }) => key));
  if (keys.has("max_write_gen") || keys.has("base_write_gen")) return "V2++";
  if (keys.has("schema_epoch")) return "V2+";
  return ["version", "compatible_version", "largest_file_id"].some((key) => keys.has(key)) ? "V2" : "V1";
}

/** The page that leads from a checkpoint to the shared metadata. */
export const disaggTurtle: Format<DisaggTurtle> = textGenerations(
  {
    name: "disagg-turtle",
    params: { readerVersion: "the newest version the reader knows (default 2)" },
    title: "Turtle page of a page log",
    source: "formats: turtle and disagg metadata §3",
    doc:
      "Page 1 of the turtle table: text without header and terminator, guarded only by the checksum in the checkpoint " +
      "record. It says where the root of the shared metadata is. Timestamps and the schema epoch are hexadecimal, ids, " +
      "LSNs and versions decimal. params.readerVersion (2) is the version of the reader whose rules apply.",
  },
  {
    "V2++": {
      form: recordForm(turtle, { only: [...v2, "schemaEpoch", "maxWriteGen"] }),
      when: "from July 2026",
      doc: "max_write_gen was called base_write_gen for a few days.",
    },
    "V2+": { form: recordForm(turtle, { only: [...v2, "schemaEpoch"] }), when: "May 2026 to July 2026" },
    V2: { form: recordForm(turtle, { only: v2 }), when: "March 2026 to May 2026" },
    V1: { form: recordForm(turtle, { only: v1 }), when: "December 2025 to March 2026" },
    // Real pages of this time write some timestamps with a leading zero (0a) and some without (f).
    L1: {
      form: recordForm(turtleOfLines, { only: ["checkpoint", "timestamp", "keyProvider"], syntax: "lines" }),
      when: "2025",
      doc: "Two lines; the third, with the key provider, came in December 2025. The last line has no newline.",
    },
    L0: {
      form: legacyTurtle,
      when: "until early 2025",
      doc: "The URI of the shared metadata, and its configuration.",
    },
  },
  {
    detection:
      "Text that begins with (WiredTigerCheckpoint. is L1; a first line file:… is L0; otherwise the newest key tells: " +
      "max_write_gen V2++, schema_epoch V2+, version or largest_file_id V2, none of them V1.",
    detect,
  },
);

/** The shared metadata's newest checkpoint, in whichever generation. */
export function turtleCheckpoint(value: DisaggTurtle): NamedCheckpoint | undefined {
  return newestCheckpoint(value.generation === "L0" ? value.config.checkpoint : value.checkpoint);
}
