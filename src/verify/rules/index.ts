/** Every rule of the verifier: what its findings' codes mean. */
import type { RuleInfo } from "../rule.js";
import { blockPlace } from "./block/block-place.js";
import { blockUnreadable } from "./block/block-unreadable.js";
import { checksumPartial } from "./block/checksum-partial.js";
import { classicChecksum } from "./block/classic-checksum.js";
import { classicHeader } from "./block/classic-header.js";
import { disaggChecksum } from "./block/disagg-checksum.js";
import { disaggHeader } from "./block/disagg-header.js";
import { pageInflate } from "./block/page-inflate.js";
import { baseConfig } from "./classic/base-config.js";
import { checkpointCookieFormat } from "./classic/checkpoint-cookie.js";
import { extentListFormat } from "./classic/extent-list.js";
import { fileDescription } from "./classic/file-description.js";
import { fileSize } from "./classic/file-size.js";
import { fileTail } from "./classic/file-tail.js";
import { logRecords } from "./classic/log-record.js";
import { logReplay } from "./classic/log-replay.js";
import { logSequence } from "./classic/log-sequence.js";
import { metadataFileMissing } from "./classic/metadata-file-missing.js";
import { metadataFileUnlisted } from "./classic/metadata-file-unlisted.js";
import { metadataIncomplete } from "./classic/metadata-incomplete.js";
import { spaceLeak } from "./classic/space-leak.js";
import { spaceLive } from "./classic/space-live.js";
import { spaceOverlap } from "./classic/space-overlap.js";
import { spaceUnreferenced } from "./classic/space-unreferenced.js";
import { turtleFileFormat } from "./classic/turtle-file.js";
import { turtleFileMissing } from "./classic/turtle-file-missing.js";
import { turtleFileVersion } from "./classic/turtle-file-version.js";
import { versionFileMissing } from "./classic/version-file-missing.js";
import { dumpChainBase } from "./lone/dump-chain-base.js";
import { dumpChainLink } from "./lone/dump-chain-link.js";
import { dumpChecksum } from "./lone/dump-checksum.js";
import { historyOrder } from "./metadata/history-order.js";
import { historyTable } from "./metadata/history-table.js";
import { metadataCheckpoint } from "./metadata/metadata-checkpoint.js";
import { metadataDuplicateId } from "./metadata/metadata-duplicate-id.js";
import { metadataFileId } from "./metadata/metadata-file-id.js";
import { metadataNamespace } from "./metadata/metadata-namespace.js";
import { metadataReferences } from "./metadata/metadata-reference.js";
import { metadataRowConfig } from "./metadata/metadata-row-config.js";
import { metadataTable } from "./metadata/metadata-table.js";
import { metadataUri } from "./metadata/metadata-uri.js";
import { pageCells } from "./page/page-cells.js";
import { addressAgreement } from "./page-log/address-agreement.js";
import { addressFormat } from "./page-log/address-cookie.js";
import { addressRecord } from "./page-log/address-record.js";
import { previousChecksum } from "./page-log/block-previous-checksum.js";
import { blockWriteGen } from "./page-log/block-write-gen.js";
import { checkpointAgreement } from "./page-log/checkpoint-agreement.js";
import { checkpointCounter } from "./page-log/checkpoint-counter.js";
import { checkpointKeyPage } from "./page-log/checkpoint-key-page.js";
import { checkpointOrder } from "./page-log/checkpoint-order.js";
import { checkpointRecordFormat } from "./page-log/checkpoint-record.js";
import { checkpointSize } from "./page-log/checkpoint-size.js";
import { checkpointTurtle } from "./page-log/checkpoint-turtle.js";
import { keyPageFormat } from "./page-log/key-page.js";
import { lsnCounter } from "./page-log/lsn-counter.js";
import { lsnGap } from "./page-log/lsn-gap.js";
import { lsnUnique } from "./page-log/lsn-unique.js";
import { metadataRoot } from "./page-log/metadata-root.js";
import { recordAttributes } from "./page-log/record-attributes.js";
import { recordChainLength } from "./page-log/record-chain-length.js";
import { recordCheckpointId } from "./page-log/record-checkpoint-id.js";
import { recordDeltaLinks } from "./page-log/record-delta-links.js";
import { recordDiscardLinks } from "./page-log/record-discard-links.js";
import { recordImageLinks } from "./page-log/record-image-links.js";
import { orphanRecords } from "./page-log/record-orphans.js";
import { recordPageId } from "./page-log/record-page-id.js";
import { unreachableRecords } from "./page-log/record-unreachable.js";
import { storeContainer } from "./page-log/store-container.js";
import { turtlePageFormat } from "./page-log/turtle-page.js";
import { findingsSuppressed } from "./run/findings-suppressed.js";
import { inputUnknown } from "./run/input-unknown.js";
import { inputUnreadable } from "./run/input-unreadable.js";
import { unchecked } from "./run/unchecked.js";
import { unsupportedVersion } from "./run/unsupported-version.js";
import { treeAddress } from "./tree/tree-address.js";
import { treeKeyRange } from "./tree/tree-key-range.js";
import { treeKeysLost } from "./tree/tree-keys-lost.js";
import { treeLoop } from "./tree/tree-loop.js";
import { treePageType } from "./tree/tree-page-type.js";
import { treeTimes } from "./tree/tree-times.js";

export const rules: readonly RuleInfo[] = [
  blockPlace,
  blockUnreadable,
  classicChecksum,
  classicHeader,
  checksumPartial,
  disaggChecksum,
  disaggHeader,
  pageInflate,
  baseConfig,
  checkpointCookieFormat,
  extentListFormat,
  fileDescription,
  fileSize,
  fileTail,
  logRecords,
  logReplay,
  logSequence,
  metadataFileMissing,
  metadataFileUnlisted,
  metadataIncomplete,
  spaceLeak,
  spaceLive,
  spaceOverlap,
  spaceUnreferenced,
  turtleFileMissing,
  turtleFileVersion,
  turtleFileFormat,
  versionFileMissing,
  dumpChainBase,
  dumpChainLink,
  dumpChecksum,
  metadataDuplicateId,
  metadataReferences,
  metadataRowConfig,
  metadataTable,
  metadataUri,
  metadataNamespace,
  metadataFileId,
  metadataCheckpoint,
  historyTable,
  historyOrder,
  addressAgreement,
  addressFormat,
  addressRecord,
  previousChecksum,
  checkpointAgreement,
  checkpointKeyPage,
  checkpointOrder,
  checkpointRecordFormat,
  checkpointTurtle,
  keyPageFormat,
  lsnCounter,
  lsnGap,
  lsnUnique,
  metadataRoot,
  recordAttributes,
  recordChainLength,
  recordCheckpointId,
  recordDeltaLinks,
  recordImageLinks,
  orphanRecords,
  unreachableRecords,
  recordPageId,
  recordDiscardLinks,
  checkpointSize,
  checkpointCounter,
  blockWriteGen,
  storeContainer,
  turtlePageFormat,
  pageCells,
  findingsSuppressed,
  inputUnknown,
  inputUnreadable,
  unchecked,
  unsupportedVersion,
  treeAddress,
  treeLoop,
  treeTimes,
  treePageType,
  treeKeysLost,
  treeKeyRange,
];
