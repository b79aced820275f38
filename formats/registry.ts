/** Every format by its command-line name. */
import type { Format } from "../src/codec/index.js";
import { addressCookie, checkpointCookie } from "./address-cookie.js";
import { blockHeader, classicBlockHeader, deltaHeader } from "./block-header.js";
import { pageHeader } from "./page-header.js";

// biome-ignore lint/suspicious/noExplicitAny: a list of formats of different values.
type AnyFormat = Format<any>;

/** In the order `pugmark formats` lists them. */
export const formats: readonly AnyFormat[] = [
  pageHeader,
  classicBlockHeader,
  blockHeader,
  deltaHeader,
  addressCookie,
  checkpointCookie,
];

export const formatByName = (name: string): AnyFormat | undefined =>
  formats.find((format) => format.name === name);
