/** One `.wt` file without its metadata: its checkpoints are found in the file itself. */
import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import { checkpointList } from "../../../formats/checkpoint-list.js";
import { classicCheckpointCookie, DEFAULT_ALLOCATION_SIZE } from "../../../formats/classic-cookie.js";
import { findAllocationSize } from "../../../formats/description-block.js";
import { type CheckpointInfo, completeCookie, extentList } from "../../../formats/extent-list.js";
import { pageTypes } from "../../../formats/page-header.js";
import { parseConfigPrefix, writeConfig } from "../../codec/config.js";
import { configGetStruct } from "../../codec/config-edit.js";
import { FormatError } from "../../codec/error.js";
import { encodeText } from "../../codec/text.js";
import { FileAccess } from "../../store/file.js";
import type { RandomAccess } from "../../store/types.js";
import { readTableConfig, type TableConfig } from "../../tree/table-config.js";
import type { Detected, Run } from "../run.js";
import { ClassicBlock } from "./block.js";
import { FileVerifier } from "./file.js";

const WINDOW = 4 * 1024 * 1024;
const DESCRIPTION_WINDOW = 128 * 1024;

interface Found {
  readonly info: CheckpointInfo;
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
}

/** Verifies a file by the newest checkpoint its free-space lists tell of; says so when there is none. */
export function verifyLoneFile(path: string, run: Run, detected: Detected): void {
  const access = new FileAccess(path);
  try {
    const start = new Uint8Array(Math.min(DESCRIPTION_WINDOW, access.size));
    access.readInto(start, 0);
    const allocationSize = run.options.allocationSize ?? findAllocationSize(start) ?? DEFAULT_ALLOCATION_SIZE;
    const found = newestCheckpoint(access, path, allocationSize);
    const config = found === undefined ? emptyConfig(allocationSize) : configOf(found, allocationSize);
    new FileVerifier(
      {
        access,
        path,
        table: undefined,
        config,
        configPlace: { path, ...(found === undefined ? {} : { offset: found.offset }) },
      },
      run,
      detected,
    ).verify();
    if (found === undefined && access.size > allocationSize)
      run.unchecked(
        { path },
        "no checkpoint can be found in the file: blocks are checked one by one, not as a tree",
      );
  } finally {
    access.close();
  }
}

/** The avail list with checkpoint information that has the highest write generation. */
function newestCheckpoint(access: RandomAccess, path: string, allocationSize: number): Found | undefined {
  const buffer = new Uint8Array(Math.max(WINDOW, allocationSize));
  const block = new ClassicBlock(path, undefined, allocationSize);
  let newest: Found | undefined;
  for (
    let from = allocationSize;
    from < access.size;
    from += buffer.length - (buffer.length % allocationSize)
  ) {
    const got = access.readInto(buffer, from);
    for (let at = 0; at + CLASSIC_BLOCK.payload <= got; at += allocationSize) {
      const bytes = buffer.subarray(at, Math.min(got, at + allocationSize));
      block.set(bytes, from + at, bytes.length, 0, "extent list");
      if (block.type !== pageTypes.blockManager || block.diskSize % allocationSize !== 0) continue;
      const found = readInfo(access, block, from + at, allocationSize);
      if (found !== undefined && (newest === undefined || found.info.writeGen > newest.info.writeGen))
        newest = found;
    }
  }
  return newest;
}

function readInfo(
  access: RandomAccess,
  block: ClassicBlock,
  offset: number,
  allocationSize: number,
): Found | undefined {
  const { diskSize: size, checksum } = block;
  if (size === 0 || offset + size > access.size) return undefined;
  const bytes = new Uint8Array(size);
  access.readInto(bytes, offset);
  const whole = new ClassicBlock("", undefined, allocationSize).set(
    bytes,
    offset,
    size,
    checksum,
    "extent list",
  );
  if (!whole.isSound()) return undefined;
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

const emptyConfig = (allocationSize: number | undefined): TableConfig => ({
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
