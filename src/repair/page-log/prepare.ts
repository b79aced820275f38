/** From edits to the records that are put, in memory: pages, turtle page, completion record. */
import { realpathSync } from "node:fs";
import { checkpointRecord } from "../../../formats/checkpoint-record.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { FormatError } from "../../codec/error.js";
import { decodeText } from "../../codec/text.js";
import { installNodeAccelerators } from "../../platform/node.js";
import type { NewRecord } from "../../store/checked-page-log.js";
import { openPageLog } from "../../store/open.js";
import { PageLogError } from "../../store/page-log-error.js";
import type { CheckpointRecord } from "../../store/types.js";
import { TreeError } from "../../tree/problem.js";
import type { VerifyReport } from "../../verify/types.js";
import { checkpointEntry, sizeIsPageId } from "../../write/checkpoint/entry.js";
import { pickUp } from "../../write/checkpoint/pick-up.js";
import { PickUpError } from "../../write/checkpoint/pick-up-error.js";
import { completionRecord, turtlePage } from "../../write/checkpoint/turtle-page.js";
import type { DatabaseState } from "../../write/checkpoint/write-state.js";
import { type WriteGeneration, writeGenerations } from "../../write/generation.js";
import { editTree } from "../../write/tree/index.js";
import { TreeWriteError } from "../../write/tree/write-error.js";
import type { TreeOptions, TreeState } from "../../write/types.js";
import { RepairRefusal } from "../error.js";
import { sha256 } from "../prepare.js";
import type { RepairEdit } from "../types.js";
import { PageLogEditor } from "./edits.js";
import { databaseEncryptor } from "./encryption.js";
import { findTurtlePage, verifiedLog } from "./look.js";
import { MetadataDraft } from "./metadata-draft.js";
import { RecordingLog } from "./recording-log.js";
import { checkpointSizeOf } from "./sizes.js";
import { treeRows } from "./trees.js";
import type { PageLogRepairOptions, PageLogRepairPlan, PlannedPut } from "./types.js";

export interface PreparedPageLogRepair {
  readonly plan: PageLogRepairPlan;
  /** All records, the new ones and the new checkpoint among them. */
  readonly log: RecordingLog;
  readonly checkpoint: CheckpointRecord;
}

/** What the next checkpoint rests on. */
interface Opened {
  readonly log: RecordingLog;
  readonly state: DatabaseState;
  readonly checkpoint: CheckpointRecord;
  readonly turtle: Uint8Array;
  readonly unfinished: number;
  readonly report: VerifyReport;
}

/** What two tables with one id look like: their pages are taken for those of one. */
const DUPLICATE_IDS: ReadonlySet<string> = new Set(["metadata-duplicate-id", "record-page-id"]);

/**
 * Works out a repair of a page log. The log is read whole into memory; nothing is written.
 * @throws RepairRefusal
 * @throws InputError when it cannot be opened
 */
export function preparePageLogRepair(
  path: string,
  edits: readonly RepairEdit[],
  options: PageLogRepairOptions = {},
): PreparedPageLogRepair {
  installNodeAccelerators();
  if (edits.length === 0) throw new RepairRefusal("nothing-to-do", "no edit was given");
  try {
    return prepared(path, edits, options);
  } catch (error) {
    throw refusalOf(error);
  }
}

