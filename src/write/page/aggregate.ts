/** What the time windows below an address have in common (formats: cells and deltas §3). */
import {
  GLOBAL_AGGREGATE,
  GLOBAL_WINDOW,
  MAX_TIMESTAMP,
  MAX_TRANSACTION,
  type TimeAggregate,
  type TimeWindow,
} from "../../../formats/time-window.js";

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Collects windows of rows, or aggregates of children. */
export class AggregateBuilder {
  private oldestStartTs = MAX_TIMESTAMP;
  private newestTxn = 0n;
  private newestStartDurableTs = 0n;
  private newestStopTs = 0n;
  private newestStopTxn = 0n;
  private newestStopDurableTs = 0n;
  private prepare = false;
  private empty = true;
  /** Rows everybody sees are many: one stands for all. */
  private withGlobal = false;
  private last: TimeWindow | undefined;

  reset(): void {
    this.oldestStartTs = MAX_TIMESTAMP;
    this.newestTxn = this.newestStartDurableTs = 0n;
    this.newestStopTs = this.newestStopTxn = this.newestStopDurableTs = 0n;
    this.prepare = this.withGlobal = false;
    this.empty = true;
    this.last = undefined;
  }

  addWindow(window: TimeWindow | undefined): void {
    if (window === undefined) {
      this.withGlobal = true;
      return;
    }
    if (window === this.last) return;
    this.last = window;
    const { startTs, startTxn, durableStartTs, stopTs, stopTxn, durableStopTs, prepare } = window;
    this.include({
      oldestStartTs: startTs,
      newestTxn: stopTxn === MAX_TRANSACTION ? startTxn : later(startTxn, stopTxn),
      newestStartDurableTs: durableStartTs,
      newestStopTs: stopTs,
      newestStopTxn: stopTxn,
      newestStopDurableTs: durableStopTs,
      prepare,
    });
  }

  addAggregate(aggregate: TimeAggregate): void {
    if (aggregate === GLOBAL_AGGREGATE) this.withGlobal = true;
    else this.include(aggregate);
  }

  /** An empty one for no rows at all. */
  result(): TimeAggregate {
    if (this.withGlobal) {
      if (this.empty) return GLOBAL_AGGREGATE;
      this.withGlobal = false;
      this.addWindow(GLOBAL_WINDOW);
    }
    if (this.empty) return GLOBAL_AGGREGATE;
    const { oldestStartTs, newestTxn, newestStartDurableTs } = this;
    const { newestStopTs, newestStopTxn, newestStopDurableTs, prepare } = this;
    return {
      oldestStartTs,
      newestTxn,
      newestStartDurableTs,
      newestStopTs,
      newestStopTxn,
      newestStopDurableTs,
      prepare,
    };
  }

  private include(added: TimeAggregate): void {
    this.empty = false;
    if (added.oldestStartTs < this.oldestStartTs) this.oldestStartTs = added.oldestStartTs;
    this.newestTxn = later(this.newestTxn, added.newestTxn);
    this.newestStartDurableTs = later(this.newestStartDurableTs, added.newestStartDurableTs);
    this.newestStopTs = later(this.newestStopTs, added.newestStopTs);
    this.newestStopTxn = later(this.newestStopTxn, added.newestStopTxn);
    this.newestStopDurableTs = later(this.newestStopDurableTs, added.newestStopDurableTs);
    this.prepare ||= added.prepare;
  }
}
