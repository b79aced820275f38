/** Every format by its command-line name. */
import type { Format } from "../src/codec/index.js";
import { addressCookie, checkpointCookie } from "./address-cookie.js";
import { blockHeader, classicBlockHeader, deltaHeader } from "./block-header.js";
import { classicAddressCookie, classicCheckpointCookie } from "./classic-cookie.js";
import { cryptPage } from "./crypt-page.js";
import { descriptionBlock } from "./description-block.js";
import { extentList } from "./extent-list.js";
import { lmdbBranchNode, lmdbDatabase, lmdbLeafNode, lmdbMeta, lmdbPage } from "./lmdb.js";
import { cookieVersion, packedInteger, packedIntegerSigned } from "./packed-integer.js";
import { pageHeader } from "./page-header.js";
import { palmCheckpointKey, palmGlobal, palmKey } from "./palm.js";

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
  palmKey,
  palmCheckpointKey,
  palmGlobal,
  lmdbMeta,
  lmdbDatabase,
  lmdbPage,
  lmdbBranchNode,
  lmdbLeafNode,
  classicAddressCookie,
  classicCheckpointCookie,
  descriptionBlock,
  extentList,
  cryptPage,
  packedInteger,
  packedIntegerSigned,
  cookieVersion,
];

export const formatByName = (name: string): AnyFormat | undefined =>
  formats.find((format) => format.name === name);