function prepared(
  path: string,
  edits: readonly RepairEdit[],
  { time = Math.floor(Date.now() / 1000), dropHistory = false, generation: name }: PageLogRepairOptions,
): PreparedPageLogRepair {
  const { log, state, checkpoint, turtle, unfinished, report } = open(path, edits, generationOf(name));
  const { generation } = state;
  const checkpointId = log.beginCheckpoint();
  const encryptor = databaseEncryptor(log);
  const encryption = encryptor === undefined ? {} : { encryptor };
  const tree: TreeOptions = {
    generation,
    checkpointId,
    compressor: "",
    ...encryption,
    maxConsecutiveDelta: 0,
    tableId: generation.tables.sharedMetadata,
  };
  const draft = new MetadataDraft(generation, treeRows(log, tree, state.metadata.tree.root));
  const rows = draft.uris.length;
  const duplicates = draft.duplicates();
  const runWriteGen = state.maxWriteGen + 1n;
  const editor = new PageLogEditor(draft, {
    log,
    generation,
    checkpointId,
    time: BigInt(time),
    dropHistory,
    encryptor,
    largestFileId: state.largestFileId,
    runWriteGen,
  });
  for (const edit of edits) editor.make(edit);
  const { base, isOdd } = ownSize(edits, { log, state, checkpoint, draft, tree });
  const metadata = editTree(log, tree, base, draft.edits(isOdd));
  const before = state.metadata.entry;
  const entry = checkpointEntry(generation, metadata, {
    order: (before?.order ?? 0n) + 1n,
    time: BigInt(time) > (before?.time ?? 0n) ? BigInt(time) : (before?.time ?? 0n),
    runWriteGen: before?.runWriteGen ?? runWriteGen,
  });
  const trees = treesOf(draft);
  const maxWriteGen = [...trees, metadata].reduce(
    (most, { writeGen }) => (writeGen > most ? writeGen : most),
    state.maxWriteGen,
  );
  const { largestFileId } = editor;
  const page = turtlePage(generation, { ...state, metadata: entry, largestFileId, maxWriteGen });
  const turtleLsn = log.put({
    tableId: generation.tables.turtle,
    pageId: specialTables.turtle.page,
    isDelta: false,
    backlinkLsn: 0n,
    baseLsn: 0n,
    data: page,
  });
  const databaseSize = sizeOfAll([...trees, metadata]);
  const record = completionRecord(generation, { checkpointId, turtleLsn, turtle: page, databaseSize });
  const lsn = log.completeCheckpoint({ metadata: record, timestamp: checkpoint.timestamp });
  checkResult(log, report);
  const plan: PageLogRepairPlan = {
    schemaVersion: 1,
    document: "pugmark-repair-plan",
    kind: "page-log",
    path: realpathSync(path),
    edits,
    options: { time, dropHistory, generation: generation.name },
    found: {
      store: `${log.kind}, ${log.generation}`,
      generation: generation.name,
      checkpointLsn: String(checkpoint.lsn),
      rows,
      unfinished,
      duplicateIds: duplicates.map(({ id, uris }) => ({ id: String(id), uris })),
    },
    changes: draft.changes,
    history: editor.history,
    preconditions: evidence(state, report, unfinished),
    puts: log.written.map(planned),
    turtle: { before: decodeText(turtle), after: decodeText(page) },
    record: { before: decodeText(checkpoint.metadata), after: decodeText(record), lsn: String(lsn) },
    afterwards: [...editor.afterwards, ...general(unfinished)],
  };
  return { plan, log, checkpoint: log.checkpoints().at(-1) as CheckpointRecord };
}

/** The metadata's own tree; of `fix checkpoint-size` with its true size, and whether that or the record's is wrong. */
function ownSize(
  edits: readonly RepairEdit[],
  {
    log,
    state,
    checkpoint,
    draft,
    tree,
  }: Pick<Opened, "log" | "state" | "checkpoint"> & { draft: MetadataDraft; tree: TreeOptions },
): { base: TreeState; isOdd: boolean } {
  const own = state.metadata.tree;
  if (!edits.some(({ edit }) => edit === "fix-checkpoint-size") || sizeIsPageId(state.generation))
    return { base: own, isOdd: false };
  const base = { ...own, liveBytes: checkpointSizeOf(log, tree, own.root) };
  const record = checkpointRecord.parse(checkpoint.metadata);
  const said = "databaseSize" in record ? record.databaseSize : undefined;
  const all = sizeOfAll([...treesOf(draft), base]);
  return { base, isOdd: base.liveBytes !== own.liveBytes || (said !== undefined && said !== all) };
}

const treesOf = (draft: MetadataDraft): TreeState[] => draft.files().flatMap((row) => draft.tree(row) ?? []);
const sizeOfAll = (trees: readonly TreeState[]): bigint =>
  trees.reduce((sum, { liveBytes }) => sum + liveBytes, 0n);

function generationOf(name: string | undefined): WriteGeneration | undefined {
  if (name === undefined) return undefined;
  const found = Object.values<WriteGeneration>(writeGenerations).find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = Object.keys(writeGenerations).join(", ");
  throw new RepairRefusal("metadata-generation", `there is no generation ${name}; there are ${known}`);
}

