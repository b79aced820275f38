/** The page-log flags of a record as stores keep them. */
import { pageLogFlagSymbols } from "../../formats/page-log.js";
import { type Issue, symbolList } from "../codec/index.js";

const KNOWN = symbolList(pageLogFlagSymbols).reduce((all, [, mask]) => all | BigInt(mask), 0n);

/** Bits that mean nothing known, in the words of the keys of PALM; undefined when there are none. */
export function unknownFlags(path: string, flags: bigint): Issue | undefined {
  const unknown = flags & ~KNOWN;
  if (unknown === 0n) return undefined;
  const message = `bits without a meaning: 0x${unknown.toString(16)}`;
  return { code: "unknown-bits", severity: "info", path, message, actual: flags };
}
