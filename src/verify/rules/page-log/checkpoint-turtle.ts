import { crc32c } from "../../../codec/crc32c.js";
import { hex32 } from "../../hex.js";
import type { CheckpointSubject } from "../../page-log/checkpoint.js";
import type { Rule } from "../../rule.js";

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
        expected: hex32(expected),
        actual: hex32(actual),
        consequence,
      });
  },
};
