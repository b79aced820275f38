/** A repaired directory looked at from all sides: what the engine checks, and what it does not. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, writeConfigValue } from "../codec/config.js";
import { configGet, configGetText } from "../codec/config-edit.js";
import type { Finding } from "../verify/finding.js";
import { verify } from "../verify/index.js";
import {
  METADATA_FILE,
  type Metadata,
  readMetadata,
  readTurtle,
  TURTLE_FILE,
  turtleOf,
} from "./classic/home.js";
import { Draft } from "./draft.js";
import { type EngineVerdict, engineVersion, runEngine } from "./engine.js";
import { RepairRefusal } from "./error.js";
import { sha256 } from "./prepare.js";
import { sameFile } from "./same-file.js";
import type { ClassicRepairPlan, RepairPlan } from "./types.js";

export interface RepairVerifyOptions {
  /** What was to be done; without it nothing can be compared. */
  readonly plan?: RepairPlan;
  /** The directory before the repair, of a repair on a copy (default: what the plan names). */
  readonly before?: string;
  /** Asks the real engine where its program is there and of the right version (default true). */
  readonly engine?: boolean;
  /** The engine's program (default `wt`). */
  readonly program?: string;
}

export type CheckState = "passed" | "failed" | "skipped";

export interface RepairCheck {
  readonly name: string;
  readonly state: CheckState;
  /** What was found; of a failure what is wrong. */
  readonly detail: string;
}

export interface RepairVerifyReport {
  readonly schemaVersion: 1;
  readonly document: "pugmark-repair-verify";
  readonly path: string;
  /** No check failed. */
  readonly ok: boolean;
  readonly checks: readonly RepairCheck[];
  /** Of the full verify, errors and warnings. */
  readonly findings: readonly Finding[];
}

/** Never throws for damage: that is a check that failed. @throws InputError */
export async function verifyRepair(
  path: string,
  options: RepairVerifyOptions = {},
): Promise<RepairVerifyReport> {
  const run = new RepairChecks(path, options);
  const findings = await run.all();
  const ok = run.checks.every(({ state }) => state !== "failed");
  return { schemaVersion: 1, document: "pugmark-repair-verify", path, ok, checks: run.checks, findings };
}

class RepairChecks {
  readonly checks: RepairCheck[] = [];
  private readonly plan: ClassicRepairPlan | undefined;

  constructor(
    private readonly home: string,
    private readonly options: RepairVerifyOptions,
  ) {
    this.plan = options.plan;
  }

  async all(): Promise<Finding[]> {
    const findings = await this.fullVerify();
    const after = this.check("metadata", () => {
      const metadata = readMetadata(this.home);
      return { value: metadata, detail: `${metadata.tree.pages} pages, ${metadata.rows.size} rows` };
    });
    if (after !== undefined) {
      this.check("file size", () => fileSize(after));
      this.check("write generations", () => writeGenerations(after));
      this.check("ids", () => uniqueIds(this.home, after));
      this.compare(after);
      this.askEngine(after);
    }
    return findings;
  }

  /** A check that throws has failed. */
  private check<T>(
    name: string,
    work: () => { detail: string; value?: T; skipped?: boolean },
  ): T | undefined {
    try {
      const { detail, value, skipped } = work();
      this.checks.push({ name, state: skipped === true ? "skipped" : "passed", detail });
      return value;
    } catch (error) {
      if (!(error instanceof RepairRefusal) && !(error instanceof CheckFailure)) throw error;
      this.checks.push({ name, state: "failed", detail: error.message });
      return undefined;
    }
  }

  private async fullVerify(): Promise<Finding[]> {
    const { findings, summary } = await verify([this.home]);
    const serious = findings.filter(({ severity }) => severity !== "info");
    this.check("full verify", () => {
      const [first] = serious.filter(({ severity }) => severity === "error");
      if (first !== undefined)
        throw new CheckFailure(`${summary.errors} errors, the first: ${first.path ?? ""}: ${first.message}`);
      if (!summary.complete) throw new CheckFailure("parts of the directory could not be checked");
      return { detail: `${summary.pages} pages, ${summary.warnings} warnings` };
    });
    this.check("space", () => {
      const space = findings.filter(({ code, severity }) => code.startsWith("space-") && severity !== "info");
      if (space[0] !== undefined)
        throw new CheckFailure(`${space.length} findings, the first: ${space[0].path}: ${space[0].message}`);
      return { detail: "every byte of every file belongs to exactly one block, list or free range" };
    });
    return serious;
  }

