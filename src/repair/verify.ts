/** A repaired directory looked at from all sides: what the engine checks, and what it does not. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { configGetText } from "../codec/config-edit.js";
import type { Finding } from "../verify/finding.js";
import { verify } from "../verify/index.js";
import { CheckFailure, type CheckResult, Checks, type RepairCheck } from "./checks.js";
import {
  METADATA_FILE,
  type Metadata,
  readMetadata,
  readTurtle,
  TURTLE_FILE,
  turtleOf,
} from "./classic/home.js";
import { compareRows } from "./compare-rows.js";
import { Draft } from "./draft.js";
import { type EngineVerdict, engineVersion, READ_ONLY, runEngine } from "./engine.js";
import { verifyMetadataCopy } from "./metadata-copy.js";
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

/** Whether the real engine was asked; without it this package alone says that all is well. */
export type EngineAsked =
  | { readonly asked: true; readonly version: string }
  | { readonly asked: false; readonly why: string };

export interface RepairVerifyReport {
  readonly schemaVersion: 1;
  readonly document: "pugmark-repair-verify";
  readonly path: string;
  /** No check failed. */
  readonly ok: boolean;
  readonly checks: readonly RepairCheck[];
  readonly engine: EngineAsked;
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
  const { checks, engine } = run;
  const { ok, list } = checks;
  return { schemaVersion: 1, document: "pugmark-repair-verify", path, ok, checks: list, engine, findings };
}

class RepairChecks {
  readonly checks = new Checks();
  engine: EngineAsked = { asked: false, why: "the metadata cannot be read" };
  private readonly plan: ClassicRepairPlan | undefined;

  constructor(
    private readonly home: string,
    private readonly options: RepairVerifyOptions,
  ) {
    this.plan = options.plan;
  }

  async all(): Promise<Finding[]> {
    const { checks, home } = this;
    const findings = await this.fullVerify();
    const after = checks.run("metadata", () => {
      const metadata = readMetadata(home);
      return { value: metadata, detail: `${metadata.tree.pages} pages, ${metadata.rows.size} rows` };
    });
    if (after !== undefined) {
      checks.run("file size", () => fileSize(after));
      checks.run("write generations", () => writeGenerations(after));
      checks.run("ids", () => uniqueIds(home, after));
      this.compare(after);
      this.askEngine(after);
    }
    return findings;
  }

  private async fullVerify(): Promise<Finding[]> {
    const { findings, summary } = await verify([this.home]);
    const serious = findings.filter(({ severity }) => severity !== "info");
    this.checks.run("full verify", () => {
      const [first] = serious.filter(({ severity }) => severity === "error");
      if (first !== undefined)
        throw new CheckFailure(`${summary.errors} errors, the first: ${first.path ?? ""}: ${first.message}`);
      if (!summary.complete) throw new CheckFailure("parts of the directory could not be checked");
      return { detail: `${summary.pages} pages, ${summary.warnings} warnings` };
    });
    this.checks.run("space", () => {
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
      this.checks.skip("state before", "no plan or journal was given: nothing to compare with");
      return;
    }
    const source = this.options.before ?? (plan.path === realpathSync(this.home) ? undefined : plan.path);
    if (after.turtle.text !== plan.turtle.after) {
      this.checks.run("state before", () => {
        throw new CheckFailure(
          "the turtle is not the plan's: the engine has written since, or the plan is another one",
        );
      });
      return;
    }
    const before = this.checks.run("state before", () => stateBefore(this.home, source, plan));
    if (before !== undefined) {
      this.checks.run("order and time", () => orderAndTime(before, after));
      this.checks.run("rows", () => compareRows(textsOf(before), textsOf(after), plan.changes));
    }
    this.checks.run("new files", () => newFiles(this.home, plan));
    if (source !== undefined) this.checks.run("other files", () => otherFiles(this.home, source, plan));
  }

  private askEngine(after: Metadata): void {
    const { home, plan, checks } = this;
    const { engine = true, program } = this.options;
    const version = engine ? engineVersion(program) : undefined;
    const own = after.engine.text;
    if (version === undefined || version.split(".")[0] !== own.split(".")[0]) {
      const why = !engine
        ? "by request"
        : version === undefined
          ? "no wt program is there"
          : `wt is ${version}, the directory of ${own}`;
      this.engine = { asked: false, why };
      checks.skip("engine", `NOT DONE: ${why}`);
      return;
    }
    this.engine = { asked: true, version };
    const ask = (args: readonly string[]): void =>
      void checks.run(`engine ${args.join(" ")}`, () =>
        verdict(runEngine(home, args, READ_ONLY, program), version),
      );
    ask(after.engine.major < VERIFIES_METADATA ? ["list"] : ["-m", "list"]);
    const uris = [...new Set(plan?.changes.map(({ uri }) => uri) ?? [])].filter(
      (uri) =>
        uri.startsWith("file:") && after.rows.has(uri) && existsSync(join(home, uri.slice("file:".length))),
    );
    for (const uri of uris.slice(0, MAX_ENGINE_TABLES)) ask(["verify", uri]);
    if (uris.length > MAX_ENGINE_TABLES)
      checks.skip("engine verify", `NOT DONE for ${uris.length - MAX_ENGINE_TABLES} more tables`);
    if (after.engine.major < VERIFIES_METADATA)
      checks.run(`engine verify of a copy of ${METADATA_FILE}`, () =>
        verdict(verifyMetadataCopy(home, program), version),
      );
  }
}

/** Engines from this release on verify their metadata when they open. */
const VERIFIES_METADATA = 12;
/** More tables than these are not verified by the engine one by one. */
const MAX_ENGINE_TABLES = 20;

function verdict({ ok, errors, command }: EngineVerdict, version: string): CheckResult {
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

const textsOf = ({ rows }: Metadata): Map<string, string> =>
  new Map([...rows].map(([uri, { value }]) => [uri, value]));

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
