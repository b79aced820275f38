/** Damage as errors: inside, where a page cannot be had; outside, where nobody wants to hear of problems. */
import type { PagePlace, ProblemCode, TreeProblem } from "./types.js";

/** Why a page cannot be had. */
export class PageFault extends Error {
  override readonly name = "PageFault";

  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly place: PagePlace,
  ) {
    super(message);
  }
}

export type TreeErrorCode =
  /** There is no table, or no checkpoint, of that name. */
  | "no-table"
  | "no-checkpoint"
  /** The input has no trees. */
  | "no-trees"
  /** Damage, and nobody to be told of it. */
  | "damaged";

export class TreeError extends Error {
  override readonly name = "TreeError";

  constructor(
    readonly code: TreeErrorCode,
    message: string,
    readonly problem?: TreeProblem,
  ) {
    super(message);
  }
}

/** Where a page is, in words. */
export function placeText({ path, offset, tableId, pageId, lsn }: PagePlace): string {
  if (pageId !== undefined)
    return `table ${tableId}, page ${pageId}${lsn === undefined ? "" : `, LSN ${lsn}`}`;
  return offset === undefined ? path : `${path} at ${offset}`;
}

export const throwProblem = (problem: TreeProblem): never => {
  throw new TreeError("damaged", `${placeText(problem.place)}: ${problem.message}`, problem);
};