  private compare(after: Metadata): void {
    const { plan } = this;
    if (plan === undefined) {
      this.check("state before", () => ({
        detail: "no plan or journal was given: nothing to compare with",
        skipped: true,
      }));
      return;
    }
    const source = this.options.before ?? (plan.path === this.home ? undefined : plan.path);
    if (after.turtle.text !== plan.turtle.after) {
      this.check("state before", () => {
        throw new CheckFailure(
          "the turtle is not the plan's: the engine has written since, or the plan is another one",
        );
      });
      return;
    }
    const before = this.check("state before", () => stateBefore(this.home, source, plan));
    if (before !== undefined) {
      this.check("order and time", () => orderAndTime(before, after));
      this.check("rows", () => compareRows(before, after, plan));
    }
    this.check("new files", () => newFiles(this.home, plan));
    if (source !== undefined) this.check("other files", () => otherFiles(this.home, source, plan));
  }

  private askEngine(after: Metadata): void {
    const { engine = true, program } = this.options;
    const version = engine ? engineVersion(program) : undefined;
    const own = after.engine.text;
    if (version === undefined || version.split(".")[0] !== own.split(".")[0]) {
      const why = !engine
        ? "not asked"
        : version === undefined
          ? "no wt program is there"
          : `wt is ${version}, the directory of ${own}`;
      this.check("engine", () => ({ detail: why, skipped: true }));
      return;
    }
    const uris = [...new Set(this.plan?.changes.map(({ uri }) => uri) ?? [])].filter(
      (uri) =>
        uri.startsWith("file:") &&
        after.rows.has(uri) &&
        existsSync(join(this.home, uri.slice("file:".length))),
    );
    for (const args of [["list"], ...uris.slice(0, MAX_ENGINE_TABLES).map((uri) => ["verify", uri])])
      this.check(`engine ${args.join(" ")}`, () =>
        verdict(runEngine(this.home, args, undefined, program), version),
      );
  }
}

/** More tables than these are not verified by the engine one by one. */
const MAX_ENGINE_TABLES = 20;

class CheckFailure extends Error {}

function verdict(
  { ok, errors, command }: EngineVerdict,
  version: string,
): { detail: string; skipped?: boolean } {
  const [first = ""] = errors;
  if (ok) return { detail: `wt ${version} has no complaint` };
  if (errors.some((line) => /unknown compressor|unknown collator|unknown encryptor/.test(line)))
    return { detail: `wt ${version} would need an extension: ${first}`, skipped: true };
  throw new CheckFailure(`${command}: ${first}`);
}

function fileSize({ length, checkpoint }: Metadata): { detail: string } {
  if (BigInt(length) !== checkpoint.cookie.fileSize)
    throw new CheckFailure(
      `${METADATA_FILE} has ${length} bytes, its checkpoint says ${checkpoint.cookie.fileSize}`,
    );
  return { detail: `${length} bytes, as the checkpoint says` };
}

function writeGenerations({ tree, checkpoint }: Metadata): { detail: string } {
  if (tree.writeGen > checkpoint.writeGen + 1n)
    throw new CheckFailure(
      `a page has write generation ${tree.writeGen}, the checkpoint ${checkpoint.writeGen}`,
    );
  const run =
    checkpoint.entry.value.kind === "struct"
      ? configGetText(checkpoint.entry.value, ["run_write_gen"])
      : undefined;
  if (run !== undefined && checkpoint.writeGen < BigInt(run))
    throw new CheckFailure(
      `the checkpoint's write generation ${checkpoint.writeGen} is below its run's, ${run}`,
    );
  return { detail: `pages up to ${tree.writeGen}, checkpoint ${checkpoint.writeGen}` };
}

function uniqueIds(home: string, metadata: Metadata): { detail: string } {
  const draft = new Draft(home, metadata);
  const [twice] = draft.duplicates();
  if (twice !== undefined) throw new CheckFailure(`${twice.uris.join(" and ")} have id ${twice.id}`);
  return { detail: `all different, up to ${draft.highestId}` };
}

