/** Reading page logs, dumps and classic files. Node only; everything is opened read-only. */
export { type BlockInput, type LoneBlock, openBlock } from "./block.js";
export { type ClassicDirectory, type ClassicFile, openClassicDirectory } from "./classic-directory.js";
export { type CopyOptions, copyPageLog } from "./copy.js";
export { CorruptionLog, type DumpedBlock, openCorruptionLog } from "./corruption-log.js";
export { type DetectedInput, detectInput } from "./detect.js";
export { FileAccess, MemoryAccess, readRange } from "./file.js";
export { InputError, type InputErrorCode } from "./input-error.js";
export { exportPageLog } from "./jsonl-writer.js";
export { MemoryPageLog, type MemoryPageLogOptions, type PageLogContents } from "./memory-page-log.js";
export {
  isPageLogKind,
  type OpenPageLogOptions,
  openDetectedPageLog,
  openPageLog,
  type PageLogKind,
} from "./open.js";
export { type OpenWritableOptions, openWritablePageLog } from "./open-writable.js";
export { PageLogError, type PageLogErrorCode, type PageLogPlace } from "./page-log-error.js";
export type { ServiceDecrypt } from "./page-service.js";
export type {
  CheckpointRecord,
  InputKind,
  PageLog,
  PageLogGlobals,
  PageRecord,
  Place,
  RandomAccess,
  StoreIssue,
} from "./types.js";
export type {
  CheckpointCompletion,
  PageDiscard,
  PagePut,
  WritablePageLog,
  WritablePageLogOptions,
} from "./writable.js";
export { openWtFile, type WtFile } from "./wt-file.js";
