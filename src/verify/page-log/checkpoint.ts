/** A checkpoint of a page log as the rules see it: its record, its turtle page, its key page. */
import {
  checkpointRecord,
  type CheckpointRecord as RecordValue,
} from "../../../formats/checkpoint-record.js";
import { looksLikeCryptPage } from "../../../formats/crypt-page.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { type DisaggTurtle, disaggTurtle, turtleCheckpoint } from "../../../formats/disagg-turtle.js";
import type { Reading } from "../../codec/index.js";
import type { CheckpointRecord, PageLog, PageRecord } from "../../store/types.js";
import { type ForcedGenerations, readAs } from "../generation.js";
import type { FindingPlace, Subject } from "../rule.js";

export class CheckpointSubject implements Subject {
  readonly reading: Reading<RecordValue>;
  readonly turtle: PageRecord | undefined;
  readonly turtleReading: Reading<DisaggTurtle> | undefined;
  readonly keyPage: PageRecord | undefined;
  /** The checkpoints before and after it, in the order of their turtle pages. */
  before: CheckpointSubject | undefined;
  after: CheckpointSubject | undefined;

  constructor(
    readonly store: PageLog,
    readonly record: CheckpointRecord,
    forced: ForcedGenerations = {},
  ) {
    this.reading = checkpointRecord.read(record.metadata, readAs(forced.checkpointRecord));
    const lsn = this.value?.metadataLsn;
    this.turtle = lsn === undefined ? undefined : findTurtle(store, lsn);
    this.turtleReading =
      this.turtle === undefined ? undefined : disaggTurtle.read(this.turtle.data, readAs(forced.turtle));
    this.keyPage = this.findKeyPage();
  }

  get value(): RecordValue | undefined {
    return this.reading.ok ? this.reading.value : undefined;
  }
  get turtleValue(): DisaggTurtle | undefined {
    return this.turtleReading?.ok === true ? this.turtleReading.value : undefined;
  }
  /** LSN of the turtle page it names: what checkpoints are ordered by. */
  get turtleLsn(): bigint | undefined {
    return this.value?.metadataLsn;
  }
  get isPalm(): boolean {
    return this.record.checkpointId !== undefined;
  }
  get name(): string {
    return `checkpoint at LSN ${this.record.lsn}`;
  }

  /** Cookie of the shared metadata's root; undefined when there is none or the turtle cannot be read. */
  get rootCookie(): Uint8Array | undefined {
    const { turtleValue } = this;
    const addr = turtleValue === undefined ? undefined : turtleCheckpoint(turtleValue)?.addr;
    return addr === undefined || addr.length === 0 ? undefined : addr;
  }

  private findKeyPage(): PageRecord | undefined {
    const { turtleValue } = this;
    const lsn =
      turtleValue === undefined || turtleValue.generation === "L0" ? undefined : turtleValue.keyProvider?.lsn;
    if (lsn === undefined) return undefined;
    const { ids, page } = specialTables.keyProvider;
    return ids.map((id) => this.store.record(id, page, lsn)).find((record) => record !== undefined);
  }

  /** Where the turtle page is: the place of what it says. */
  turtlePlace(): FindingPlace {
    const { turtle } = this;
    return turtle === undefined ? this.place() : placeOf(turtle, this.name);
  }

  place(): FindingPlace {
    const { place, lsn } = this.record;
    return {
      path: place.file,
      ...(place.offset === undefined ? {} : { offset: place.offset }),
      lsn,
      checkpoint: this.name,
    };
  }
}

export function placeOf(record: PageRecord, checkpoint?: string): FindingPlace {
  const { place, tableId, pageId, lsn } = record;
  return {
    path: place.file,
    ...(place.offset === undefined ? {} : { offset: place.offset }),
    tableId,
    pageId,
    lsn,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
}

/** Table id 2 held the turtle later and the key page before, so the content decides. */
function findTurtle(store: PageLog, lsn: bigint): PageRecord | undefined {
  const { ids, page } = specialTables.turtle;
  for (const id of ids) {
    const record = store.record(id, page, lsn);
    if (record !== undefined && !looksLikeCryptPage(record.data))
      return { ...record, data: record.data.slice() };
  }
  return undefined;
}
