/** A classic home as a repair finds it: turtle, newest checkpoint of the metadata with its lists, tree and rows. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { neededCheckpointKeys } from "../../../formats/checkpoint-list.js";
import {
  type BlockLocation,
  blockOf,
  type ClassicCheckpointCookie,
  classicCheckpointCookie,
} from "../../../formats/classic-cookie.js";
import { METADATA_URI } from "../../../formats/classic-home.js";
import { descriptionBlock } from "../../../formats/description-block.js";
import { type CheckpointInfo, type Extent, extentList } from "../../../formats/extent-list.js";
import { PAGE_HEADER, pageTypes } from "../../../formats/page-header.js";
import { type TurtleFile, turtleFile } from "../../../formats/turtle-file.js";
import { type ConfigEntry, type ConfigStruct, type ConfigTree, parseConfig } from "../../codec/config.js";
import { configGet, configGetStruct, configGetText } from "../../codec/config-edit.js";
import { FormatError } from "../../codec/error.js";
import { hasErrors } from "../../codec/issue.js";
import { decodeText, encodeText } from "../../codec/text.js";
import { FileAccess, readRange } from "../../store/file.js";
import type { RandomAccess } from "../../store/types.js";
import { readClassicBlock } from "../../tree/classic/block.js";
import { PageFault } from "../../tree/problem.js";
import { readTableConfig, type TableConfig } from "../../tree/table-config.js";
import { type RefusalCode, RepairRefusal } from "../error.js";
import { RangeSet } from "./range-set.js";
import { type ReadTree, readTree, rowsOfTree } from "./tree-reader.js";

export const TURTLE_FILE = "WiredTiger.turtle";
export const METADATA_FILE = METADATA_URI.replace(/^file:/, "");
/** Real ones have a few KB. */
const MAX_TURTLE = 16 * 1024 * 1024;
/** Newest versions of engine and btree that have been written here. */
const NEWEST_ENGINE = 12;
const NEWEST_BTREE = 2;

export interface Turtle {
  /** The whole file. */
  readonly text: string;
  readonly value: TurtleFile;
  /** The line with the metadata's configuration. */
  readonly config: string;
}

export interface FoundList {
  readonly block: BlockLocation | undefined;
  readonly extents: readonly Extent[];
  /** What follows the avail list. */
  readonly info: CheckpointInfo | undefined;
  /** Version of the list's page. */
  readonly version: number | undefined;
}

export interface FoundCheckpoint {
  readonly name: string;
  readonly order: bigint;
  /** Seconds since 1970. */
  readonly time: bigint;
  readonly writeGen: bigint;
  readonly entry: ConfigEntry;
  readonly cookie: ClassicCheckpointCookie;
  readonly root: BlockLocation;
  readonly alloc: FoundList;
  readonly avail: FoundList;
  readonly discard: FoundList;
}

export interface MetadataRow {
  readonly key: Uint8Array;
  readonly value: string;
}

export interface Metadata {
  readonly turtle: Turtle;
  readonly config: TableConfig;
  readonly configTree: ConfigTree;
  /** Allocation unit, bytes. */
  readonly unit: number;
  /** Length of the file, bytes. */
  readonly length: number;
  readonly checkpoint: FoundCheckpoint;
  readonly tree: ReadTree;
  /** By URI, in the order of the tree. */
  readonly rows: ReadonlyMap<string, MetadataRow>;
  /** Versions of engine and btree. */
  readonly engine: { readonly major: number; readonly text: string };
  readonly modern: boolean;
}

/** @throws RepairRefusal `turtle-missing`, `turtle-damaged` */
export function readTurtle(home: string): Turtle {
  const path = join(home, TURTLE_FILE);
  if (!existsSync(path)) throw new RepairRefusal("turtle-missing", `${path}: there is no such file`);
  const access = new FileAccess(path);
  try {
    return turtleOf(decodeText(readRange(access, 0, MAX_TURTLE)), path);
  } finally {
    access.close();
  }
}

/** @throws RepairRefusal `turtle-damaged` */
export function turtleOf(text: string, path: string): Turtle {
  const reading = turtleFile.read(encodeText(text));
  const issue = reading.ok ? reading.issues.find(({ severity }) => severity === "error") : reading.error;
  if (!reading.ok || issue !== undefined)
    throw new RepairRefusal(
      issue?.code === "unsupported-version" ? "metadata-generation" : "turtle-damaged",
      `${path}: ${issue?.message ?? "cannot be read"}`,
    );
  const lines = text.split("\n");
  const at = lines.findIndex((line, index) => index % 2 === 0 && line === METADATA_URI);
  return { text, value: reading.value, config: lines[at + 1] as string };
}

