/** What is needed to take an in-place repair back: written and synced before anything else is touched. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { encodeText } from "../codec/text.js";
import { InputError } from "../store/input-error.js";
import { TURTLE_SET } from "./durable.js";
import { RepairRefusal } from "./error.js";
import { isInside, parentOf } from "./places.js";
import { canonical, parseJson, parsePlan } from "./plan-document.js";
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
  /** Of everything above: a journal that was changed by hand would cut files and remove what it should not. */
  readonly sha256: string;
}

/** Beside the directory. */
export const defaultJournal = (home: string): string =>
  join(dirname(home), `${basename(home)}.repair-journal.json`);

export function journalOf(home: string, { plan, tail }: PreparedRepair): RepairJournal {
  const set = join(home, TURTLE_SET);
  const journal = {
    schemaVersion: 1,
    document: "pugmark-repair-journal",
    path: home,
    plan,
    tailSha256: sha256(Buffer.concat(tail.blocks.map(({ bytes }) => bytes))),
    turtleSet: existsSync(set) ? readFileSync(set).toString("base64") : null,
  } as const;
  return { ...journal, sha256: sealOf(journal) };
}

const sealOf = (journal: object): string => sha256(encodeText(canonical({ ...journal, sha256: "" })));

/** @throws RepairRefusal `journal-exists` for a file that is there, or a place inside the home. */
export function checkJournalPath(journal: string, home: string): void {
  if (existsSync(journal)) throw new RepairRefusal("journal-exists", `${journal} is there already`);
  if (isInside(parentOf(journal), home))
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
  if (journal.sha256 !== sealOf(journal))
    throw new RepairRefusal("journal-invalid", `${path} is not as it was written: its hash is another one`);
  const plan = parsePlan(JSON.stringify(journal.plan));
  return { ...journal, plan } as unknown as RepairJournal;
}
