/** What is given beside the bytes: a format is read with each of these. */
import type { AnyFormat } from "./site.js";

export type Params = Readonly<Record<string, number>>;

export const NO_PARAMS: Params = {};
const NONE: readonly Params[] = [NO_PARAMS];
const TRUNCATE: readonly Params[] = [NO_PARAMS, { fastTruncate: 1 }];

/** By name of the format. */
const known: Readonly<Record<string, readonly Params[]>> = {
  page: [NO_PARAMS, { plain: 1 }, { bitsPerRecord: 3 }],
  cell: TRUNCATE,
  "delta-internal-entry": TRUNCATE,
};

/** Always begins with none. */
export const paramsOf = ({ name }: AnyFormat): readonly Params[] => known[name] ?? NONE;
