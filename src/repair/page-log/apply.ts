/** A plan for a page log carried out: as a new store, or as the puts alone. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { PaliteLayout } from "../../../formats/palite.js";
import { decodeText, encodeText } from "../../codec/text.js";
import { copyPageLog } from "../../store/copy.js";
import { replaceFile, syncDirectory } from "../../store/durable-file.js";
import { exportPageLog } from "../../store/jsonl-writer.js";
import { openPageLog } from "../../store/open.js";
import { RepairRefusal } from "../error.js";
import { isInside, parentOf } from "../places.js";
import { samePageLogRepair } from "./plan-document.js";
import { type PreparedPageLogRepair, preparePageLogRepair } from "./prepare.js";
import type { PageLogRepairPlan } from "./types.js";

export interface PageLogApplyOptions {
  /** The page log, where it is not the one the plan names. */
  readonly path?: string;
  /** A directory that does not exist: the new store. */
  readonly output?: string;
  /** A file that does not exist: the puts in order as JSON lines, the completion last. */
  readonly patch?: string;
}

export interface AppliedPageLogRepair {
  readonly plan: PageLogRepairPlan;
  /** The new store, or the patch. */
  readonly path: string;
}

/**
 * Carries a plan out. It is made again from its edits first: a plan that is not what they lead to is refused, and
 * nothing is written. The source is only read.
 * @throws RepairRefusal
 */
export function applyPageLogRepair(
  plan: PageLogRepairPlan,
  options: PageLogApplyOptions,
): AppliedPageLogRepair {
  const { output, patch, path = plan.path } = options;
  const target = output ?? patch;
  if (target === undefined || (output !== undefined && patch !== undefined))
    throw new RepairRefusal(
      "in-place-page-log",
      `${path} is not written in place: a leader may write to it unseen; say where a new store or a patch goes`,
    );
  checkState(plan, path);
  const made = preparePageLogRepair(path, plan.edits, plan.options);
  if (!samePageLogRepair(made.plan, plan))
    throw new RepairRefusal(
      "plan-altered",
      "the plan was changed by hand, or files it rests on are other ones now: plan again",
    );
  const place = checkTarget(target, path);
  if (output !== undefined) writeStore(made, place);
  else writePatch(made, place);
  return { plan: made.plan, path: place };
}

function checkState({ record }: PageLogRepairPlan, path: string): void {
  const log = openPageLog(path);
  try {
    const checkpoints = log.checkpoints();
    const newest = checkpoints.at(-1);
    const text = newest && decodeText(newest.metadata);
    if (text === record.before) return;
    if (checkpoints.some(({ metadata }) => decodeText(metadata) === record.after))
      throw new RepairRefusal("plan-applied", `${path} has the checkpoint the plan leads to`);
    throw new RepairRefusal(
      "plan-other-directory",
      `${path}: its newest checkpoint is not the one the plan was made for`,
    );
  } finally {
    log.close();
  }
}

/** The absolute path of something that can be made. */
function checkTarget(target: string, source: string): string {
  const place = resolve(target);
  if (existsSync(place)) throw new RepairRefusal("output-exists", `${target} is there already`);
  const parent = parentOf(place);
  if (isInside(parent, source))
    throw new RepairRefusal("output-exists", `${target} lies inside ${source}, where nothing is written`);
  return join(parent, basename(place));
}

/** Logs with checkpoint ids become JSON lines, because PALite keeps none. */
function writeStore({ log }: PreparedPageLogRepair, target: string): void {
  const work = join(dirname(target), `.${basename(target)}.${process.pid}.repair-unfinished`);
  try {
    mkdirSync(work);
    if (log.kind === "palite") copyPageLog(log, work, layoutOf(log.generation));
    else exportPageLog(log, work);
    renameSync(work, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  syncDirectory(dirname(target));
}

function layoutOf(generation: string): { layout?: PaliteLayout } {
  const layout = /\bP[0-4]\b/.exec(generation)?.[0];
  return layout === undefined ? {} : { layout: layout as PaliteLayout };
}

function writePatch({ plan, log, checkpoint }: PreparedPageLogRepair, target: string): void {
  if (plan.found.unfinished > 0)
    throw new RepairRefusal(
      "log-unfinished",
      `${plan.found.unfinished} records above the checkpoint at LSN ${plan.found.checkpointLsn}: write a new store`,
    );
  const lines = log.written.map(({ data, ...record }) => ({ put: { ...record, data: hex(data) } }));
  const { lsn, checkpointId, timestamp, metadata } = checkpoint;
  const completion = { complete: { lsn, checkpointId, timestamp, metadata: hex(metadata) } };
  const text = [...lines, completion].map((line) => `${JSON.stringify(line, plain)}\n`).join("");
  replaceFile(target, [encodeText(text)]);
  syncDirectory(dirname(target));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
/** 64-bit numbers as text, as everywhere in plans. */
const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);
