/** Repairs as a byte program: edits of small homes and page logs, sound and damaged, broken off and taken back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RandomSource } from "../../src/codec/index.js";
import {
  applyPageLogRepair,
  applyRepair,
  type PageLogRepairPlan,
  planPageLogRepair,
  planRepair,
  type RepairEdit,
  type RepairPlan,
  RepairRefusal,
  undoRepair,
} from "../../src/repair/index.js";
import { InputError } from "../../src/store/input-error.js";
import { exportPageLog } from "../../src/store/jsonl-writer.js";
import type { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { openPageLog } from "../../src/store/open.js";
import type { PageLog } from "../../src/store/types.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import { DirectoryVerifier } from "../../src/verify/classic/directory.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import { DamagedHome, HomeFolder, SoundHome } from "../damage/classic-home.js";
import { DamagedPageLog, generationOfLog, PAGE_LOGS, soundPageLog } from "../damage/page-logs.js";
import { inMemory, scratchFolder } from "../scratch.js";
import { Tape } from "../tape.js";
import { Broken, DECIDED, type FuzzTarget, isRaw, RAW } from "../target.js";
import { MetadataModel } from "./repair-model.js";
import { readAll } from "./tree-rows.js";

const MAX_EDITS = 3;
/** Kinds of edits, the usual one twice. */
const EDITS = 9;
const MAX_DAMAGE = 2;
const MAX_POINT = 24;
const TIME = 1_795_300_000;

/** Sound and damaged stores, each kind of edit, broken off early and late. */
function* repairSeeds(stores: number): Generator<Uint8Array> {
  for (let edit = 0; edit < EDITS; edit++) {
    const store = edit % stores;
    yield Uint8Array.of(RAW, store, 0, edit, edit, 1, 2 * edit, 3);
    yield Uint8Array.of(RAW, store, 1, edit, 0, edit, 4, 6, 2, 1, 4 + edit);
    if (edit < 3) yield Uint8Array.of(DECIDED, store, 5 * edit, 1, 3, edit, 2, 1, 4, 0, 1, 2, 3);
  }
}

const VALUES = [
  "",
  "1",
  "-1",
  "18446744073709551615",
  "(a=1)",
  "((",
  '"owner=ops"',
  "text with, comma",
  "false",
  "snappy",
];
const KEYS = [
  "app_metadata",
  "id",
  "log.enabled",
  "checkpoint",
  "key_format",
  "no_such_key",
  "block_compressor",
  "",
];
const NAMES = ["t", "other", "a/b", "", "x".repeat(70), "row"];
const CONFIGS = [
  "key_format=S,value_format=S",
  "key_format=r",
  "key_format=Q,value_format=u",
  "colgroups=(a)",
  "((",
  "",
];

function editOf(tape: RandomSource, uris: readonly string[]): RepairEdit {
  const pick = (choices: readonly string[]): string => choices[tape.below(choices.length)] as string;
  const uri = (): string => (tape.below(8) === 0 ? pick(["", "file:none.wt", "table:t", "x"]) : pick(uris));
  switch (tape.below(EDITS)) {
    case 0:
    case 1:
      return { edit: "set", uri: uri(), key: pick(KEYS), value: pick(VALUES) };
    case 2:
      return { edit: "change-id", uri: uri(), id: "auto" };
    case 3:
      return { edit: "change-id", uri: uri(), id: pick([...VALUES, "5", "700", "2199023255552"]) };
    case 4:
      return {
        edit: "insert",
        uri: tape.below(2) === 0 ? uri() : "file:new.wt",
        config: pick([...CONFIGS, ...VALUES]),
      };
    case 5:
      return { edit: "remove", uri: uri() };
    case 6:
      return { edit: "create-table", name: pick(NAMES), config: pick(CONFIGS) };
    case 7:
      return { edit: "fix-duplicates" };
    default:
      return { edit: "fix-checkpoint-size" };
  }
}

const editsOf = (tape: RandomSource, uris: readonly string[]): RepairEdit[] =>
  Array.from({ length: 1 + tape.below(MAX_EDITS) }, () => editOf(tape, uris));

/** Undefined when it is refused; anything else that is thrown is a defect. */
function unlessRefused<T>(work: () => T, onRefusal: (reason: string) => void = () => {}): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof RepairRefusal || error instanceof InputError) {
      if (error.message === "") throw new Broken("refused without a reason");
      onRefusal(error.message);
      return undefined;
    }
    throw error;
  }
}

/** Thrown by a hook in place of killing the process. */
class Stopped extends Error {}

let classic: { readonly sound: SoundHome; readonly folder: HomeFolder; readonly work: string } | undefined;

function classicBase(): NonNullable<typeof classic> {
  if (classic !== undefined) return classic;
  const sound = SoundHome.ofCorpus("tiny");
  const work = scratchFolder("pugmark-repair", inMemory());
  classic = { sound, folder: new HomeFolder(sound, work), work };
  return classic;
}

