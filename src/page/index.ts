/** Pages: decoded as values, annotated, or walked in place. */
export { type AnnotatedBytes, type AnnotatedPage, annotatePage } from "./annotate.js";
export {
  type BlockChecksum,
  type BlockGeneration,
  type BlockHeaders,
  readBlockHeaders,
} from "./block-headers.js";
export type { Defect } from "./defects.js";
export {
  type DecodedCell,
  type DecodedEntry,
  type DecodedPage,
  type DecodedRecords,
  type DecodePageOptions,
  decodePage,
  type PageAddress,
  pageLayout,
  plainImage,
} from "./page.js";
export { pageToJson } from "./page-json.js";
export { PageWalker } from "./walk.js";
export * from "./walk-types.js";
