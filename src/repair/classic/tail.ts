/** A repair write of the metadata as a value: the blocks behind its end, and the turtle that names them. */

import {
  addressOf,
  type BlockLocation,
  type ClassicCheckpointCookie,
  classicCheckpointCookie,
} from "../../../formats/classic-cookie.js";
import {
  type ConfigEntry,
  type ConfigStruct,
  parseConfig,
  writeConfig,
  writeConfigValue,
} from "../../codec/config.js";
import { configGet, configGetStruct, configSet } from "../../codec/config-edit.js";
import { bytesToHex } from "../../codec/json.js";
import { RepairRefusal } from "../error.js";
import { BlockAppender, type NewBlock } from "./block-appender.js";
import { type Metadata, parsedOr, rangesOf, turtleWith } from "./home.js";
import { ListWriter } from "./list-writer.js";
import { type Range, RangeSet } from "./range-set.js";
import { editTree, type FreedBlock, type RowChange, type TreeForm } from "./tree-edit.js";

/** What becomes of the newest checkpoint: an unnamed one is replaced, as the engine does; a named one is kept. */
export type CheckpointMode = "replace" | "keep";

export interface ExtentLists {
  readonly alloc: readonly Range[];
  readonly avail: readonly Range[];
  readonly discard: readonly Range[];
}

export interface Tail {
  readonly mode: CheckpointMode;
  /** Where the new blocks begin: the end of the file as it is, rounded up to a unit. */
  readonly start: number;
  readonly blocks: readonly NewBlock[];
  readonly freed: readonly FreedBlock[];
  readonly before: ExtentLists;
  readonly after: ExtentLists;
  /** Length of the file afterwards, bytes. */
  readonly fileSize: number;
  readonly turtle: string;
  readonly checkpoint: { readonly name: string; readonly writeGen: bigint; readonly size: number };
}

export interface TailOptions {
  /** Seconds since 1970; the checkpoint's time unless the old one is later. */
  readonly time: bigint;
  /** Keeps the old checkpoint in any case. */
  readonly keep?: boolean;
}

const UNNAMED = /^WiredTigerCheckpoint\.\d+$/;
const PREFIX = "WiredTigerCheckpoint.";

/** Changes must ascend by key, none twice. */
export function buildTail(
  metadata: Metadata,
  changes: readonly RowChange[],
  { time, keep = false }: TailOptions,
): Tail {
  const { checkpoint, unit, tree, length } = metadata;
  const mode: CheckpointMode = keep || !UNNAMED.test(checkpoint.name) ? "keep" : "replace";
  const start = Math.ceil(length / unit) * unit;
  const writeGen = [tree.writeGen, checkpoint.writeGen, checkpoint.avail.info?.writeGen ?? 0n].reduce(
    (a, b) => (a > b ? a : b),
  );
  const appender = new BlockAppender(unit, start, writeGen);
  const { root, freed } = editTree(tree.root, changes, treeForm(metadata), appender);
  if (root === undefined) throw new RepairRefusal("metadata-form", "no row of the metadata would be left");
  const newBlocks = appender.blocks.map(({ offset, size }) => ({ offset, size }));
  const treeBytes = tree.bytes - sum(freed) + sum(newBlocks);
  const unused = {
    offset: Number(checkpoint.cookie.fileSize),
    size: start - Number(checkpoint.cookie.fileSize),
  };
  const after = newLists(metadata, mode, freed, newBlocks, unused);
  const lists = new ListWriter(appender);
  const alloc = lists.plain("alloc list", after.alloc, checkpoint.alloc.version);
  const discard = lists.plain("discard list", after.discard, checkpoint.discard.version);
  const name = `${PREFIX}${checkpoint.order + 1n}`;
  const latest = time > checkpoint.time ? time : checkpoint.time;
  const partial: ClassicCheckpointCookie = {
    version: checkpoint.cookie.version,
    root: addressOf(root, unit),
    alloc: addressOf(alloc, unit),
    avail: addressOf(undefined),
    discard: addressOf(discard, unit),
    fileSize: BigInt(appender.fileSize),
    ckptSize: BigInt(treeBytes - root.size),
  };
  const entryText = (cookie: ClassicCheckpointCookie): string =>
    checkpointText(metadata, mode, name, {
      addr: bytesToHex(classicCheckpointCookie.build(cookie)),
      order: checkpoint.order + 1n,
      time: latest,
      size: BigInt(treeBytes),
      write_gen: appender.writeGen,
    });
  const avail = availList(metadata, lists, after.avail, partial, entryText(partial));
  const fileSize = appender.fileSize;
  const cookie = { ...partial, avail: addressOf(avail, unit), fileSize: BigInt(fileSize) };
  const config = configWith(metadata, entryText(cookie));
  return {
    mode,
    start,
    blocks: appender.blocks,
    freed,
    before: {
      alloc: rangesOf(checkpoint.alloc).ranges,
      avail: rangesOf(checkpoint.avail).ranges,
      discard: rangesOf(checkpoint.discard).ranges,
    },
    after: { alloc: after.alloc.ranges, avail: after.avail.ranges, discard: after.discard.ranges },
    fileSize,
    turtle: turtleWith(metadata.turtle, config),
    checkpoint: { name, writeGen: appender.writeGen, size: treeBytes },
  };
}

