/** Why a repair is not planned, not applied or not undone. Nothing has been written then. */

/** By code: what the condition is, and what happens when a repair is done all the same. */
export const refusals = {
  "engine-running":
    "an engine has the directory open: it would write over the repair, or the repair over its pages",
  "lock-unknown": "whether an engine has the directory open cannot be seen here",
  "log-replay":
    "the log has operations that were not checkpointed: replaying them overwrites the repair silently",
  "log-unreadable":
    "parts of the log behind the last checkpoint cannot be read, so they may be operations to replay",
  "backup-metadata":
    "the engine rebuilds the metadata from a backup's text file, and the repair is lost silently",
  "turtle-missing":
    "without a turtle file the engine starts an empty database; there is nothing to repair here",
  "turtle-damaged": "the turtle file cannot be read whole",
  "live-restore": "a live restore is not complete: blocks of the metadata may still be in the backup",
  "metadata-encrypted": "the metadata file is encrypted",
  "metadata-compressed": "the metadata file is compressed",
  "metadata-generation": "the metadata is of a version, or has features, that are not written here",
  "metadata-damaged": "a page or extent list that the repair rests on is damaged",
  "metadata-form": "the metadata's tree is of a form that is not edited here",
  "checkpoint-missing": "the metadata has no checkpoint to begin with",
  "checkpoint-order": "the newest checkpoint of the metadata is not its last one",
  "allocation-size": "the file's allocation size is not the configured one",
  "history-records":
    "the history store has older values under the id: they would be lost, or be read as another table's",
  "history-damaged": "the history store cannot be read, so it may have older values under the id",
  "uri-missing": "there is no such metadata row",
  "uri-exists": "there is such a metadata row already",
  "uri-invalid": "this is no URI of a metadata row that can be written",
  "key-missing": "the row has no such key",
  "key-guarded": "this key is not set by itself",
  "value-invalid": "the new value is no configuration text, or not one of such a row",
  "id-used": "another row has the id",
  "id-invalid": "this is no id a table can have",
  "id-namespace": "the id is of another namespace: the table opens, but verify and create fail",
  "id-below-highest":
    "the id is not above all others: records of an earlier table may still be kept under it",
  "references-broken": "a row would name another one that is not there: the table could not be opened",
  "file-exists": "a file of that name is in the directory, and is not written over",
  "file-missing": "the file the row is about is not in the directory",
  "config-unknown": "there is no such setting, or it is not for the caller to set",
  "table-unsupported": "tables of this kind cannot be made here",
  "rows-invalid": "the rows are not what the table can hold",
  "nothing-to-do": "the edits change nothing",
  "plan-invalid": "this is no plan",
  "plan-other-directory": "the plan is about another directory, or about another state of this one",
  "plan-applied": "the plan has been applied to this directory already",
  "plan-altered": "the plan is not what its edits lead to in this directory",
  "output-exists": "the output directory is there already, or lies inside the source",
  "in-place-page-log":
    "a page log is not written in place: a leader may write to it, and nobody can see from here whether one does",
  "log-unfinished":
    "records above the newest checkpoint belong to none: a patch would stand on top of them, under LSNs that are taken",
  "source-unsupported": "the directory has entries that are neither files nor directories",
  "directory-changed": "the directory was written to while the repair was under way",
  "journal-exists": "there is a journal of that name: an earlier repair was not finished or not put away",
  "journal-invalid": "this is no journal",
  "undo-changed": "the directory was written to since the repair: going back would lose what was written",
  "undo-done": "the directory is in the state before the repair",
} as const;
export type RefusalCode = keyof typeof refusals;

export class RepairRefusal extends Error {
  override readonly name = "RepairRefusal";

  constructor(
    readonly code: RefusalCode,
    /** What was found, with the place. */
    message: string,
    /** Of several reasons the others. */
    readonly more: readonly RepairRefusal[] = [],
  ) {
    super(message);
  }
}
