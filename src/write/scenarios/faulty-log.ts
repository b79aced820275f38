/** A page log whose disk is full at times. */
import { PageLogError } from "../../store/page-log-error.js";
import type { CheckpointCompletion, PagePut, WritablePageLog } from "../../store/writable.js";

/** What cannot be written, once: the next record of a table, or the completion record. */
export interface WriteFault {
  fails: bigint | "record" | undefined;
}

/** The log as it is, but for the put or publication that fails: nothing of that is in it. */
export function withFullDisk(log: WritablePageLog, fault: WriteFault): WritablePageLog {
  const guard = <T>(what: bigint | "record", work: () => T): T => {
    if (fault.fails !== what) return work();
    fault.fails = undefined;
    throw new PageLogError("io", "no space left on the device");
  };
  return new Proxy(log, {
    get(target, name) {
      if (name === "put") return (put: PagePut) => guard(put.tableId, () => target.put(put));
      if (name === "completeCheckpoint")
        return (completion: CheckpointCompletion) =>
          guard("record", () => target.completeCheckpoint(completion));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
