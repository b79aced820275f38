/** `pugmark repair plan|apply|undo|verify` */
import { existsSync, readFileSync, statSync } from "node:fs";
import { type Command, Option } from "commander";
import { editUsage, parseEdits } from "../../repair/edit-text.js";
import type { RepairEdit, RepairOptions, RepairPlan, RepairVerifyReport } from "../../repair/index.js";
import type { CommandModule } from "../command.js";
import { CommandError, EXIT, type ExitCode } from "../exit.js";
import { checkOutputFile, writeOutputFile } from "../output-file.js";
import { describeApplied, describePlan, describeReport } from "../repair/text.js";
import type { Terminal } from "../terminal.js";

const ACTIONS = ["plan", "apply", "undo", "verify"] as const;
type Action = (typeof ACTIONS)[number];

interface RepairCommandOptions {
  readonly action: Action;
  /** Directory, plan or journal. */
  readonly target: string;
  readonly edits: readonly RepairEdit[];
  readonly json: boolean;
  /** `plan`: file for the plan. */
  readonly planFile: string | undefined;
  readonly planning: RepairOptions;
  /** `apply`: the directory for the copy; undefined = in place. */
  readonly output: string | undefined;
  /** `apply`: the file for the puts of a page log. */
  readonly patch: string | undefined;
  /** `plan`: generation of a page log. */
  readonly generation: string | undefined;
  readonly journal: string | undefined;
  /** `apply`, `undo`: another directory than the one the document names. */
  readonly path: string | undefined;
  /** `verify`: the plan's file, and the directory before. */
  readonly plan: string | undefined;
  readonly before: string | undefined;
  readonly engine: boolean;
}

export const repairCommand: CommandModule<RepairCommandOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .usage(
      "plan PATH EDIT [+ EDIT…] | apply PLAN --output DIR | apply PLAN --in-place | undo JOURNAL | verify PATH",
    )
    .addArgument(command.createArgument("<action>", "what to do").choices(ACTIONS))
    .argument("<target>", "plan, verify: a classic directory or a page log; apply: a plan; undo: a journal")
    .argument("[words...]", "plan: the edits")
    .allowUnknownOption()
    .allowExcessArguments()
    .option("-o, --output <path>", "plan: file for the plan; apply: a new directory for the repaired copy")
    .option("--in-place", "apply: write into the directory itself, with a journal")
    .option("--patch <file>", "apply, page logs: the puts in order as JSON lines, in place of a new store")
    .option("--generation <name>", "plan, page logs: which generation, where two look alike")
    .option(
      "--journal <file>",
      "apply: where the journal goes (default: beside the directory); verify: what to compare with",
    )
    .option("--path <dir>", "apply, undo: the directory, where it is not the one the document names")
    .option("--plan <file>", "verify: the plan that was carried out")
    .option("--before <dir>", "verify: the directory before the repair (default: as the plan names it)")
    .option("--no-engine", "verify: do not ask the real engine, if it is there")
    .option("--drop-history", "plan: give up older values kept under ids that change")
    .option("--keep-checkpoint", "plan: keep the metadata's checkpoint beside the new one")
    .option("--force-unlocked", "go on where locks of other processes cannot be seen")
    .addOption(
      new Option("--time <seconds>", "plan: time of the new checkpoint, since 1970").argParser(Number),
    )
    .option("--json", "documents instead of text")
    .addHelpText(
      "after",
      `\nEdits:\n${editUsage.map((line) => `  ${line}`).join("\n")}\n\nExit codes: 1 refused, 4 repaired but not clean.`,
    );
}

type Flags = Readonly<Record<string, unknown>>;

/** Options an action does not have. */
const ONLY_FOR: Readonly<Record<string, readonly Action[]>> = {
  output: ["plan", "apply"],
  inPlace: ["apply"],
  patch: ["apply"],
  generation: ["plan"],
  journal: ["apply", "verify"],
  path: ["apply", "undo"],
  plan: ["verify"],
  before: ["verify"],
  dropHistory: ["plan"],
  keepCheckpoint: ["plan"],
  time: ["plan"],
  forceUnlocked: ["plan", "apply", "undo"],
};

