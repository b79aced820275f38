/** One `.wt` file: its description block and allocation size. */
import {
  DESCRIPTION_WINDOW,
  descriptionBlock,
  findAllocationSize,
  MIN_ALLOCATION_SIZE,
} from "../../formats/description-block.js";
import type { Issue } from "../codec/index.js";
import { readRange } from "./file.js";
import { openInput } from "./input.js";
import { InputError } from "./input-error.js";
import type { RandomAccess } from "./types.js";

const UNSUPPORTED = "unsupported-version";

export interface WtFile {
  readonly kind: "wt-file";
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly file: RandomAccess;
  /** Bytes; undefined when the description block is damaged. */
  readonly allocationSize: number | undefined;
  /** What is wrong with the description block. */
  readonly issues: readonly Issue[];
}

/**
 * Opens a classic file; the caller closes `file`.
 * @throws InputError `input-empty`, `input-unsupported` for a sound description block of a newer version, and what
 *   opening a file throws.
 */
export function openWtFile(path: string): WtFile {
  const file = openInput(path);
  try {
    if (file.size === 0) throw new InputError("input-empty", path, "empty file");
    return { kind: "wt-file", path, size: file.size, file, ...describe(file) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function describe(file: RandomAccess): Pick<WtFile, "allocationSize" | "issues"> {
  const start = readRange(file, 0, DESCRIPTION_WINDOW);
  const allocationSize = findAllocationSize(start);
  const { issues } = descriptionBlock.read(start.subarray(0, allocationSize ?? MIN_ALLOCATION_SIZE));
  // With the checksum right, the version is what was written; else it is damage like any other.
  const version = allocationSize === undefined ? undefined : issues.find(({ code }) => code === UNSUPPORTED);
  if (version !== undefined)
    throw new InputError(
      "input-unsupported",
      file.path,
      `classic file of version ${version.actual}; known is 1.0`,
    );
  return { allocationSize, issues };
}