/** From the source, or from the blocks the repair left where they were. */
function stateBefore(
  home: string,
  source: string | undefined,
  plan: ClassicRepairPlan,
): { detail: string; value: Metadata } {
  if (source === undefined) {
    const turtle = turtleOf(plan.turtle.before, join(home, TURTLE_FILE));
    return { detail: "read from the blocks of the checkpoint before", value: readMetadata(home, turtle) };
  }
  const turtle = readTurtle(source);
  if (turtle.text !== plan.turtle.before)
    throw new CheckFailure(`${source} is not in the state the plan was made for`);
  return { detail: `read from ${source}`, value: readMetadata(source, turtle) };
}

function orderAndTime(before: Metadata, after: Metadata): { detail: string } {
  const [a, b] = [before.checkpoint, after.checkpoint];
  if (b.order <= a.order) throw new CheckFailure(`checkpoint order ${b.order} does not follow ${a.order}`);
  if (b.time < a.time) throw new CheckFailure(`the checkpoint's time ${b.time} is before ${a.time}`);
  if (b.writeGen <= a.writeGen || after.tree.writeGen <= before.tree.writeGen)
    throw new CheckFailure(`write generation ${b.writeGen} does not follow ${a.writeGen}`);
  return { detail: `order ${a.order} to ${b.order}, write generation ${a.writeGen} to ${b.writeGen}` };
}

/** Every row but the planned ones is byte for byte what it was; those are what was planned. */
function compareRows(before: Metadata, after: Metadata, plan: ClassicRepairPlan): { detail: string } {
  const touched = new Set(plan.changes.map(({ uri }) => uri));
  let same = 0;
  for (const uri of new Set([...before.rows.keys(), ...after.rows.keys()])) {
    const [old, now] = [before.rows.get(uri)?.value, after.rows.get(uri)?.value];
    if (old === now) same++;
    else if (!touched.has(uri)) throw new CheckFailure(`${uri} was not to be changed`);
  }
  for (const [index, change] of plan.changes.entries()) {
    const { uri, key } = change;
    if (
      plan.changes
        .slice(index + 1)
        .some((later) => later.uri === uri && (later.key === key || later.key === undefined))
    )
      continue;
    const value = after.rows.get(uri)?.value ?? null;
    const found = key === undefined || value === null ? value : keyText(value, key);
    const hasOthers = plan.changes.some((other) => other.uri === uri && other !== change);
    if (found !== change.new && !(key === undefined && hasOthers))
      throw new CheckFailure(
        `${uri}${key === undefined ? "" : ` ${key}`} is ${found}, planned was ${change.new}`,
      );
  }
  return { detail: `${same} rows as before; changes as planned: ${plan.changes.length}` };
}

function keyText(config: string, key: string): string | null {
  const value = configGet(parseConfig(config), key);
  if (value === undefined) return null;
  return writeConfigValue(value);
}

function newFiles(home: string, { files }: ClassicRepairPlan): { detail: string } {
  for (const { name, sha256: hash } of files) {
    const path = join(home, name);
    if (!existsSync(path)) throw new CheckFailure(`${name} is not there`);
    if (sha256(readFileSync(path)) !== hash)
      throw new CheckFailure(`${name} is not the file that was planned`);
  }
  return { detail: files.length === 0 ? "none was planned" : `${files.length} as planned` };
}

/** Everything but turtle and metadata is byte for byte what it is in the source. */
function otherFiles(home: string, source: string, { files }: ClassicRepairPlan): { detail: string } {
  const own = new Set([TURTLE_FILE, METADATA_FILE, ...files.map(({ name }) => name)]);
  const names = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
      (name) => !own.has(name) && statSync(join(folder, name)).isFile() && name !== "WiredTiger.turtle.set",
    );
  const [ours, theirs] = [names(home).sort(), names(source).sort()];
  const odd = ours.find((name) => !theirs.includes(name)) ?? theirs.find((name) => !ours.includes(name));
  if (odd !== undefined) throw new CheckFailure(`${odd} is in one of the directories only`);
  for (const name of ours)
    if (!sameFile(join(home, name), join(source, name))) throw new CheckFailure(`${name} is not what it was`);
  return { detail: `${ours.length} files byte for byte as in ${source}` };
}
