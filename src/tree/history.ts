/** Older versions of a table's rows, out of the history store (formats: history and log §1). */
import {
  HISTORY_KEY_FORMAT,
  historyKey,
  historyValue,
  modifiesOf,
  modifyList,
  updateTypes,
} from "../../formats/history.js";
import { packStruct } from "../../formats/packed-struct.js";
import { FormatError } from "../codec/error.js";
import { applyModifies } from "../page/modify.js";
import { startsWith } from "./keys.js";
import { PageFault } from "./problem.js";
import { type SoughtRow, TreeSeeker } from "./seek.js";
import type { PageSource, PartOrigin, TreeKey } from "./types.js";

/** A version of a row as it was at some time. */
export interface Version {
  readonly value: Uint8Array;
  readonly origin?: PartOrigin;
}

interface HistoryRecord {
  readonly startTs: bigint;
  readonly stopTs: bigint;
  readonly type: number;
  readonly data: Uint8Array;
}

const NO_STOP = (1n << 64n) - 1n;

export class TableHistory {
  private readonly seeker: TreeSeeker;
  private readonly modifyFormat: "u" | "S";

  constructor(
    source: PageSource,
    root: Uint8Array,
    private readonly btreeId: bigint,
    valueFormat: string,
  ) {
    this.seeker = new TreeSeeker(source, root);
    this.modifyFormat = valueFormat === "S" ? "S" : "u";
  }

  /**
   * The value of a key at a timestamp before the one on its page; `newest` is the value there. Undefined when the
   * key had none.
   * @throws PageFault for history that cannot be read.
   */
  valueAt(key: TreeKey, timestamp: bigint, newest: () => Uint8Array): Uint8Array | undefined {
    let found: HistoryRecord | undefined;
    const newer: HistoryRecord[] = [];
    for (const record of this.records(key)) {
      if (record.startTs <= timestamp) {
        found = record;
        continue;
      }
      if (found === undefined || found.stopTs <= timestamp || found.type === updateTypes.standard) break;
      newer.push(record);
      if (record.type === updateTypes.standard) break;
    }
    if (found === undefined || found.stopTs <= timestamp) return undefined;
    return found.type === updateTypes.standard ? found.data : this.rebuild(found, newer, newest);
  }

  /** Changes are relative to the next newer version: from the first whole one they lead back. */
  private rebuild(
    found: HistoryRecord,
    newer: readonly HistoryRecord[],
    newest: () => Uint8Array,
  ): Uint8Array {
    const last = newer.at(-1);
    const whole = last?.type === updateTypes.standard ? last.data : newest();
    const changes = [found, ...newer.filter(({ type }) => type === updateTypes.modify)];
    return changes.reduceRight(
      (value, { data }) => applyModifies(value, modifiesOf(modifyList.parse(data)), this.modifyFormat),
      whole,
    );
  }

  /** The versions of a key, oldest first. */
  private *records(key: TreeKey): Generator<HistoryRecord> {
    const userKey = typeof key === "bigint" ? packStruct("r", [key]) : key;
    const prefix = packStruct(PREFIX_FORMAT, [Number(this.btreeId), userKey, 0n]).subarray(0, -1);
    for (const sought of this.seeker.from(prefix)) {
      if (!startsWith(sought.key, prefix)) return;
      yield this.recordOf(sought);
    }
  }

  private recordOf({ key, row }: SoughtRow): HistoryRecord {
    try {
      const { startTimestamp } = historyKey.parse(key);
      const { updateType, data } = historyValue.parse(this.seeker.valueOf(row));
      return { startTs: startTimestamp, stopTs: row.window?.stopTs ?? NO_STOP, type: updateType, data };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new PageFault("history", `a record of the history store: ${error.message}`, { path: "" });
    }
  }
}

/** Table, key and one number: what all records of a key begin with, and a byte. */
const PREFIX_FORMAT = HISTORY_KEY_FORMAT.slice(0, -1);
