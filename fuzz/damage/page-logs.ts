/** Small sound page logs, of several generations, whose records are damaged as a tape says. */
import { checkpointRecord } from "../../formats/checkpoint-record.js";
import { cryptPage } from "../../formats/crypt-page.js";
import { disaggTurtle } from "../../formats/disagg-turtle.js";
import { page } from "../../formats/page.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import type { CheckpointRecord, PageRecord } from "../../src/store/types.js";
import { isKeyPage, isPlainPage } from "../../src/verify/page-log/plain-pages.js";
import { type WriteGenerationName, writeGenerations } from "../../src/write/generation.js";
import { type ScenarioName, scenarios } from "../../src/write/scenarios/scenarios.js";
import { Stage } from "../../src/write/scenarios/stage.js";
import { mutate } from "../mutate/mutate.js";
import { seals } from "../mutate/seal.js";
import type { AnyFormat } from "../mutate/site.js";
import type { Tape } from "../tape.js";
import { checksumOf, type SealedPart, sealUpwards } from "./reseal.js";

const made: ReadonlyArray<readonly [ScenarioName, WriteGenerationName]> = [
  ["rotation-checkpoint", "2025-06"],
  ["rotation-checkpoint", "2025-08"],
  ["no-change", "2025-12"],
  ["timestamps", "2026-03"],
  ["delta-chains", "2026-07"],
  ["pushed-keys", "2026-05"],
  ["rotation-crash", "extended"],
];
const SEED = 7;

/** How many sound logs there are. */
export const PAGE_LOGS = made.length;
/** The generation of a sound log. */
export const generationOfLog = (index: number): WriteGenerationName =>
  (made[index % made.length] as (typeof made)[number])[1];

const sound: Array<MemoryPageLog | undefined> = [];

/** A sound log; made when it is first asked for. */
export function soundPageLog(index: number): MemoryPageLog {
  const number = index % made.length;
  sound[number] ??= play(...(made[number] as (typeof made)[number]));
  return sound[number];
}

