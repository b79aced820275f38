/** The newest checkpoint of a file without its metadata, from the information behind a free-space list. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { checkpointList } from "../../../formats/checkpoint-list.js";
import { classicCheckpointCookie } from "../../../formats/classic-cookie.js";
import { type CheckpointInfo, completeCookie, extentList } from "../../../formats/extent-list.js";
import { pageTypes } from "../../../formats/page-header.js";
import { parseConfigPrefix, writeConfig } from "../../codec/config.js";
import { configGetStruct } from "../../codec/config-edit.js";
import { FormatError } from "../../codec/error.js";
import { encodeText } from "../../codec/text.js";
import type { RandomAccess } from "../../store/types.js";
import { readTableConfig, type TableConfig } from "../table-config.js";
import { classicHeaders, computeClassicChecksum } from "./block.js";

const WINDOW = 4 * 1024 * 1024;

interface Found {
  readonly info: CheckpointInfo;
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
}

export interface FoundCheckpoint {
  readonly config: TableConfig;
  /** Of the block it was found in. */
  readonly offset: number;
}

/** Looks at every block of the file; undefined when none tells of a checkpoint. */
export function findCheckpoint(access: RandomAccess, allocationSize: number): FoundCheckpoint | undefined {
  const found = newestCheckpoint(access, allocationSize);
  return found === undefined ? undefined : { config: configOf(found, allocationSize), offset: found.offset };
}

/** The free-space list with checkpoint information that has the highest write generation. */
function newestCheckpoint(access: RandomAccess, allocationSize: number): Found | undefined {
  const buffer = new Uint8Array(Math.max(WINDOW, allocationSize));
  const step = buffer.length - (buffer.length % allocationSize);
  let newest: Found | undefined;
  for (let from = allocationSize; from < access.size; from += step) {
    const got = access.readInto(buffer, from);
    for (let at = 0; at + CLASSIC_BLOCK.payload <= got; at += allocationSize) {
      const { layout, diskSize } = classicHeaders(buffer.subarray(at, Math.min(got, at + allocationSize)));
      if (layout.type !== pageTypes.blockManager || diskSize % allocationSize !== 0) continue;
      const found = readInfo(access, from + at, diskSize, allocationSize);
      if (found !== undefined && (newest === undefined || found.info.writeGen > newest.info.writeGen))
        newest = found;
    }
  }
  return newest;
}

function readInfo(
  access: RandomAccess,
  offset: number,
  size: number,
  allocationSize: number,
): Found | undefined {
  if (size === 0 || offset + size > access.size) return undefined;
  const bytes = new Uint8Array(size);
  access.readInto(bytes, offset);
  const headers = classicHeaders(bytes);
  const { checksum } = headers;
  if (computeClassicChecksum(bytes, headers) !== checksum) return undefined;
  const list = extentList.read(bytes.subarray(CLASSIC_BLOCK.payload), { params: { allocationSize } });
  return list.ok && list.value.info !== undefined
    ? { info: list.value.info, offset, size, checksum }
    : undefined;
}

function configOf({ info, offset, size, checksum }: Found, allocationSize: number): TableConfig {
  const cookie = classicCheckpointCookie.build(
    completeCookie(info, { offset, size, checksum }, allocationSize),
  );
  const list = checkpointList.read(encodeText(info.checkpointList));
  const entries = list.ok ? (list.value.checkpoint ?? []) : [];
  const last = entries.at(-1);
  const older = entries.slice(0, -1).map(({ name, order = 0n, addr }) => ({
    name,
    order,
    addressOffset: 0,
    cookie: addr === undefined || addr.length === 0 ? undefined : addr,
  }));
  const newest = { name: last?.name ?? "newest", order: last?.order ?? 0n, addressOffset: 0, cookie };
  return { ...settingsOf(info.metadata), allocationSize, checkpoints: [...older, newest] };
}

/** The file's own configuration as its block metadata has it. */
function settingsOf(text: string): TableConfig {
  try {
    const settings = configGetStruct(parseConfigPrefix(text), ["block_metadata"]);
    const inner = settings === undefined ? "" : writeConfig(settings);
    return { ...readTableConfig("file:", inner), checkpoints: [] };
  } catch (error) {
    if (error instanceof FormatError) return emptyConfig(undefined);
    throw error;
  }
}

export const emptyConfig = (allocationSize: number | undefined): TableConfig => ({
  uri: "",
  file: "",
  id: undefined,
  allocationSize,
  compressor: "",
  encryptor: "",
  collator: "",
  keyFormat: "",
  valueFormat: "",
  checkpoints: [],
});