const HOME_URIS = [
  "file:row.wt",
  "table:row",
  "colgroup:row",
  "file:packed.wt",
  "file:column.wt",
  "file:WiredTigerLAS.wt",
];

export const repairClassicTarget: FuzzTarget = {
  name: "repair-classic",
  oracle:
    "edits of a sound or damaged home are refused with a reason and nothing is written, or verification finds no more " +
    "than before, the plan is not applied twice, and undo gives every byte back, also when any step was broken off",
  seeds: () => repairSeeds(1),
  fuzz(input) {
    const tape = new Tape(input.subarray(2));
    const { sound, folder, work } = classicBase();
    const damaged = new DamagedHome(sound);
    const isSound = isRaw(input);
    if (!isSound) for (let left = 1 + tape.below(MAX_DAMAGE); left > 0; left--) damaged.change(tape);
    // The repair has written into it: every file is set anew.
    folder.reset(damaged.changed());
    const home = folder.path;
    const before = contentsOf(home);
    const stopAt = tape.below(MAX_POINT);
    const edits = editsOf(tape, HOME_URIS);
    const options = { time: TIME, keepCheckpoint: tape.below(2) === 1, dropHistory: tape.below(2) === 1 };
    const plan = unlessRefused(() => planRepair(home, edits, options));
    checkSame(before, contentsOf(home), "planning");
    if (plan === undefined) return;
    const errors = errorsOf(home);
    const journal = join(work, "journal.json");
    rmSync(journal, { force: true });
    if (applied(plan, journal, stopAt)) {
      if (errorsOf(home) > errors) throw new Broken("more errors than before");
      if (unlessRefused(() => applyRepair(plan, { journal: join(work, "second.json") })) !== undefined)
        throw new Broken("applied twice");
    }
    if (existsSync(journal) && unlessRefused(() => undoRepair(journal)) === undefined && stopAt === 0)
      throw new Broken("cannot be taken back");
    checkSame(before, contentsOf(home), "undo");
  },
};

/** Whether it came to its end; `stopAt`: the point it is broken off at, 0 = none. */
function applied(plan: RepairPlan, journal: string, stopAt: number): boolean {
  let points = 0;
  const onPoint = (): void => {
    if (++points === stopAt) throw new Stopped();
  };
  try {
    applyRepair(plan, { journal, onPoint });
    return true;
  } catch (error) {
    if (error instanceof Stopped) return false;
    throw error;
  }
}

function errorsOf(home: string): number {
  const run = new Run({ threads: 1 }, 0);
  new DirectoryVerifier(home, run, new Detected(home, "classic-directory")).verify();
  return run.report().summary.errors;
}

const contentsOf = (home: string): Map<string, Buffer> =>
  new Map(
    readdirSync(home)
      .sort()
      .map((name) => [name, readFileSync(join(home, name))]),
  );

function checkSame(
  before: ReadonlyMap<string, Buffer>,
  after: ReadonlyMap<string, Buffer>,
  what: string,
): void {
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === undefined || now === undefined || !old.equals(now))
      throw new Broken(`${what} leaves another ${name}`);
  }
}

let logs: { readonly work: string; readonly sound: Map<number, string> } | undefined;

function logBase(): NonNullable<typeof logs> {
  if (logs !== undefined) return logs;
  const work = scratchFolder("pugmark-repair", inMemory());
  logs = { work, sound: new Map() };
  return logs;
}

function soundExport(index: number): string {
  const { work, sound } = logBase();
  const known = sound.get(index) ?? join(work, `sound${index}`);
  if (!sound.has(index)) exportPageLog(soundPageLog(index), known);
  sound.set(index, known);
  return known;
}

function damagedExport(log: MemoryPageLog): string {
  const path = join(logBase().work, "damaged");
  rmSync(path, { recursive: true, force: true });
  exportPageLog(log, path);
  return path;
}

const METADATA = "file:WiredTigerShared.wt_stable";
/** Rows that no log has, and one that is the engine's own. */
const OTHER_URIS = [METADATA, "colgroup:accounts", "file:none.wt_stable"];

/** Edits as they are usually asked for, every other time. */
function logEditOf(tape: RandomSource, uris: readonly string[]): RepairEdit {
  const uri = uris[tape.below(uris.length)] as string;
  switch (tape.below(8)) {
    case 0:
      return { edit: "set", uri, key: "app_metadata", value: VALUES[tape.below(VALUES.length)] as string };
    case 1:
      return { edit: "change-id", uri, id: "auto" };
    case 2:
      return { edit: "create-table", name: NAMES[tape.below(2)] as string, config: CONFIGS[0] as string };
    case 3:
      return { edit: "remove", uri };
    default:
      return editOf(tape, [...uris, ...OTHER_URIS]);
  }
}

