/**
 * Readers and writers of three headers as one would write them by hand: the peers of the codec bench. Offsets come
 * from the declarations, as constants.
 */
import { classicBlockHeader, blockHeaderTypes, loneChecksum } from "../../formats/block-header.js";
import { pageHeader } from "../../formats/page-header.js";
import { type Type, fixedPrefix, type Infer, offsetsOf, struct } from "../../src/codec/index.js";

const page = offsetsOf(pageHeader.type).at;
const classic = offsetsOf(classicBlockHeader.type).at;

export type PageHeader = Infer<typeof pageHeader.type>;
type ClassicHeader = Infer<typeof classicBlockHeader.type>;

export const classicHeaders = struct({ page: pageHeader.type, block: classicBlockHeader.type });
const CLASSIC_BLOCK_AT = offsetsOf(classicHeaders).at.block;
export const disaggHeader = fixedPrefix(blockHeaderTypes.D1(loneChecksum));
const disagg = offsetsOf(disaggHeader).at;