const sum = (ranges: readonly Range[]): number => ranges.reduce((bytes, { size }) => bytes + size, 0);

/** How the engine cuts pages of the metadata. */
function treeForm({ configTree, unit, modern, tree }: Metadata): TreeForm {
  const size = (key: string, otherwise: number): number => {
    const value = configGet(configTree, [key]);
    return value?.kind === "bare" ? (sizeOf(value.raw) ?? otherwise) : otherwise;
  };
  const { version, wholeChecksum } = tree.root;
  return {
    unit,
    leafPageMax: size("leaf_page_max", 32768),
    internalPageMax: size("internal_page_max", 4096),
    modern,
    version,
    wholeChecksum,
  };
}

function sizeOf(text: string): number | undefined {
  const match = /^(\d+)([KMG]?)B?$/i.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * 1024 ** ["", "K", "M", "G"].indexOf((match[2] as string).toUpperCase());
}

interface NewLists {
  readonly alloc: RangeSet;
  readonly avail: RangeSet;
  readonly discard: RangeSet;
}

/**
 * Replace: what the checkpoint allocated and the new one frees is free, with the checkpoint's own lists; the rest
 * belongs to an earlier checkpoint. Keep: everything the old checkpoint has stays its own; the old root is left to the
 * engine. `unused` is what the file has behind the checkpoint's end.
 */
function newLists(
  { checkpoint }: Metadata,
  mode: CheckpointMode,
  freed: readonly FreedBlock[],
  added: readonly Range[],
  unused: Range,
): NewLists {
  const [oldAlloc, oldAvail, oldDiscard] = [checkpoint.alloc, checkpoint.avail, checkpoint.discard].map(
    rangesOf,
  ) as [RangeSet, RangeSet, RangeSet];
  const ownBlock = checkpoint.avail.block;
  const withoutOwn = ownBlock === undefined ? oldAvail : oldAvail.without([ownBlock]);
  if (mode === "keep")
    return {
      alloc: RangeSet.of(added),
      avail: withoutOwn.with([unused]),
      discard: RangeSet.of(freed.filter(({ role }) => role !== "root")),
    };
  const own = freed.filter((block) => oldAlloc.contains(block));
  const others = freed.filter((block) => !oldAlloc.contains(block));
  for (const block of others)
    if (block.role === "root" || oldAlloc.touches(block) || oldDiscard.touches(block))
      throw new RepairRefusal(
        "metadata-damaged",
        `the alloc and discard lists contradict the tree at ${block.offset}`,
      );
  const lists = [checkpoint.alloc, checkpoint.avail, checkpoint.discard].flatMap(({ block }) => block ?? []);
  const free = [...own, ...lists, unused];
  for (const block of own)
    if (withoutOwn.touches(block))
      throw new RepairRefusal(
        "metadata-damaged",
        `the avail list has the block at ${block.offset}, which is in use`,
      );
  return {
    alloc: oldAlloc.without(own).with(added),
    avail: oldAvail.with(free),
    discard: oldDiscard.with(others),
  };
}

/** Checkpoints of the metadata as text: those that stay byte for byte, then the new one. */
function checkpointText(
  { configTree, checkpoint }: Metadata,
  mode: CheckpointMode,
  name: string,
  changes: Readonly<Record<string, string | bigint>>,
): string {
  const struct = configGetStruct(configTree, ["checkpoint"]) as ConfigStruct;
  const kept = mode === "keep" ? struct.entries : struct.entries.slice(0, -1);
  let own = parseConfig(inside(checkpoint.entry));
  for (const [key, value] of Object.entries(changes)) own = configSet(own, [key], value);
  const texts = kept.map((entry) => `${entry.keyRaw}${entry.assign}${writeConfigValue(entry.value)}`);
  return `(${[...texts, `${name}=(${writeConfig(own)})`].join(",")})`;
}

/** What is between the parentheses of an entry's value. */
const inside = ({ value }: ConfigEntry): string => writeConfigValue(value).slice(1, -1);

function configWith({ configTree }: Metadata, checkpoints: string): string {
  const value = configGet(parseConfig(`checkpoint=${checkpoints}`), ["checkpoint"]) as ConfigStruct;
  return writeConfig(configSet(configTree, ["checkpoint"], value));
}

/** Has what is needed to find the checkpoint again, if the old one had: the settings with the checkpoints before. */
function availList(
  { checkpoint: { avail }, configTree }: Metadata,
  lists: ListWriter,
  set: RangeSet,
  cookie: ClassicCheckpointCookie,
  checkpoints: string,
): BlockLocation | undefined {
  const { info, version } = avail;
  if (info === undefined) return lists.plain("avail list", set, version);
  const tree = parsedOr("metadata-damaged", "the configuration in the avail list", info.metadata);
  const value = configGet(configTree, ["checkpoint"]);
  const path = ["block_metadata", "checkpoint"];
  const known = value !== undefined && configGet(tree, path) !== undefined;
  const metadata = known ? writeConfig(configSet(tree, path, value)) : info.metadata;
  return lists.avail(set, { metadata, checkpoints: `checkpoint=${checkpoints}`, cookie }, version);
}