function play(name: ScenarioName, generationName: WriteGenerationName): MemoryPageLog {
  const generation = writeGenerations[generationName];
  // Stores counted from 1 and kept checkpoint ids while addresses had these.
  const old = generation.cookie === "B" ? { checkpointIds: true, firstLsn: 1n } : {};
  const stage = new Stage({ generation, seed: SEED, size: 0 }, (onCrashPoint) => {
    return new MemoryPageLog({ onCrashPoint, ...old });
  });
  scenarios[name].play(stage);
  return MemoryPageLog.of(stage.pageLog);
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A copy of a sound log that is being damaged. */
export class DamagedPageLog {
  readonly records: Array<Draft<PageRecord>>;
  readonly checkpoints: Array<Draft<CheckpointRecord>>;
  /** Blocks, so that a flip in them is under a checksum. */
  readonly blocks: readonly number[];

  constructor(readonly sound: MemoryPageLog) {
    this.records = Array.from(sound.records(), (record) => ({ ...record }));
    this.checkpoints = sound.checkpoints().map((record) => ({ ...record }));
    this.blocks = this.records.flatMap((record, index) => (isBlock(record) ? [index] : []));
  }

  log(): MemoryPageLog {
    return new MemoryPageLog(
      {},
      {
        records: () => this.records,
        checkpoints: () => this.checkpoints,
        globals: this.sound.globals,
      },
    );
  }

  /** A bit pattern over one byte of a block; nothing is put right. */
  flip(tape: Tape): void {
    const record = this.records[this.blocks[tape.below(this.blocks.length)] as number] as Draft<PageRecord>;
    const at = tape.below(record.data.length);
    record.data = record.data.slice();
    record.data[at] = (record.data[at] as number) ^ (1 + tape.below(255));
  }

  /** One change of any kind. */
  change(tape: Tape): void {
    const { records } = this;
    if (records.length === 0) return;
    const index = tape.below(records.length);
    const record = records[index] as Draft<PageRecord>;
    const other = records[tape.below(records.length)] as Draft<PageRecord>;
    switch (tape.below(12)) {
      case 0:
        records.splice(index, 1);
        return;
      case 1:
        records.push({ ...record, ...attribute(tape, record) });
        return;
      case 2:
        Object.assign(record, attribute(tape, record));
        return;
      case 3:
        [record.data, other.data] = [other.data, record.data];
        return;
      case 4:
        this.changeCheckpoint(tape);
        return;
      default:
        this.changeBytes(record, other.data, tape);
    }
  }

  private changeCheckpoint(tape: Tape): void {
    const index = tape.below(this.checkpoints.length);
    const checkpoint = this.checkpoints[index];
    if (checkpoint === undefined) return;
    switch (tape.below(4)) {
      case 0:
        this.checkpoints.splice(index, 1);
        return;
      case 1:
        checkpoint.lsn = number(tape, checkpoint.lsn);
        return;
      default:
        checkpoint.metadata = mutate(checkpointRecord, checkpoint.metadata, tape);
    }
  }

  /** The record's bytes changed by their declaration, then sealed as far up as the tape says. */
  private changeBytes(record: Draft<PageRecord>, other: Uint8Array, tape: Tape): void {
    const format = formatOf(record);
    const levels = tape.below(SEAL_LEVELS);
    const seal = levels === 0 ? "none" : (seals[tape.below(seals.length)] ?? "none");
    const parts = levels === 0 ? undefined : this.parts();
    const part = parts?.find(({ holder }) => holder === record);
    const before = part === undefined ? undefined : checksumOf(part);
    record.data = mutate(format, record.data, tape, { seal, other }).slice();
    if (parts === undefined || part === undefined || before === undefined) return;
    part.bytes = record.data;
    sealUpwards(parts, part, before, levels === SEAL_LEVELS - 1 ? MAX_LEVELS : levels - 1);
    for (const { holder, bytes } of parts)
      if ("metadata" in holder) holder.metadata = bytes;
      else holder.data = bytes;
  }

  private parts(): Array<SealedPart & { holder: Draft<PageRecord> | Draft<CheckpointRecord> }> {
    const ofRecord = (holder: Draft<PageRecord>) => {
      const kind = isBlock(holder) ? ("block" as const) : ("text" as const);
      return { kind, holder, bytes: holder.data };
    };
    const ofCheckpoint = (holder: Draft<CheckpointRecord>) => {
      return { kind: "text" as const, holder, bytes: holder.metadata };
    };
    return [...this.records.map(ofRecord), ...this.checkpoints.map(ofCheckpoint)];
  }
}

/** 0: nothing is sealed; 1: the block; 2, 3: its parents; 4: everything up to the checkpoint record. */
const SEAL_LEVELS = 5;
const MAX_LEVELS = 16;

const isBlock = ({ tableId, pageId, data }: PageRecord): boolean =>
  !isPlainPage(tableId, pageId) && data.length > 0;

function formatOf(record: PageRecord): AnyFormat {
  if (!isPlainPage(record.tableId, record.pageId)) return page;
  return isKeyPage(record) ? cryptPage : disaggTurtle;
}

/** What a store keeps beside the bytes, changed. */
function attribute(tape: Tape, record: PageRecord): Partial<PageRecord> {
  switch (tape.below(8)) {
    case 0:
      return { tableId: number(tape, record.tableId) };
    case 1:
      return { pageId: number(tape, record.pageId) };
    case 2:
      return { lsn: number(tape, record.lsn) };
    case 3:
      return { backlinkLsn: number(tape, record.backlinkLsn) };
    case 4:
      return { baseLsn: number(tape, record.baseLsn) };
    case 5:
      return { isDelta: !record.isDelta };
    case 6:
      return { discarded: !record.discarded };
    default:
      return { flags: tape.below(256) };
  }
}

/** A neighbour, zero, or very large. */
function number(tape: Tape, value: bigint): bigint {
  const choices = [value + 1n, value > 0n ? value - 1n : 0n, value + 3n, 0n, 1n, 100n, 1n << 62n];
  return choices[tape.below(choices.length)] as bigint;
}