/** The turtle's text with another configuration of the metadata; every other byte stays. */
export function turtleWith(turtle: Turtle, config: string): string {
  const lines = turtle.text.split("\n");
  const at = lines.findIndex((line, index) => index % 2 === 0 && line === METADATA_URI);
  lines[at + 1] = config;
  return lines.join("\n");
}

/**
 * Reads the metadata as the turtle has it, every block checked against its address.
 * @throws RepairRefusal
 */
export function readMetadata(home: string, turtle: Turtle = readTurtle(home)): Metadata {
  const path = join(home, METADATA_FILE);
  const { versions, configTree, config, unit } = readConfig(turtle, path);
  const access = openMetadata(path);
  try {
    checkDescription(access, path, unit);
    const checkpoint = readCheckpoint(access, path, unit, configTree);
    const tree = readTree(access, path, unit, checkpoint.root);
    const rows = new Map<string, MetadataRow>();
    for (const { key, value } of rowsOfTree(tree.root)) rows.set(textOf(key), { key, value: textOf(value) });
    return { turtle, config, configTree, unit, length: access.size, checkpoint, tree, rows, ...versions };
  } finally {
    access.close();
  }
}

function openMetadata(path: string): RandomAccess {
  if (!existsSync(path)) throw new RepairRefusal("metadata-damaged", `${path}: there is no such file`);
  return new FileAccess(path);
}

/** Keys and values of the metadata end with a NUL that is not part of them. */
const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);

function readConfig(turtle: Turtle, path: string) {
  const configTree = parsedOr("turtle-damaged", "the metadata's configuration", turtle.config);
  const config = readTableConfig(METADATA_URI, turtle.config);
  if (config.encryptor !== "")
    throw new RepairRefusal("metadata-encrypted", `${path} is encrypted by ${config.encryptor}`);
  if (config.compressor !== "")
    throw new RepairRefusal("metadata-compressed", `${path} is compressed by ${config.compressor}`);
  if (config.collator !== "" || config.keyFormat !== "S" || config.valueFormat !== "S")
    throw new RepairRefusal(
      "metadata-generation",
      `${path}: keys and values are not plain text in byte order`,
    );
  const { version } = turtle.value;
  const major = version?.major ?? 0;
  const btree = Number(configGetText(configTree, ["version", "major"]) ?? 0);
  if (version === undefined || major > NEWEST_ENGINE || btree < 1 || btree > NEWEST_BTREE)
    throw new RepairRefusal(
      "metadata-generation",
      `${path}: engine ${major}, btree version ${btree}; up to ${NEWEST_ENGINE} and ${NEWEST_BTREE} are known`,
    );
  const text = `${version.major}.${version.minor}.${version.patch}`;
  return {
    configTree,
    config,
    unit: config.allocationSize ?? 4096,
    versions: { engine: { major, text }, modern: btree >= 2 },
  };
}

/** @throws RepairRefusal `code` for what is no configuration. */
export function parsedOr(code: RefusalCode, what: string, text: string): ConfigTree {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal(code, `${what}: ${error.message}`);
  }
}

function checkDescription(access: RandomAccess, path: string, unit: number): void {
  const reading = descriptionBlock.read(readRange(access, 0, unit), { params: { allocationSize: unit } });
  if (reading.ok && !hasErrors(reading.issues)) return;
  const [issue] = reading.issues.filter(({ severity }) => severity === "error");
  throw new RepairRefusal(
    "allocation-size",
    `${path}: no description block of ${unit} bytes (allocation_size=) begins the file: ${issue?.message ?? ""}`,
  );
}

/** What a new checkpoint's entry has otherwise than the one it is made from. */
const WRITTEN_KEYS: readonly string[] = [...neededCheckpointKeys, "write_gen"];

