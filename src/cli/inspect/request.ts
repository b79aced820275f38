/** What `inspect` is asked for. */
import type { ReadOptions } from "../../codec/format.js";
import type { InputKind } from "../../store/types.js";
import type { AnyFormat } from "../convert.js";
import { CommandError } from "../exit.js";

export interface InspectRequest {
  readonly path: string;
  readonly kind: InputKind | undefined;
  readonly table: string | undefined;
  readonly page: bigint | undefined;
  readonly lsn: bigint | undefined;
  readonly offset: number | undefined;
  /** Bytes from `offset`; found out from the headers when absent. */
  readonly length: number | undefined;
  /** Format of the bytes; found out when absent. */
  readonly format: AnyFormat | undefined;
  readonly read: ReadOptions;
  readonly compressor: string | undefined;
  readonly rotnKeyId: number | undefined;
  /** Rows of a list that are needed; 0 = all. */
  readonly limit: number;
}

const OPTION_NAMES = {
  table: "--table",
  page: "--page",
  lsn: "--lsn",
  offset: "--offset",
  length: "--length",
} as const;

/** @throws CommandError when an option was given that this kind of input has no use for. */
export function refuse(
  request: InspectRequest,
  what: string,
  names: ReadonlyArray<keyof typeof OPTION_NAMES>,
  instead: string,
): void {
  const given = names.find((name) => request[name] !== undefined);
  if (given !== undefined)
    throw new CommandError(`${OPTION_NAMES[given]}: ${what} has no such thing; ${instead}`);
}
