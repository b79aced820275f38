/** Where a scenario plays: a page log, a database opened over it, what it is given and what it must hold. */
import { seededRandom } from "../../codec/random.js";
import { type CrashHook, type CrashPoint, CrashReached } from "../../store/crash-point.js";
import type { WritablePageLog } from "../../store/writable.js";
import type { WriteGeneration } from "../generation.js";
import type { KeyProvider } from "../key-provider/types.js";
import { DatabaseNode, type NodeRole, type PublishedCheckpoint } from "../roles/node.js";
import { type WriteFault, withFullDisk } from "./faulty-log.js";
import { ScriptedKeys } from "./scripted-keys.js";
import { type DatabaseContent, Workload } from "./workload.js";

export interface StageOptions {
  readonly generation: WriteGeneration;
  readonly seed: number;
  /** Bytes of rows of the scenario that is made by size. */
  readonly size: number;
  /** Told of every crash point, after the scenario itself. */
  readonly onCrashPoint?: CrashHook | undefined;
}

/** An attempt to write a checkpoint: what the database held, and whether it was published. */
export interface Attempt {
  readonly content: DatabaseContent;
  /** The key blob that belongs to it, empty for none. */
  readonly key: Uint8Array;
  published: PublishedCheckpoint | undefined;
}

/** Time of the first checkpoint, seconds since 1970. */
const EPOCH = 1_790_000_000n;

export class Stage {
  readonly workload: Workload;
  readonly attempts: Attempt[] = [];
  /** Of the node opened last. */
  keys: ScriptedKeys;
  private readonly fault: WriteFault = { fails: undefined };
  private pushed: ReadonlyArray<{ readonly key: Uint8Array; readonly timestamp: bigint }> = [];
  private readonly log: WritablePageLog;
  private time = EPOCH;
  private keyNumber = 0;
  private armed: { point: CrashPoint; passes: number } | undefined;

  /** @param openLog makes the page log; `hook` is to be told of its crash points */
  constructor(
    readonly options: StageOptions,
    openLog: (hook: CrashHook) => WritablePageLog,
  ) {
    this.workload = new Workload(seededRandom(options.seed));
    this.log = withFullDisk(openLog(this.hook), this.fault);
    this.keys = this.newKeys();
  }

  get generation(): WriteGeneration {
    return this.options.generation;
  }
  get pageLog(): WritablePageLog {
    return this.log;
  }
  /** What the newest published checkpoint holds. */
  get published(): Attempt | undefined {
    return this.attempts.findLast(({ published }) => published !== undefined);
  }

  /** A node as a process that starts has it. What was given since the newest checkpoint is lost. */
  open(role: NodeRole = "leader"): DatabaseNode {
    if (role === "leader") this.workload.restore(this.published?.content ?? new Map());
    const scripted = this.newKeys();
    this.keys = scripted;
    return this.openWith(scripted, role);
  }

  openWith(keyProvider: KeyProvider, role: NodeRole = "leader"): DatabaseNode {
    const { generation, log, hook } = this;
    return DatabaseNode.open(log, {
      role,
      generation,
      keyProvider,
      now: () => this.time++,
      onCrashPoint: hook,
    });
  }

  /** A key that was pushed: the checkpoint that covers its timestamp is to have it. */
  expectKey(key: Uint8Array, timestamp: bigint): void {
    this.pushed = [...this.pushed, { key, timestamp }];
  }

  /** The stage's own provider, for a node it does not open. */
  newKeys(): ScriptedKeys {
    return new ScriptedKeys(this.options.seed, () => ++this.keyNumber);
  }

  checkpoint(node: DatabaseNode): PublishedCheckpoint {
    const attempt: Attempt = {
      content: this.workload.snapshot(),
      key: this.keyAt(node.stableTimestamp).slice(),
      published: undefined,
    };
    this.attempts.push(attempt);
    attempt.published = node.checkpoint();
    return attempt.published;
  }

  /** The next checkpoint that fails, as it must. */
  failingCheckpoint(node: DatabaseNode): Error {
    try {
      this.checkpoint(node);
    } catch (error) {
      if (error instanceof Error && !(error instanceof CrashReached)) return error;
      throw error;
    }
    throw new Error("the checkpoint was to fail, and did not");
  }

  /** Lets the next write of a kind fail, as on a full disk. */
  failWrite(what: "page" | "metadata" | "key" | "turtle" | "record"): void {
    const { turtle, sharedMetadata, keyProvider } = this.generation.tables;
    const tables = { page: this.tableId, metadata: sharedMetadata, key: keyProvider, turtle };
    this.fault.fails = what === "record" ? what : tables[what];
  }

  /** Stops the next checkpoint at a point, as if the process were killed there. */
  crashAt(node: DatabaseNode, point: CrashPoint, passes = 1): void {
    this.armed = { point, passes };
    try {
      this.checkpoint(node);
    } catch (error) {
      if (error instanceof CrashReached && this.armed === undefined) return;
      throw error;
    }
    throw new Error(`the checkpoint does not come to ${point}`);
  }

  private keyAt(timestamp: bigint): Uint8Array {
    const pushed = this.pushed.findLast((one) => one.timestamp <= timestamp);
    return pushed?.key ?? this.keys.blob;
  }

  /** Of the first table with rows. */
  private get tableId(): bigint | undefined {
    const [first] = DatabaseNode.open(this.log, { role: "follower", generation: this.generation })
      .reader()
      .tables()
      .filter(({ name, checkpoints }) => name === "layered:accounts" && checkpoints.length > 0);
    return first?.id;
  }

  private readonly hook: CrashHook = (point) => {
    this.options.onCrashPoint?.(point);
    const { armed } = this;
    if (armed === undefined || armed.point !== point || --armed.passes > 0) return;
    this.armed = undefined;
    throw new CrashReached(point);
  };
}
