import { parseConfig, parseConfigPrefix, writeConfig } from "../src/codec/config.js";
import {
  describeRecord,
  generateRecord,
  objectOf,
  readRecord,
  recordFromJson,
  recordToJson,
  type TextContext,
  type Values,
  within,
} from "../src/codec/config-record.js";
import {
  type ConfigInfer,
  decimal32,
  optional,
  type RecordNode,
  record,
  text,
  typeError,
} from "../src/codec/config-schema.js";
import { configSpans, textSpan } from "../src/codec/config-span.js";
import { patchRecord, sameValue, writeRecord } from "../src/codec/config-write.js";
import { FormatError } from "../src/codec/error.js";
import type { Format } from "../src/codec/format.js";
import { defined, type Issue } from "../src/codec/issue.js";
import { textByteLength } from "../src/codec/text.js";
import { located, type TextForm, textFormat } from "../src/codec/text-format.js";
import { type FileConfig, fileConfig } from "./metadata-keys.js";

const compatibility = record({ major: decimal32(), minor: decimal32() });
const engineVersion = record({ major: decimal32(), minor: decimal32(), patch: decimal32() });
const liveRestore = record({
  state: optional(text({ sample: ["WTI_LIVE_RESTORE_STATE_COMPLETE"] })),
  nbits: optional(decimal32()),
});

/** The turtle file of a classic home. */
export interface TurtleFile {
  readonly compatibility?: ConfigInfer<typeof compatibility>;
  readonly liveRestore?: ConfigInfer<typeof liveRestore>;
  /** Free text: `WiredTiger 12.0.0: (November 15, 2024)`. */
  readonly versionString?: string;
  readonly version?: ConfigInfer<typeof engineVersion>;
  /** Configuration of WiredTiger.wt with its checkpoint. */
  readonly metadata: FileConfig;
  /** Pairs of lines with other keys; readers pass over them. */
  readonly other?: ReadonlyArray<{ readonly key: string; readonly value: string }>;
}

interface Slot {
  readonly name: keyof TurtleFile;
  /** The key line. */
  readonly key: string;
  /** What the value line is; plain text without it. */
  readonly node?: RecordNode;
  readonly doc: string;
}
const slots: readonly Slot[] = [
  {
    name: "compatibility",
    key: "Compatibility version",
    node: compatibility,
    doc: "The release the files must stay readable for. May be absent",
  },
  {
    name: "liveRestore",
    key: "Live Restore",
    node: liveRestore,
    doc: "State of a live restore. May be absent",
  },
  {
    name: "versionString",
    key: "WiredTiger version string",
    doc: "The engine that wrote the file, as free text",
  },
  { name: "version", key: "WiredTiger version", node: engineVersion, doc: "The engine that wrote the file" },
  { name: "metadata", key: "file:WiredTiger.wt", node: fileConfig, doc: "The metadata file's configuration" },
];
const NEWLINE = "\n";
/** Major number of the newest release whose files are known. */
const NEWEST_RELEASE = 12;

interface Line {
  readonly text: string;
  /** Byte offset in the file. */
  readonly offset: number;
}
interface Pair {
  readonly key: Line;
  /** Absent: the file ends behind the key. */
  readonly value?: Line;
}

function linesOf(source: string): Line[] {
  let offset = 0;
  const lines = source.split(NEWLINE).map((line) => {
    const at = offset;
    offset += textByteLength(line) + 1;
    return { text: line, offset: at };
  });
  if (source.endsWith(NEWLINE) || source === "") lines.pop();
  return lines;
}

function pairsOf(source: string): Pair[] {
  const lines = linesOf(source);
  const pairs: Pair[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const value = lines[at + 1];
    pairs.push({ key: lines[at]!, ...(value === undefined ? {} : { value }) });
  }
  return pairs;
}

