/** One `.wt` file without its metadata: its checkpoints are found in the file itself. */
import { DEFAULT_ALLOCATION_SIZE } from "../../../formats/classic-cookie.js";
import { DESCRIPTION_WINDOW, findAllocationSize } from "../../../formats/description-block.js";
import { openInput } from "../../store/input.js";
import { emptyConfig, findCheckpoint } from "../../tree/classic/found-checkpoint.js";
import type { Detected, Run } from "../run.js";
import { FileVerifier } from "./file.js";

/** Verifies a file by the newest checkpoint its free-space lists tell of; says so when there is none. */
export function verifyLoneFile(path: string, run: Run, detected: Detected): void {
  const access = openInput(path);
  try {
    const start = new Uint8Array(Math.min(DESCRIPTION_WINDOW, access.size));
    access.readInto(start, 0);
    const allocationSize = run.options.allocationSize ?? findAllocationSize(start) ?? DEFAULT_ALLOCATION_SIZE;
    const found = findCheckpoint(access, allocationSize);
    const config = found?.config ?? emptyConfig(allocationSize);
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
