/** The turtle file of a home: where its metadata is. Nothing guards it with a checksum, so its texts are compared. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_ALLOCATION_SIZE } from "../../../formats/classic-cookie.js";
import { type TurtleFile, turtleFile } from "../../../formats/turtle-file.js";
import { FormatError, type Issue } from "../../codec/index.js";
import { decodeText, encodeText } from "../../codec/text.js";
import { readSmall } from "../../store/small-file.js";
import { impossibleKey, readTableConfig, type TableConfig } from "../../tree/table-config.js";
import type { FindingPlace } from "../rule.js";
import { turtleFileFormat } from "../rules/classic/turtle-file.js";
import { turtleFileMissing } from "../rules/classic/turtle-file-missing.js";
import { turtleFileVersion } from "../rules/classic/turtle-file-version.js";
import { versionFileMissing } from "../rules/classic/version-file-missing.js";
import type { Detected, Run } from "../run.js";

const TURTLE = "WiredTiger.turtle";
const VERSION_FILE = "WiredTiger";
const METADATA_URI = "file:WiredTiger.wt";
const VERSION_KEY = "WiredTiger version";
const VERSION_TEXT_KEY = "WiredTiger version string";
const NEWLINE = 0x0a;

/** The configuration of the metadata file, where it stands, and the release that wrote it if all texts of it agree. */
export interface MetadataSource {
  readonly config: TableConfig;
  readonly place: FindingPlace;
  readonly release: TurtleFile["version"];
}

/** Checks the turtle file and gives what it says of the metadata; undefined when that cannot be read. */
export function verifyTurtle(home: string, run: Run, detected: Detected): MetadataSource | undefined {
  const path = join(home, TURTLE);
  if (!existsSync(path)) {
    run.findings.add(
      turtleFileMissing,
      { path },
      {
        message: "there is no turtle file",
        consequence:
          "an engine that opens this directory starts an empty database and renames WiredTiger.wt away",
      },
    );
    return undefined;
  }
  const bytes = readSmall(path);
  run.checked(0, bytes.length);
  const reading = turtleFile.read(bytes);
  const versionFile = readVersionFile(join(home, VERSION_FILE));
  const versionText = versionFile?.text;
  if (versionFile === undefined)
    run.findings.add(
      versionFileMissing,
      { path: join(home, VERSION_FILE) },
      {
        message: "there is no file WiredTiger",
        consequence: "an engine that opens this directory takes it for a new one, or refuses it",
      },
    );
  const issues = reading.ok
    ? placeVersions(reading.issues, reading.value, versionText, bytes)
    : reading.issues;
  run.findings.addIssues(turtleFileFormat, { path }, issues.map(asError), {
    consequence: "the engine cannot open the database, or takes it for one of another version",
    offsets: "file",
  });
  if (!reading.ok) return undefined;
  const { version, versionString } = reading.value;
  if (version !== undefined)
    detected.generations.add(`engine ${version.major}.${version.minor}.${version.patch}`);
  if (versionFile !== undefined && versionText !== versionString)
    reportVersionTexts(versionFile, { path, bytes }, reading.value, run);
  const isSure = versionText === versionString && credit(versionString ?? "", reading.value) > 1;
  const source = metadataSource(bytes, path, isSure ? version : undefined);
  if (source !== undefined) checkSource(source, bytes, home, run);
  return source;
}

/** What stands in front of `=` in the configuration of the metadata file. */
function reportKey({ config, place }: MetadataSource, bytes: Uint8Array, run: Run): void {
  const from = place.offset as number;
  const end = bytes.indexOf(NEWLINE, from);
  const error = impossibleKey(decodeText(bytes.subarray(from, end === -1 ? undefined : end)));
  if (error === undefined) return;
  const offset = from + (error.offset ?? 0);
  run.findings.add(
    turtleFileFormat,
    { ...place, offset },
    {
      field: METADATA_URI,
      message: `the configuration of ${config.file}: ${error.message}`,
      consequence: "the engine refuses to open the database",
    },
  );
}

/** The first thing wrong with the configuration of the metadata file: of one that was cut, all else is wrong, too. */
function checkSource(source: MetadataSource, bytes: Uint8Array, home: string, run: Run): void {
  reportKey(source, bytes, run);
  if (source.config.checkpoints.length === 0) reportNoCheckpoint(source, home, run);
  if (run.findings.count(turtleFileFormat.code) === 0) reportFormats(source, run);
}

/** Rows of the metadata are text: with any other format no engine finds one. */
function reportFormats({ config, place }: MetadataSource, run: Run): void {
  const { keyFormat, valueFormat } = config;
  if (keyFormat === "S" && valueFormat === "S") return;
  run.findings.add(turtleFileFormat, place, {
    field: `${METADATA_URI}.${keyFormat === "S" ? "value_format" : "key_format"}`,
    message: `the configuration of ${config.file} has other formats of keys and values than text`,
    expected: "S, S",
    actual: `${keyFormat}, ${valueFormat}`,
    consequence: "the engine refuses to open the database",
  });
}