function readTurtle(source: string, context: TextContext): TurtleFile {
  const report = (issue: Omit<Issue, "severity"> & { severity?: Issue["severity"] }) =>
    context.issues.push(defined({ severity: "error", ...issue }) as Issue);
  const value: Values = {};
  const other: Array<{ key: string; value: string }> = [];
  /** Where the text of each known key begins, and the first line that is none: perhaps a damaged key. */
  const places = new Map<string, number>();
  let stranger: number | undefined;
  for (const { key, value: line } of pairsOf(source)) {
    const slot = slots.find((known) => known.key === key.text);
    const offset = context.base + key.offset;
    if (line === undefined)
      report({ code: "turtle-lines", path: key.text, offset, message: "a key without a value" });
    else if (slot === undefined) {
      stranger ??= offset;
      other.push({ key: key.text, value: line.text });
    } else if (slot.name in value) {
      other.push({ key: key.text, value: line.text });
      report({
        code: "duplicate-key",
        severity: "warning",
        path: slot.key,
        offset,
        message: "the first pair counts",
      });
    } else {
      places.set(slot.key, context.base + line.offset);
      value[slot.name] = readLine(slot, line, context);
    }
  }
  if (value.metadata === undefined) throw missing("metadata", stranger);
  if (other.length > 0) value.other = other;
  const end = context.base + textByteLength(source);
  if (!source.endsWith(NEWLINE))
    report({
      code: "turtle-newline",
      severity: "warning",
      path: "",
      offset: end,
      message: "no newline at the end",
    });
  for (const issue of versionIssues(value as Partial<TurtleFile>)) {
    const offset = places.get(issue.path) ?? stranger;
    report(offset === undefined ? issue : { offset, ...issue });
  }
  return value as unknown as TurtleFile;
}

function readLine({ node, key }: Slot, line: Line, context: TextContext): unknown {
  if (node === undefined) return line.text;
  const base = context.base + line.offset;
  return within(key, () => {
    const tree = located(base, () => parseConfig(line.text));
    return readRecord(node, tree, { ...context, base }, key);
  });
}

function missing(name: keyof TurtleFile, offset?: number): FormatError {
  const { key } = slots.find((slot) => slot.name === name)!;
  return new FormatError({
    code: "missing-key",
    message: `no pair of lines for ${key}`,
    path: key,
    ...(offset === undefined ? {} : { offset, hint: "the key line here may be the damaged one" }),
    expected: key,
  });
}

/** Nothing guards the text but that the version is there twice. */
function versionIssues({
  versionString,
  version,
  compatibility,
}: Partial<TurtleFile>): Array<Omit<Issue, "severity">> {
  if (versionString === undefined) return [issueOfMissing("versionString")];
  if (version === undefined) return [issueOfMissing("version")];
  const numbers = `${version.major}.${version.minor}.${version.patch}`;
  const written = /^WiredTiger (\d+\.\d+\.\d+):/.exec(versionString)?.[1];
  if (written === numbers) return tooNew(compatibility ?? version);
  const path = "WiredTiger version string";
  const message = "the version string and the version number differ";
  return [{ code: "turtle-version", path, message, expected: numbers, actual: written ?? versionString }];
}

/** Files that must stay readable for a release are those of that release. */
function tooNew({ major }: { readonly major: number }): Array<Omit<Issue, "severity">> {
  if (major <= NEWEST_RELEASE) return [];
  const message = `files of release ${major}; known are those up to ${NEWEST_RELEASE}`;
  const path = "WiredTiger version";
  return [
    { code: "unsupported-version", path, message, expected: `at most ${NEWEST_RELEASE}`, actual: major },
  ];
}

function issueOfMissing(name: keyof TurtleFile): Omit<Issue, "severity"> {
  const { code, path, message } = missing(name);
  return { code, path, message };
}

function writeTurtle(value: TurtleFile, source: string | undefined): string {
  const old = source === undefined ? undefined : readTurtle(source, { base: 0, params: {}, issues: [] });
  if (source !== undefined && old !== undefined && sameKeys(old, value))
    return patchLines(source, old, value);
  const lines = slots.flatMap((slot) => {
    const item = value[slot.name];
    if (item === undefined && slot.name === "metadata") throw missing("metadata");
    return item === undefined ? [] : [slot.key, writeLine(slot, item)];
  });
  const others = (value.other ?? []).flatMap(({ key, value: line }) => [plainLine(key), plainLine(line)]);
  return [...others, ...lines].map((line) => line + NEWLINE).join("");
}

const sameKeys = (old: TurtleFile, value: TurtleFile): boolean =>
  sameValue(old.other, value.other) &&
  slots.every(({ name }) => (old[name] === undefined) === (value[name] === undefined));

function writeLine({ node, key }: Slot, item: unknown): string {
  return within(key, () => plainLine(node === undefined ? item : writeRecord(node, item as Values)));
}

function plainLine(line: unknown): string {
  if (typeof line === "string" && !line.includes(NEWLINE)) return line;
  throw typeError("one line of text is needed", "string", line);
}

/** Only lines whose values differ change, and in them only what differs. */
function patchLines(source: string, old: TurtleFile, value: TurtleFile): string {
  const lines = source.split(NEWLINE);
  for (const { node, key, name } of slots) {
    if (sameValue(old[name], value[name])) continue;
    const at = lines.findIndex((line, index) => index % 2 === 0 && line === key) + 1;
    lines[at] = within(key, () => {
      if (node === undefined) return plainLine(value[name]);
      return plainLine(
        writeConfig(patchRecord(node, parseConfig(lines[at]!), old[name] as Values, value[name] as Values)),
      );
    });
  }
  return lines.join(NEWLINE);
}