function readCheckpoint(
  access: RandomAccess,
  path: string,
  unit: number,
  config: ConfigTree,
): FoundCheckpoint {
  const entries = configGetStruct(config, ["checkpoint"])?.entries ?? [];
  const entry = entries.at(-1);
  if (entry?.value.kind !== "struct")
    throw new RepairRefusal("checkpoint-missing", `${path}: the turtle file names no checkpoint`);
  const lacking = WRITTEN_KEYS.find((key) => configGet(entry.value as ConfigStruct, [key]) === undefined);
  if (lacking !== undefined)
    throw new RepairRefusal("turtle-damaged", `${path}: checkpoint ${entry.key} has no ${lacking}=`);
  const orders = entries.map((one) => numberOf(one, "order"));
  const order = orders.at(-1) as bigint;
  if (orders.some((other, index) => index < orders.length - 1 && other >= order))
    throw new RepairRefusal("checkpoint-order", `${path}: ${entry.key} is the last one, but not the newest`);
  const cookie = readCookie(entry, path, unit);
  const root = blockOf(cookie.root, unit);
  if (root === undefined)
    throw new RepairRefusal("checkpoint-missing", `${path}: checkpoint ${entry.key} has no tree`);
  const size = Number(cookie.fileSize);
  if (size % unit !== 0 || size > access.size)
    throw new RepairRefusal(
      "metadata-damaged",
      `${path} has ${access.size} bytes, the checkpoint says ${size} (units of ${unit})`,
    );
  const list = (name: "alloc" | "avail" | "discard"): FoundList =>
    readList(access, path, unit, size, name, blockOf(cookie[name], unit));
  return {
    name: entry.key,
    order,
    time: numberOf(entry, "time"),
    writeGen: numberOf(entry, "write_gen"),
    entry,
    cookie,
    root,
    alloc: list("alloc"),
    avail: list("avail"),
    discard: list("discard"),
  };
}

function numberOf(entry: ConfigEntry, key: string): bigint {
  const text = entry.value.kind === "struct" ? configGetText(entry.value, [key]) : undefined;
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : 0n;
}

function readCookie(entry: ConfigEntry, path: string, unit: number): ClassicCheckpointCookie {
  const address = (entry.value.kind === "struct" && configGetText(entry.value, ["addr"])) || "";
  if (address === "")
    throw new RepairRefusal("checkpoint-missing", `${path}: checkpoint ${entry.key} has no tree`);
  const reading = classicCheckpointCookie.read(Buffer.from(address, "hex"), {
    params: { allocationSize: unit },
  });
  if (!reading.ok || hasErrors(reading.issues)) {
    const code = reading.issues.some(({ code: what }) => what === "unsupported-version")
      ? "metadata-generation"
      : "metadata-damaged";
    throw new RepairRefusal(
      code,
      `${path}: the address of ${entry.key}: ${reading.issues[0]?.message ?? address}`,
    );
  }
  if (reading.value.flags !== undefined)
    throw new RepairRefusal("metadata-generation", `${path}: the checkpoint is in several files`);
  return reading.value;
}

function readList(
  access: RandomAccess,
  path: string,
  unit: number,
  fileSize: number,
  name: "alloc" | "avail" | "discard",
  block: BlockLocation | undefined,
): FoundList {
  if (block === undefined) return { block, extents: [], info: undefined, version: undefined };
  const fail = (message: string): RepairRefusal =>
    new RepairRefusal("metadata-damaged", `${path} at ${block.offset}, ${name} list: ${message}`);
  try {
    const { bytes, headers } = readClassicBlock(access, path, unit, block);
    if (headers.layout.type !== pageTypes.blockManager) throw fail(`a page of type ${headers.layout.type}`);
    const params = { allocationSize: unit, fileSize, runs: name === "avail" ? 2 : 1 };
    const reading = extentList.read(bytes.subarray(headers.layout.payload), { params });
    const issue = reading.ok ? reading.issues.find(({ severity }) => severity === "error") : reading.error;
    if (!reading.ok || issue !== undefined) throw fail(issue?.message ?? "cannot be read");
    const { extents, info } = reading.value;
    return { block, extents, info, version: bytes[PAGE_HEADER.at.version] as number };
  } catch (error) {
    if (error instanceof PageFault) throw fail(error.message);
    throw error;
  }
}

/** Ranges of a list. */
export const rangesOf = ({ extents }: FoundList): RangeSet => RangeSet.ofExtents(extents);

/** The text of a small file of the home; undefined when it is not there. */
export function smallFile(home: string, name: string): string | undefined {
  const path = join(home, name);
  return existsSync(path) ? decodeText(readFileSync(path)) : undefined;
}
