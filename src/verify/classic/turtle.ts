/** The turtle file of a home: where its metadata is. Nothing guards it with a checksum, so its texts are compared. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type TurtleFile, turtleFile } from "../../../formats/turtle-file.js";
import { FormatError, type Issue } from "../../codec/index.js";
import { decodeText, encodeText } from "../../codec/text.js";
import { FileAccess, readRange } from "../../store/file.js";
import { readTableConfig, type TableConfig } from "../../tree/table-config.js";
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
/** Real ones have a few KB; larger files are not read. */
const MAX_SIZE = 16 * 1024 * 1024;

/** The configuration of the metadata file, and where it stands. */
export interface MetadataSource {
  readonly config: TableConfig;
  readonly place: FindingPlace;
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
  const versionText = secondLine(join(home, VERSION_FILE));
  if (!existsSync(join(home, VERSION_FILE)))
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
  run.findings.addIssues(turtleFileFormat, { path }, issues, {
    consequence: "the engine cannot open the database, or takes it for one of another version",
    offsets: "file",
  });
  if (!reading.ok) return undefined;
  const { version, versionString } = reading.value;
  if (version !== undefined)
    detected.generations.add(`engine ${version.major}.${version.minor}.${version.patch}`);
  if (versionText !== undefined && versionText !== versionString)
    run.findings.add(
      turtleFileVersion,
      { path },
      {
        message: "the version text is not the one in the file WiredTiger",
        expected: versionText,
        actual: versionString,
      },
    );
  return metadataSource(bytes, path);
}

function readSmall(path: string): Uint8Array {
  const access = new FileAccess(path);
  try {
    return readRange(access, 0, MAX_SIZE);
  } finally {
    access.close();
  }
}

/** The file `WiredTiger` repeats the turtle's version text in its second line. */
function secondLine(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  return decodeText(readSmall(path)).split("\n")[1] || undefined;
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

function metadataSource(bytes: Uint8Array, path: string): MetadataSource | undefined {
  const offset = valueOffset(decodeText(bytes), METADATA_URI);
  if (offset === undefined) return undefined;
  const end = bytes.indexOf(0x0a, offset);
  try {
    const text = decodeText(bytes.subarray(offset, end === -1 ? undefined : end));
    return { config: readTableConfig(METADATA_URI, text), place: { path, offset } };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
