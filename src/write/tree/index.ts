/** Trees of page logs, written from sorted rows or edits. */
export { writeTree } from "./tree-builder.js";
export { editTree } from "./tree-editor.js";
export { TreeWriteError, type TreeWriteErrorCode } from "./write-error.js";
