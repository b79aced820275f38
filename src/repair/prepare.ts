/** From edits to everything that will be written, in memory: the plan is what of it can be shown. */
import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { configGetText } from "../codec/config-edit.js";
import { FormatError } from "../codec/error.js";
import { InputError } from "../store/input-error.js";
import { TreeError } from "../tree/problem.js";
import { METADATA_FILE, type Metadata, readMetadata } from "./classic/home.js";
import type { Range } from "./classic/range-set.js";
import { buildTail, type ExtentLists, type Tail } from "./classic/tail.js";
import { Draft, type NewFile } from "./draft.js";
import { makeEdit } from "./edits.js";
import { RepairRefusal } from "./error.js";
import { historyRecords } from "./history.js";
import { checkHome } from "./preconditions.js";
import type { ClassicRepairPlan, PlannedLists, RepairEdit, RepairOptions } from "./types.js";

export interface PreparedRepair {
  readonly plan: ClassicRepairPlan;
  readonly tail: Tail;
  readonly files: readonly NewFile[];
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Works out a repair of a classic directory; reads it and writes nothing.
 * @throws RepairRefusal
 * @throws InputError when there is no such directory
 */
export function prepareRepair(
  path: string,
  edits: readonly RepairEdit[],
  options: RepairOptions = {},
): PreparedRepair {
  const home = directory(path);
  try {
    return prepared(home, edits, options);
  } catch (error) {
    // Damage that nothing above has met in its place: what rests on it is not written.
    if (error instanceof FormatError || error instanceof TreeError)
      throw new RepairRefusal("metadata-damaged", error.message);
    throw error;
  }
}

function prepared(home: string, edits: readonly RepairEdit[], options: RepairOptions): PreparedRepair {
  const { turtle, met } = checkHome(home, options);
  const metadata = readMetadata(home, turtle);
  const time = options.time ?? Math.floor(Date.now() / 1000);
  const { dropHistory = false, keepCheckpoint = false } = options;
  const draft = new Draft(home, metadata);
  const { highestId } = draft;
  const duplicates = draft.duplicates();
  const history = new HistoryCounts(home);
  if (edits.length === 0) throw new RepairRefusal("nothing-to-do", "no edit was given");
  for (const edit of edits) makeEdit(draft, edit, { time, dropHistory, history: (id) => history.of(id) });
  const tail = buildTail(metadata, draft.rowChanges(), { time: BigInt(time), keep: keepCheckpoint });
  const plan: ClassicRepairPlan = {
    schemaVersion: 1,
    document: "pugmark-repair-plan",
    kind: "classic",
    path: home,
    edits,
    options: { time, keepCheckpoint, dropHistory },
    found: {
      engine: metadata.engine.text,
      checkpoint: metadata.checkpoint.name,
      rows: metadata.rows.size,
      levels: metadata.tree.levels,
      pages: metadata.tree.pages,
      highestId: String(highestId),
      duplicateIds: duplicates.map(({ id, uris }) => ({ id: String(id), uris })),
    },
    changes: draft.changes,
    preconditions: [...met, ...metadataEvidence(metadata), ...history.evidence()],
    files: draft.files.map(({ name, bytes, rows }) => ({
      name,
      size: bytes.length,
      sha256: sha256(bytes),
      rows,
    })),
    metadata: plannedTail(metadata, tail),
    turtle: { before: turtle.text, after: tail.turtle },
    afterwards: [...draft.afterwards, ...general(metadata)],
  };
  return { plan, tail, files: draft.files };
}

function directory(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new InputError("input-missing", path, "no such file or directory");
  if (!stat.isDirectory())
    throw new InputError("input-unsupported", path, "repairs are made on classic directories");
  return realpathSync(path);
}

/** Counts records of the history store once, for all ids that are asked about. */
class HistoryCounts {
  private readonly counts = new Map<bigint, number>();

  constructor(private readonly home: string) {}

  of(id: bigint): number {
    const known = this.counts.get(id);
    if (known !== undefined) return known;
    const count = historyRecords(this.home, new Set([id])).get(id) ?? 0;
    this.counts.set(id, count);
    return count;
  }

  evidence() {
    return [...this.counts].map(([id, count]) => ({
      code: "history-records",
      evidence: `the history store has ${count} records under id ${id}`,
    }));
  }
}

function metadataEvidence({ tree, checkpoint, engine, unit }: Metadata) {
  const lists = [checkpoint.alloc, checkpoint.avail, checkpoint.discard].filter(
    ({ block }) => block !== undefined,
  );
  return [
    {
      code: "metadata-damaged",
      evidence: `${tree.pages} blocks of the tree and ${lists.length} extent lists: every checksum fits its bytes and its address`,
    },
    {
      code: "metadata-generation",
      evidence: `engine ${engine.text}, cookie version ${checkpoint.cookie.version}, plain text keys`,
    },
    {
      code: "metadata-encrypted",
      evidence: "no encryptor and no compressor is configured, and no page is transformed",
    },
    { code: "allocation-size", evidence: `the description block fits ${unit} bytes` },
  ];
}

function general({ configTree }: Metadata): string[] {
  const backup = configGetText(configTree, ["checkpoint_backup_info"]) ?? "";
  return [
    ...(backup === "" ? [] : ["incremental backups know nothing of this write: take a full backup"]),
    "run `pugmark repair verify` on the result, then let the engine open it",
  ];
}

function plannedTail(metadata: Metadata, tail: Tail): ClassicRepairPlan["metadata"] {
  const lists = ({ alloc, avail, discard }: ExtentLists): PlannedLists => ({
    alloc: plain(alloc),
    avail: plain(avail),
    discard: plain(discard),
  });
  return {
    file: METADATA_FILE,
    mode: tail.mode,
    checkpoint: tail.checkpoint.name,
    length: { before: metadata.length, after: tail.fileSize },
    blocks: tail.blocks.map(({ role, offset, size, checksum, writeGen, bytes }) => ({
      role,
      offset,
      size,
      checksum: checksum.toString(16).padStart(8, "0"),
      writeGen: String(writeGen),
      sha256: sha256(bytes),
    })),
    freed: tail.freed.map(({ role, offset, size }) => ({ role, offset, size })),
    extents: { before: lists(tail.before), after: lists(tail.after) },
  };
}

const plain = (ranges: readonly Range[]) => ranges.map(({ offset, size }) => ({ offset, size }));
