/** Options of a tree with their defaults, checked. */
import { MAX_DELTA_CHAIN } from "../../../formats/page-log.js";
import type { WritablePageLog } from "../../store/writable.js";
import { type BlockTransforms, transformsOf } from "../page/block-writer.js";
import type { TreeOptions } from "../types.js";
import { TreeWriteError } from "./write-error.js";

/** The engine's defaults. */
const DEFAULTS = { internalPageMax: 4096, leafPageMax: 32768, deltaPct: 20 } as const;
/** The engine's own limits of a page, bytes. */
const PAGE_LIMITS = { least: 512, most: 2 ** 29 } as const;
/** Pages are filled to this percentage, so that some rows can be added before they are split. */
const SPLIT_PCT = 90;
/** Fewer shared bytes are not worth a prefix. */
export const MIN_PREFIX = 4;

export interface TreeSettings extends Omit<TreeOptions, "compressor" | "encryptor"> {
  readonly compressor: string;
  readonly internalPageMax: number;
  readonly leafPageMax: number;
  /** Bytes a new page is filled to. */
  readonly internalSplit: number;
  readonly leafSplit: number;
  /** Shared beginnings of keys are left out from this many bytes on; 0 = never. */
  readonly minPrefix: number;
  readonly deltaPct: number;
  readonly maxDeltas: number;
  readonly checkpointId: bigint;
  readonly transforms: BlockTransforms;
}

/**
 * @throws TreeWriteError `bad-options`
 * @throws FormatError `no-compressor`
 */
export function treeSettings(log: WritablePageLog, options: TreeOptions): TreeSettings {
  const internalPageMax = pageMax("internalPageMax", options.internalPageMax);
  const leafPageMax = pageMax("leafPageMax", options.leafPageMax);
  const { deltaPct = DEFAULTS.deltaPct, maxConsecutiveDelta = MAX_DELTA_CHAIN } = options;
  return {
    ...options,
    compressor: options.compressor,
    internalPageMax,
    leafPageMax,
    internalSplit: splitSize(internalPageMax),
    leafSplit: splitSize(leafPageMax),
    minPrefix: options.prefixCompression === true ? MIN_PREFIX : 0,
    deltaPct: inRange("deltaPct", deltaPct, 1, 100),
    maxDeltas: inRange("maxConsecutiveDelta", maxConsecutiveDelta, 0, MAX_DELTA_CHAIN),
    checkpointId: options.checkpointId ?? log.globals.checkpointStarted ?? 1n,
    transforms: transformsOf(options.compressor, options.encryptor),
  };
}

const splitSize = (most: number): number => Math.floor((most * SPLIT_PCT) / 100);

const pageMax = (name: "internalPageMax" | "leafPageMax", size: number = DEFAULTS[name]): number =>
  inRange(name, size, PAGE_LIMITS.least, PAGE_LIMITS.most);

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new TreeWriteError("bad-options", `${name} is ${value}; it can be ${least} to ${most}`);
}