function validate(args: readonly unknown[], flags: Flags): RepairCommandOptions {
  const [action, target] = args as [Action, string];
  const words = (args[2] as string[] | undefined) ?? [];
  for (const [flag, actions] of Object.entries(ONLY_FOR))
    if (flags[flag] !== undefined && !actions.includes(action))
      throw new CommandError(
        `repair ${action} has no option --${flag.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
      );
  if (target.startsWith("-")) throw new CommandError(`there is no option ${target}`);
  const output = flags.output as string | undefined;
  if (action !== "plan" && words.length > 0)
    throw new CommandError(`repair ${action} does not take ${words[0]}`);
  const ways = [output, flags.patch, flags.inPlace].filter((way) => way !== undefined);
  if (action === "apply" && ways.length !== 1)
    throw new CommandError("apply takes one of --output DIR, --in-place and --patch FILE");
  if (action === "apply" && output !== undefined && flags.journal !== undefined)
    throw new CommandError("--journal is for --in-place");
  if (action === "plan" && output !== undefined) checkOutputFile(output, [target]);
  const time = flags.time as number | undefined;
  if (time !== undefined && !(Number.isSafeInteger(time) && time >= 0))
    throw new CommandError("--time is not a number of seconds");
  return {
    action,
    target,
    edits: action === "plan" ? editsOf(words) : [],
    json: flags.json === true,
    planFile: action === "plan" ? output : undefined,
    planning: {
      ...(time !== undefined && { time }),
      ...(flags.dropHistory === true && { dropHistory: true }),
      ...(flags.keepCheckpoint === true && { keepCheckpoint: true }),
      ...(flags.forceUnlocked === true && { forceUnlocked: true }),
    },
    output: action === "apply" ? output : undefined,
    patch: flags.patch as string | undefined,
    generation: flags.generation as string | undefined,
    journal: flags.journal as string | undefined,
    path: flags.path as string | undefined,
    plan: flags.plan as string | undefined,
    before: flags.before as string | undefined,
    engine: flags.engine !== false,
  };
}

function editsOf(words: readonly string[]): RepairEdit[] {
  try {
    return parseEdits(words);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

async function run(options: RepairCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { RepairRefusal } = await import("../../repair/index.js");
  const { installNodeAccelerators } = await import("../../platform/node.js");
  installNodeAccelerators();
  try {
    return await actions[options.action](options, terminal);
  } catch (error) {
    if (!(error instanceof RepairRefusal)) throw error;
    for (const { code, message } of [error, ...error.more]) terminal.fail(`refused (${code}): ${message}`);
    return EXIT.findings;
  }
}

type Act = (options: RepairCommandOptions, terminal: Terminal) => Promise<ExitCode>;

const actions: Readonly<Record<Action, Act>> = { plan, apply, undo, verify };

async function plan(options: RepairCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { target, edits, planning, planFile, json, generation } = options;
  if (await isPageLog(target)) return planPageLog(options, terminal);
  if (generation !== undefined) throw new CommandError("--generation is for page logs");
  const { planRepair, planText } = await import("../../repair/index.js");
  const made = planRepair(target, edits, planning);
  if (planFile !== undefined) writeOutputFile(planFile, planText(made));
  await terminal.write(json ? planText(made) : describePlan(made));
  if (planFile !== undefined) terminal.note(`plan written to ${planFile}; nothing else was`);
  return EXIT.clean;
}

async function planPageLog(
  { target, edits, planning, planFile, json, generation }: RepairCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (planning.keepCheckpoint) throw new CommandError("a page log keeps its checkpoints anyway");
  const { planPageLogRepair, planText } = await import("../../repair/index.js");
  const { describePageLogPlan } = await import("../repair/page-log-text.js");
  const made = planPageLogRepair(target, edits, {
    ...planning,
    ...(generation !== undefined && { generation }),
  });
  if (planFile !== undefined) writeOutputFile(planFile, planText(made));
  await terminal.write(json ? planText(made) : describePageLogPlan(made));
  if (planFile !== undefined) terminal.note(`plan written to ${planFile}; nothing else was`);
  return EXIT.clean;
}

async function apply(options: RepairCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { applyRepair, isPageLogPlan, parsePlan } = await import("../../repair/index.js");
  const { output, journal, path, planning, patch } = options;
  const text = readText(options.target);
  if (isPageLogPlan(text)) return applyPageLog(text, options, terminal);
  if (patch !== undefined) throw new CommandError("--patch is for page logs");
  const applied = applyRepair(parsePlan(text), {
    ...(path !== undefined && { path }),
    ...(output !== undefined && { output }),
    ...(journal !== undefined && { journal }),
    ...(planning.forceUnlocked === true && { forceUnlocked: true }),
  });
  const { path: repaired, journal: written } = applied;
  await terminal.write(
    options.json
      ? `${JSON.stringify({ path: repaired, ...(written !== undefined && { journal: written }) })}\n`
      : describeApplied(applied),
  );
  return EXIT.clean;
}

async function applyPageLog(
  text: string,
  { output, patch, path, json }: RepairCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { applyPageLogRepair, parsePageLogPlan } = await import("../../repair/index.js");
  const { describePageLogApplied } = await import("../repair/page-log-text.js");
  const applied = applyPageLogRepair(parsePageLogPlan(text), {
    ...(output !== undefined && { output }),
    ...(patch !== undefined && { patch }),
    ...(path !== undefined && { path }),
  });
  await terminal.write(
    json ? `${JSON.stringify({ path: applied.path })}\n` : describePageLogApplied(applied),
  );
  return EXIT.clean;
}

async function undo(
  { target, path, planning, json }: RepairCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { undoRepair } = await import("../../repair/index.js");
  const undone = undoRepair(target, {
    ...(path !== undefined && { path }),
    ...(planning.forceUnlocked === true && { forceUnlocked: true }),
  });
  const { published, path: home } = undone;
  await terminal.write(
    json
      ? `${JSON.stringify({ path: home, published })}\n`
      : `${home} is as it was before the repair${published ? "" : ", which had not been published"}\n`,
  );
  return EXIT.clean;
}

async function verify(options: RepairCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { verifyRepair } = await import("../../repair/index.js");
  if (await isPageLog(options.target)) return verifyPageLog(options, terminal);
  if (statSync(options.target, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandError(`${options.target}: no such directory`);
  const done = await planOf(options);
  const report = await verifyRepair(options.target, {
    engine: options.engine,
    ...(done !== undefined && { plan: done }),
    ...(options.before !== undefined && { before: options.before }),
  });
  return showReport(report, options, terminal);
}

async function verifyPageLog(options: RepairCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const { parsePageLogPlan, verifyPageLogRepair } = await import("../../repair/index.js");
  if (options.journal !== undefined) throw new CommandError("page logs have no journal: give the plan");
  const { target, plan, before } = options;
  const report = verifyPageLogRepair(target, {
    ...(plan !== undefined && { plan: parsePageLogPlan(readText(plan)) }),
    ...(before !== undefined && { before }),
  });
  return showReport(report, options, terminal);
}

async function showReport(
  report: RepairVerifyReport,
  { json }: RepairCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  await terminal.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : describeReport(report));
  return report.ok ? EXIT.clean : EXIT.notClean;
}

/** Whether there is a page log; what is not there is told later. */
async function isPageLog(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return false;
  const { detectInput } = await import("../../store/detect.js");
  const { isPageLogKind } = await import("../../store/open.js");
  return isPageLogKind(detectInput(path).kind);
}

async function planOf({ plan, journal }: RepairCommandOptions): Promise<RepairPlan | undefined> {
  const { parsePlan, readJournal } = await import("../../repair/index.js");
  if (plan !== undefined && journal !== undefined)
    throw new CommandError("verify takes one of --plan and --journal");
  if (journal !== undefined) return readJournal(journal).plan;
  return plan === undefined ? undefined : parsePlan(readText(plan));
}

function readText(path: string): string {
  if (!existsSync(path)) throw new CommandError(`${path}: no such file`);
  return readFileSync(path, "utf8");
}
