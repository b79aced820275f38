/** Points at which a process that applies or undoes a repair may die. They are values, so that tests can reach each. */

export const repairPoints = {
  "journal-half": "half of the journal is written, under another name",
  "journal-written": "the journal is in place, nothing else was touched",
  "file-half": "half of a new table's file is written, under another name",
  "file-written": "a new table's file is whole, under another name",
  "file-placed": "a new table's file has its name; no row names it",
  "before-tail": "nothing of the metadata is written",
  "block-half": "half of a block is written behind the metadata's end",
  "block-written": "a block is written behind the metadata's end",
  "tail-synced": "all blocks are durable; the turtle is the old one",
  "turtle-half": "half of WiredTiger.turtle.set is written",
  "turtle-written": "WiredTiger.turtle.set is whole",
  "before-publish": "WiredTiger.turtle.set is durable; the turtle is the old one",
  "after-publish": "the turtle is the new one; the rename may not be durable",
  "directory-synced": "the repair is complete and durable",
  "undo-before-publish": "undo: the old turtle is durable in WiredTiger.turtle.set",
  "undo-after-publish": "undo: the turtle is the old one again, the metadata's tail is still there",
  "undo-truncated": "undo: the metadata has its old length",
  "undo-done": "undo: new files are gone as well",
} as const;
export type RepairPoint = keyof typeof repairPoints;

/** Told of every point as it is passed. */
export type RepairHook = (point: RepairPoint) => void;
