/** What is needed to take an in-place repair back: written and synced before anything else is touched. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../store/input-error.js";
import { TURTLE_SET } from "./durable.js";
import { RepairRefusal } from "./error.js";
import { parseJson, parsePlan } from "./plan-document.js";
import type { PreparedRepair } from "./prepare.js";
import { sha256 } from "./prepare.js";
import type { RepairPlan } from "./types.js";

export interface RepairJournal {
  readonly schemaVersion: 1;
  readonly document: "pugmark-repair-journal";
  /** Absolute path of the directory. */
  readonly path: string;
  readonly plan: RepairPlan;
  /** Of the blocks behind the metadata's end. */
  readonly tailSha256: string;
  /** What a killed engine left under this name, base64; null = nothing. */
  readonly turtleSet: string | null;
}

/** Beside the directory. */
export const defaultJournal = (home: string): string =>
  join(dirname(home), `${basename(home)}.repair-journal.json`);

export function journalOf(home: string, { plan, tail }: PreparedRepair): RepairJournal {
  const set = join(home, TURTLE_SET);
  return {
    schemaVersion: 1,
    document: "pugmark-repair-journal",
    path: home,
    plan,
    tailSha256: sha256(Buffer.concat(tail.blocks.map(({ bytes }) => bytes))),
    turtleSet: existsSync(set) ? readFileSync(set).toString("base64") : null,
  };
}

/** @throws RepairRefusal `journal-exists` for a file that is there, or a place inside the home. */
export function checkJournalPath(journal: string, home: string): void {
  if (existsSync(journal)) throw new RepairRefusal("journal-exists", `${journal} is there already`);
  if (resolve(dirname(journal)).startsWith(resolve(home)))
    throw new RepairRefusal(
      "journal-exists",
      `${journal} lies inside the directory, where the engine may take it away`,
    );
}

/** @throws RepairRefusal `journal-invalid` */
export function readJournal(path: string): RepairJournal {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new InputError("input-missing", path, "no such file");
  const journal = parseJson(readFileSync(path, "utf8"), "journal-invalid");
  if (journal.document !== "pugmark-repair-journal" || journal.schemaVersion !== 1)
    throw new RepairRefusal(
      "journal-invalid",
      `${path} does not say that it is a journal of a known version`,
    );
  if (typeof journal.path !== "string" || typeof journal.tailSha256 !== "string")
    throw new RepairRefusal("journal-invalid", `${path}: path or hash is missing`);
  const plan = parsePlan(JSON.stringify(journal.plan));
  return { ...journal, plan } as unknown as RepairJournal;
}