export const repairPageLogTarget: FuzzTarget = {
  name: "repair-page-log",
  oracle:
    "edits of a sound or damaged page log are refused with a reason and nothing is written, or the metadata's rows are " +
    "what a plain model makes of them, the new store has every other row, record and checkpoint of the old one, one " +
    "checkpoint more, and verification finds no more than before; what can be done with a sound log is not refused",
  seeds: () => logSeeds(),
  fuzz(input) {
    const tape = new Tape(input.subarray(1));
    const index = tape.below(256) % PAGE_LOGS;
    const damaged = new DamagedPageLog(soundPageLog(index));
    const isSound = isRaw(input);
    if (!isSound) for (let left = 1 + tape.below(MAX_DAMAGE); left > 0; left--) damaged.change(tape);
    const path = isSound ? soundExport(index) : damagedExport(damaged.log());
    const before = contentsOf(path);
    const uris = [...metadataOf(soundPageLog(index)).keys()].map((key) => key.replace("\0", ""));
    const edits = Array.from({ length: 1 + tape.below(MAX_EDITS) }, () => logEditOf(tape, uris));
    const dropHistory = tape.below(2) === 1;
    // Two generations look alike, so that it has to be said which.
    const options = { time: TIME, dropHistory, generation: generationOfLog(index) };
    let refusal = "";
    const plan = unlessRefused(
      () => planPageLogRepair(path, edits, options),
      (reason) => {
        refusal = reason;
      },
    );
    if (plan !== undefined) checkNewStore(path, plan);
    else if (isSound && modelOf(soundPageLog(index), edits).mustBeDone)
      throw new Broken(`refused: ${refusal}`);
    checkSame(before, contentsOf(path), "a repair into a new store");
  },
};

/** Every kind of edit of a sound log, alone and two together, and some of damaged ones. */
function* logSeeds(): Generator<Uint8Array> {
  for (let kind = 0; kind < 4 + EDITS; kind++) {
    const store = kind % PAGE_LOGS;
    const edit = kind < 4 ? [kind, kind, 1] : [kind, 4, kind - 4, 1, 0, 4];
    yield Uint8Array.of(RAW, store, 0, ...edit);
    yield Uint8Array.of(RAW, PAGE_LOGS - 1 - store, 1, ...edit, 1, 0, 2);
    if (kind < 4) yield Uint8Array.of(DECIDED, store, 5 * kind, 1, 3, kind, 2, 1, 4, 0, 1, 2, 3);
  }
}

function checkNewStore(path: string, plan: PageLogRepairPlan): void {
  const folder = join(logBase().work, "output");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const output = join(folder, "store");
  applyPageLogRepair(plan, { output });
  // Not every contradiction of a log in memory is one in a store.
  const [old, made] = [openPageLog(path), openPageLog(output)];
  try {
    const limit = old.checkpoints().at(-1)?.lsn ?? 0n;
    if (made.checkpoints().length !== old.checkpoints().length + 1)
      throw new Broken(`${made.checkpoints().length} checkpoints, there were ${old.checkpoints().length}`);
    for (const record of old.records()) {
      if (record.lsn > limit) continue;
      const copy = made.record(record.tableId, record.pageId, record.lsn);
      if (copy === undefined || Buffer.compare(copy.data, record.data) !== 0)
        throw new Broken(`the record at LSN ${record.lsn} is another one`);
    }
    const model = modelOf(old, plan.edits);
    model.check(metadataOf(made));
    checkRows(old, made, model);
    if (logErrors(made) > logErrors(old)) throw new Broken("more errors than before");
  } finally {
    old.close();
    made.close();
  }
}

/** Rows of every table there was and is to be. */
function checkRows(old: PageLog, made: PageLog, model: MetadataModel): void {
  const before = readAll(new PageLogDatabase(old, "memory", {}), false).rows;
  const after = readAll(new PageLogDatabase(made, "memory", {}), false).rows;
  const isKept = (name: string): boolean => {
    const uri = name.slice(0, name.indexOf(" "));
    return !uri.startsWith("file:WiredTiger") && model.has(uri);
  };
  for (const [name, value] of before)
    if (isKept(name) && after.get(name) !== value) throw new Broken(`row ${name} is another one`);
  for (const name of after.keys())
    if (isKept(name) && !before.has(name)) throw new Broken(`row ${name} is new`);
}

/** Rows of the shared metadata, with their NULs. */
function metadataOf(log: PageLog): Map<string, string> {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  const rows = new Map<string, string>();
  for (const { key, value } of new PageLogDatabase(log, "memory", {}).table(METADATA).rows())
    rows.set(text(key as Uint8Array), text(value));
  return rows;
}

function modelOf(log: PageLog, edits: readonly RepairEdit[]): MetadataModel {
  const rows = [...metadataOf(log)].map(
    ([key, value]) => [key.replace("\0", ""), value.replace("\0", "")] as const,
  );
  return new MetadataModel(new Map(rows), edits);
}

function logErrors(log: PageLog): number {
  const run = new Run({}, 0);
  verifyPageLog(log, run, new Detected(log.path, log.kind));
  return run.report().summary.errors;
}
