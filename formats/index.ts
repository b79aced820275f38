/** Declarations of everything WiredTiger leaves on disk. */
export * from "./address-cookie.js";
export * from "./block-header.js";
export * from "./classic-cookie.js";
export * from "./crypt-page.js";
export * from "./description-block.js";
export * from "./extent-list.js";
export * from "./lmdb.js";
export * from "./packed-integer.js";
export * from "./page-header.js";
export * from "./palm.js";
export * from "./registry.js";
