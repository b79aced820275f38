import { crc32c } from "../../../codec/crc32c.js";
import type { CheckpointSubject } from "../../page-log/checkpoint.js";
import type { Rule, RuleInfo } from "../../rule.js";

/** The text that completes a checkpoint. */
export const checkpointRecordFormat: RuleInfo = {
  code: "checkpoint-record",
  severity: "error",
  title: "checkpoint records can be read",
  doc: "Configuration text with the LSN of the turtle page and, in newer stores, its checksum (turtle and disagg metadata §2).",
};

/** The text of the turtle page. */
export const turtlePageFormat: RuleInfo = {
  code: "turtle-page",
  severity: "error",
  title: "turtle pages can be read",
  doc: "Text that names the root of the shared metadata and the timestamps (turtle and disagg metadata §3). In mid-2025 stores nothing guards it with a checksum.",
};

/** The key provider's page. */
export const keyPageFormat: RuleInfo = {
  code: "key-page",
  severity: "error",
  title: "key pages have a sound crypt header",
  doc: "Signature, sizes and a checksum over header and blob (crypt header and key provider). The blob itself is never shown.",
};

/** A checkpoint record leads to its turtle page. */
export const checkpointTurtle: Rule<CheckpointSubject> = {
  code: "checkpoint-turtle",
  severity: "error",
  title: "the turtle page a checkpoint names is there and has the checksum it names",
  doc: "metadata_lsn is the LSN of the turtle page, metadata_checksum the CRC32C of its bytes (turtle and disagg metadata §2).",
  check({ value, turtle }, found) {
    const lsn = value?.metadataLsn;
    if (lsn === undefined) return;
    const consequence = "the checkpoint cannot be opened";
    if (turtle === undefined) {
      found({ lsn, message: `there is no turtle page at LSN ${lsn}`, expected: lsn, consequence });
      return;
    }
    const expected = value?.metadataChecksum;
    const actual = crc32c(turtle.data);
    if (expected !== undefined && expected !== actual)
      found({
        tableId: turtle.tableId,
        pageId: turtle.pageId,
        lsn,
        field: "metadataChecksum",
        message: "the turtle page is not the one the checkpoint was completed with",
        expected,
        actual,
        consequence,
      });
  },
};

/** What a checkpoint record and its turtle page both say. */
export const checkpointAgreement: Rule<CheckpointSubject> = {
  code: "checkpoint-agreement",
  severity: "error",
  title: "a checkpoint record agrees with its own key and with its turtle page",
  doc: "Timestamps are the same; in PALM stores the record takes the LSN after its turtle page and its key repeats the checkpoint id (page-log stores §3).",
  check({ record, value, turtleValue, isPalm }, found) {
    if (value === undefined) return;
    if (isPalm && value.metadataLsn !== undefined && record.lsn !== value.metadataLsn + 1n)
      found({ field: "lsn", message: "the record's LSN is not the one after its turtle page", expected: value.metadataLsn + 1n, actual: record.lsn });
    if (record.checkpointId !== undefined && value.id !== undefined && record.checkpointId !== value.id)
      found({ field: "id", message: "the record's key and its text name two checkpoint ids", expected: record.checkpointId, actual: value.id });
    const timestamp = turtleValue === undefined || turtleValue.generation === "L0" ? undefined : turtleValue.timestamp;
    if (timestamp !== undefined && timestamp !== record.timestamp)
      found({ field: "timestamp", message: "the record and its turtle page name two timestamps", expected: timestamp, actual: record.timestamp });
  },
};

/** The key page a turtle page names. */
export const checkpointKeyPage: Rule<CheckpointSubject> = {
  code: "checkpoint-key-page",
  severity: "error",
  title: "the key page a turtle page names is there",
  doc: "key_provider=(page.1=(page_id=1,lsn=N)) is the LSN of the current key page (crypt header and key provider).",
  check({ turtle, turtleValue, keyPage }, found) {
    if (turtle === undefined || turtleValue === undefined || turtleValue.generation === "L0") return;
    const lsn = turtleValue.keyProvider?.lsn;
    if (lsn === undefined || keyPage !== undefined) return;
    found({
      lsn,
      field: "keyProvider.lsn",
      message: `there is no key page at LSN ${lsn}`,
      expected: lsn,
      consequence: "the key cannot be loaded: encrypted data of this checkpoint is out of reach",
    });
  },
};

/** Checkpoints come one after the other. */
export const checkpointOrder: Rule<CheckpointSubject> = {
  code: "checkpoint-order",
  severity: "error",
  title: "checkpoints ascend by LSN, id and timestamp",
  doc: "A later checkpoint has a later LSN, a higher id and no older timestamp (page-log stores §3).",
  check({ record, before }, found) {
    if (before === undefined) return;
    if (record.checkpointId !== undefined && before.checkpointId !== undefined && record.checkpointId <= before.checkpointId)
      found({ field: "checkpointId", message: "the checkpoint id does not rise", expected: `above ${before.checkpointId}`, actual: record.checkpointId });
    if (record.timestamp < before.timestamp)
      found({ field: "timestamp", severity: "warning", message: "the timestamp falls", expected: `at least ${before.timestamp}`, actual: record.timestamp });
  },
};
