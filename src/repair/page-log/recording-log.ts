/** A page log in memory, with what is put into it since. */
import type { NewRecord } from "../../store/checked-page-log.js";
import { MemoryPageLog } from "../../store/memory-page-log.js";
import type { PageLog } from "../../store/types.js";

export class RecordingLog extends MemoryPageLog {
  /** In the order of their LSNs. */
  readonly written: NewRecord[] = [];

  /**
   * With a copy of everything the log holds. Records above its newest checkpoint are among them until a checkpoint is
   * begun, which removes them.
   */
  static from(log: PageLog): RecordingLog {
    const records = Array.from(log.records(), (record) => ({ ...record, data: record.data.slice() }));
    const checkpoints = log.checkpoints();
    const { kind, path, generation, globals } = log;
    return new RecordingLog(
      {},
      { records: () => records, checkpoints: () => checkpoints, globals },
      { kind, path, generation },
    );
  }

  protected override insert(record: NewRecord): void {
    super.insert(record);
    this.written.push({ ...record, data: record.data.slice() });
  }
}
