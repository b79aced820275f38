/** Page logs as no engine leaves them: other rows of the shared metadata, sound in everything else. */
import { specialTables } from "../../formats/disagg-tables.js";
import { configSet, parseConfig, writeConfig } from "../../src/codec/index.js";
import { databaseEncryptor } from "../../src/repair/page-log/encryption.js";
import { MetadataDraft } from "../../src/repair/page-log/metadata-draft.js";
import { RecordingLog } from "../../src/repair/page-log/recording-log.js";
import { moveTree, treeRows } from "../../src/repair/page-log/trees.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import { openPageLog } from "../../src/store/open.js";
import type { CheckpointRecord } from "../../src/store/types.js";
import { checkpointEntry } from "../../src/write/checkpoint/entry.js";
import { treeSettingsOf, withCheckpoint } from "../../src/write/checkpoint/metadata-rows.js";
import { pickUp } from "../../src/write/checkpoint/pick-up.js";
import { completionRecord, turtlePage } from "../../src/write/checkpoint/turtle-page.js";
import type { WriteGeneration } from "../../src/write/generation.js";
import { editTree } from "../../src/write/tree/index.js";
import type { TreeOptions } from "../../src/write/types.js";

const FACTS = { order: 90n, time: 1_790_000_400n, runWriteGen: 1n };

export interface Forging {
  readonly draft: MetadataDraft;
  /** Gives a table the id of another one: its pages stand among the other's. */
  share(uri: string, other: string): void;
  /** Sets a key of a row. */
  set(uri: string, path: readonly string[], value: bigint): void;
}

/** A further checkpoint on top of a log, in a new JSON lines export. */
export function forgePageLog(
  source: string,
  output: string,
  generation: WriteGeneration,
  work: (forging: Forging) => void,
  databaseSize?: bigint,
): void {
  const store = openPageLog(source);
  const log = RecordingLog.from(store);
  store.close();
  const state = pickUp(log, log.checkpoints().at(-1) as CheckpointRecord, { generation });
  const checkpointId = log.beginCheckpoint();
  const encryptor = databaseEncryptor(log);
  const general = { generation, checkpointId, maxConsecutiveDelta: 0, ...(encryptor && { encryptor }) };
  const own: TreeOptions = { ...general, compressor: "", tableId: generation.tables.sharedMetadata };
  const draft = new MetadataDraft(generation, treeRows(log, own, state.metadata.tree.root));
  const set = (uri: string, path: readonly string[], value: bigint): void =>
    draft.put(uri, writeConfig(configSet(parseConfig(draft.get(uri)), path, value)));
  const share = (uri: string, other: string): void => {
    const [row, keeper] = [draft.file(uri), draft.file(other)];
    const tree = row && draft.tree(row);
    if (row === undefined || tree === undefined || keeper?.config.id === undefined) throw new Error(uri);
    const options = {
      ...general,
      compressor: "",
      ...treeSettingsOf(row),
      tableId: BigInt(row.config.id ?? 0),
    };
    const moved = moveTree(log, { ...options, maxConsecutiveDelta: 0 }, tree, BigInt(keeper.config.id));
    const shared = { ...row, config: { ...row.config, id: keeper.config.id } };
    draft.replaceTree(withCheckpoint(shared, checkpointEntry(generation, moved, FACTS)));
  };
  work({ draft, share, set });
  const metadata = editTree(log, own, state.metadata.tree, draft.edits(true));
  const before = state.metadata.entry;
  const facts = { ...FACTS, order: (before?.order ?? 0n) + 1n };
  const data = turtlePage(generation, { ...state, metadata: checkpointEntry(generation, metadata, facts) });
  const page = { tableId: generation.tables.turtle, pageId: specialTables.turtle.page };
  const turtleLsn = log.put({ ...page, isDelta: false, backlinkLsn: 0n, baseLsn: 0n, data });
  const trees = draft.files().flatMap((row) => draft.tree(row) ?? []);
  const size = [...trees, metadata].reduce((sum, { liveBytes }) => sum + liveBytes, 0n);
  const record = { checkpointId, turtleLsn, turtle: data, databaseSize: databaseSize ?? size };
  log.completeCheckpoint({ metadata: completionRecord(generation, record), timestamp: state.timestamp });
  exportPageLog(log, output);
}