/** A new home has no checkpoint before its first one; then WiredTiger.wt is no more than its description block. */
function reportNoCheckpoint({ config, place }: MetadataSource, home: string, run: Run): void {
  const size = statSync(join(home, config.file), { throwIfNoEntry: false })?.size ?? 0;
  if (size <= (config.allocationSize ?? DEFAULT_ALLOCATION_SIZE)) return;
  run.findings.add(turtleFileFormat, place, {
    field: `${METADATA_URI}.checkpoint`,
    message: `the configuration of ${config.file} names no checkpoint, though the file has ${size} bytes`,
    consequence: "no table can be found: the engine opens the database as an empty one, or not at all",
  });
}

/** The engine writes plain text, whole: with such a byte it refuses to open, and a file without its end was cut. */
const DAMAGE: ReadonlySet<string> = new Set(["text-encoding", "turtle-newline"]);
const asError = (issue: Issue): Issue => (DAMAGE.has(issue.code) ? { ...issue, severity: "error" } : issue);

/** The file `WiredTiger`, which repeats the turtle's version text in its second line. */
interface VersionFile {
  readonly path: string;
  readonly text: string | undefined;
  /** Byte offset of the second line. */
  readonly offset: number;
}

function readVersionFile(path: string): VersionFile | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = readSmall(path);
  const end = bytes.indexOf(NEWLINE);
  const offset = end === -1 ? bytes.length : end + 1;
  return { path, text: decodeText(bytes.subarray(offset)).split("\n")[0] || undefined, offset };
}

const MONTHS = "(January|February|March|April|May|June|July|August|September|October|November|December)";
const versionTextForm = new RegExp(`^WiredTiger \\d+\\.\\d+\\.\\d+: \\(${MONTHS} \\d{1,2}, \\d{4}\\)$`);

/** How much speaks for a version text: the numbers of the turtle, and that it is in the form there is. */
function credit(text: string, { version }: TurtleFile): number {
  const numbers = version && `WiredTiger ${version.major}.${version.minor}.${version.patch}:`;
  return (numbers !== undefined && text.startsWith(numbers) ? 2 : 0) + (versionTextForm.test(text) ? 1 : 0);
}

/** Two texts that differ: the one that the third evidence, the turtle's version numbers, does not bear out is damaged. */
function reportVersionTexts(
  versionFile: VersionFile,
  turtle: { readonly path: string; readonly bytes: Uint8Array },
  value: TurtleFile,
  run: Run,
): void {
  const [text, other] = [value.versionString ?? "", versionFile.text ?? ""];
  const [own, others] = [credit(text, value), credit(other, value)];
  const start = others < own ? versionFile.offset : valueOffset(decodeText(turtle.bytes), VERSION_TEXT_KEY);
  const offset = start === undefined ? {} : { offset: start + firstDifference(text, other) };
  run.findings.add(
    turtleFileVersion,
    { path: others < own ? versionFile.path : turtle.path, ...offset },
    {
      message: `${TURTLE} and the file ${VERSION_FILE} do not have the same version text`,
      expected: others < own ? text : other,
      actual: others < own ? other : text,
      ...(own === others ? { hint: "either of them may be the damaged one: nothing else tells which" } : {}),
    },
  );
}

/** Byte offset of the first character that is not the same. */
function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return encodeText(a.slice(0, at)).length;
}

/** Where version text and numbers differ, the file `WiredTiger` tells which of them is damaged. */
function placeVersions(
  issues: readonly Issue[],
  { versionString }: TurtleFile,
  versionText: string | undefined,
  bytes: Uint8Array,
): Issue[] {
  const offset = valueOffset(decodeText(bytes), VERSION_KEY);
  const numbersAreWrong = versionText === versionString && offset !== undefined;
  return issues.map((issue) =>
    issue.code === "turtle-version" && numbersAreWrong ? { ...issue, offset } : issue,
  );
}

/** Byte offset of the line behind a key line. */
function valueOffset(text: string, key: string): number | undefined {
  const at = text.startsWith(`${key}\n`) ? 0 : text.indexOf(`\n${key}\n`) + 1;
  if (at === 0 && !text.startsWith(`${key}\n`)) return undefined;
  return encodeText(text.slice(0, at + key.length + 1)).length;
}

function metadataSource(
  bytes: Uint8Array,
  path: string,
  release: TurtleFile["version"],
): MetadataSource | undefined {
  const offset = valueOffset(decodeText(bytes), METADATA_URI);
  if (offset === undefined) return undefined;
  const end = bytes.indexOf(NEWLINE, offset);
  try {
    const text = decodeText(bytes.subarray(offset, end === -1 ? undefined : end));
    return { config: readTableConfig(METADATA_URI, text), place: { path, offset }, release };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