function open(path: string, edits: readonly RepairEdit[], wanted: WriteGeneration | undefined): Opened {
  const store = openPageLog(path);
  try {
    const report = verifiedLog(store);
    const fixes = edits.some(({ edit }) => edit === "fix-duplicates" || edit === "change-id");
    const error = report.findings.find(
      ({ severity, code }) => severity === "error" && !(fixes && DUPLICATE_IDS.has(code)),
    );
    if (error !== undefined) throw new RepairRefusal("metadata-damaged", `${error.code}: ${error.message}`);
    const log = RecordingLog.from(store);
    const checkpoint = log.checkpoints().at(-1);
    if (checkpoint === undefined)
      throw new RepairRefusal("checkpoint-missing", `${path} has no completed checkpoint`);
    let unfinished = 0;
    for (const { lsn } of log.records()) if (lsn > checkpoint.lsn) unfinished++;
    const state = pickUp(log, checkpoint, { generation: wanted });
    const turtle = turtleOf(log, checkpoint);
    checkTurtle(state, turtle);
    return { log, state, checkpoint, turtle, unfinished, report };
  } finally {
    store.close();
  }
}

function turtleOf(log: RecordingLog, checkpoint: CheckpointRecord): Uint8Array {
  const page = findTurtlePage(log, checkpoint);
  if (page === undefined)
    throw new RepairRefusal(
      "turtle-missing",
      `the turtle page of the checkpoint at LSN ${checkpoint.lsn} is not there`,
    );
  return page;
}

/** A turtle page that is not written anew byte for byte has something that would be lost. */
function checkTurtle(state: DatabaseState, turtle: Uint8Array): void {
  const { entry } = state.metadata;
  if (entry === undefined)
    throw new RepairRefusal("checkpoint-missing", "the shared metadata has no checkpoint");
  const again = turtlePage(state.generation, { ...state, metadata: entry });
  if (Buffer.compare(again, turtle) !== 0)
    throw new RepairRefusal("metadata-generation", "the turtle page has something that is not written here");
}

const complaints = ({ findings }: VerifyReport) => findings.filter(({ severity }) => severity !== "info");

/** What comes of it is verified before anything is written anywhere. */
function checkResult(log: RecordingLog, before: VerifyReport): void {
  const known = new Set(complaints(before).map(({ code, message }) => `${code} ${message}`));
  const added = complaints(verifiedLog(log)).find(({ code, message }) => !known.has(`${code} ${message}`));
  if (added !== undefined)
    throw new RepairRefusal(
      "value-invalid",
      `what the edits lead to is not sound: ${added.code}: ${added.message}`,
    );
}

const planned = (record: NewRecord): PlannedPut => ({
  lsn: String(record.lsn),
  tableId: String(record.tableId),
  pageId: String(record.pageId),
  kind: record.discarded ? "discard" : record.isDelta ? "delta" : "image",
  backlinkLsn: String(record.backlinkLsn),
  baseLsn: String(record.baseLsn),
  size: record.data.length,
  sha256: sha256(record.data),
});

const evidence = ({ generation }: DatabaseState, report: VerifyReport, unfinished: number) => [
  {
    code: "metadata-damaged",
    evidence: `full verify: ${report.summary.pages} pages, no error in the way`,
  },
  { code: "metadata-generation", evidence: `${generation.name}; its turtle page is made anew byte for byte` },
  { code: "log-unfinished", evidence: `${unfinished} records above the newest checkpoint` },
];

const general = (unfinished: number): string[] => [
  "the checkpoint before stays as it is: opening it is the way back",
  "nodes that have metadata of their own take only checkpoints of files they know: start them with an empty directory, or repair theirs as well",
  "no leader may write to the log meanwhile: its next checkpoint is another one",
  ...(unfinished === 0
    ? []
    : [`${unfinished} records of a checkpoint that was never completed are left out of the new store`]),
  "run `pugmark repair verify` on the new store",
];

function refusalOf(error: unknown): unknown {
  if (error instanceof PickUpError)
    return new RepairRefusal(
      error.code === "generation" ? "metadata-generation" : "metadata-damaged",
      error.message,
    );
  if (error instanceof TreeWriteError)
    return new RepairRefusal(
      error.code === "tree-damaged" ? "metadata-damaged" : "metadata-form",
      error.message,
    );
  if (error instanceof TreeError || error instanceof FormatError || error instanceof PageLogError)
    return new RepairRefusal("metadata-form", error.message);
  return error;
}