const newlineSpan = (path: string, at: number) =>
  textSpan("(separator)", path, at, at + 1, { value: NEWLINE });

const form: TextForm<TurtleFile> = {
  read: readTurtle,
  write: writeTurtle,
  spans(source, base) {
    return pairsOf(source).flatMap(({ key, value }) => {
      const slot = slots.find((known) => known.key === key.text);
      const keyAt = base + key.offset;
      const keySpan = textSpan("key", `${key.text}.(key)`, keyAt, keyAt + textByteLength(key.text), {
        value: key.text,
      });
      if (value === undefined) return [keySpan];
      const start = base + value.offset;
      const node = slot?.node;
      const more = {
        ...(slot === undefined ? { description: "Not used" } : { description: slot.doc }),
        ...(node === undefined
          ? { value: value.text }
          : {
              kind: "struct" as const,
              children: configSpans(parseConfigPrefix(value.text), node, start, start, key.text),
            }),
      };
      const end = start + textByteLength(value.text);
      const newline = newlineSpan(`${key.text}.(separator)`, start - 1);
      const last = end < base + textByteLength(source) ? [newlineSpan(`${key.text}.(end)`, end)] : [];
      return [keySpan, newline, textSpan(slot?.name ?? "value", key.text, start, end, more), ...last];
    });
  },
  generate(random) {
    const version = { major: random.below(20), minor: random.below(5), patch: random.below(9) };
    return {
      ...(random.below(3) === 0 ? { compatibility: { major: random.below(12), minor: 0 } } : {}),
      ...(random.below(3) === 0
        ? { liveRestore: generateRecord(liveRestore, random) as ConfigInfer<typeof liveRestore> }
        : {}),
      versionString: `WiredTiger ${version.major}.${version.minor}.${version.patch}: (November 15, 2024)`,
      version,
      metadata: generateRecord(fileConfig, random) as FileConfig,
      ...(random.below(4) === 0 ? { other: [{ key: "Another key", value: "another value" }] } : {}),
    };
  },
  toJson(value) {
    const json: Values = {};
    for (const { name, node } of slots) {
      const item = value[name];
      if (item !== undefined) json[name] = node === undefined ? item : recordToJson(node, item as Values);
    }
    return value.other === undefined ? json : { ...json, other: value.other };
  },
  fromJson(json) {
    const value: Values = {};
    for (const [name, item] of Object.entries(json)) {
      const slot = slots.find((known) => known.name === name);
      if (slot?.node !== undefined)
        value[name] = within(name, () => recordFromJson(slot.node!, objectOf(item)));
      else if (slot !== undefined) value[name] = within(name, () => plainLine(item));
      else if (name === "other") value.other = within(name, () => pairsFromJson(item));
      else
        throw new FormatError({ code: "unknown-field", message: `no field is called ${name}`, path: name });
    }
    if (value.metadata === undefined) throw missing("metadata");
    return value as unknown as TurtleFile;
  },
  describe: () => ({
    fields: slots.map(({ name, key, node, doc }) => ({
      name,
      type: `lines: ${key}`,
      doc,
      ...(node === undefined ? {} : { fields: describeRecord(node) }),
    })),
    rules: [
      { code: "turtle-lines", doc: "A value line follows each key line" },
      { code: "turtle-newline", doc: "The last line ends with a newline" },
      { code: "turtle-version", doc: "The version string begins with the version's numbers" },
      ...fileConfig.rules.map(({ code, doc }) => ({ code, doc })),
    ],
  }),
};

function pairsFromJson(json: unknown): Array<{ key: string; value: string }> {
  if (!Array.isArray(json)) throw typeError("a list is needed", "array", json);
  return json.map((item, index) =>
    within(index, () => {
      const { key, value } = objectOf(item);
      return { key: within("key", () => plainLine(key)), value: within("value", () => plainLine(value)) };
    }),
  );
}

/** The file that leads to the metadata of a classic home. */
export const turtleFile: Format<TurtleFile> = textFormat(
  {
    name: "turtle-file",
    title: "WiredTiger.turtle",
    source: "formats: turtle and disagg metadata §4",
    doc:
      "Text lines, alternately key and value. A key is found by its exact line; pairs with other keys are passed over. " +
      "No checksum guards it. WiredTiger.turtle.set is the same file before it was renamed.",
  },
  form,
);
