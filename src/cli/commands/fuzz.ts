/** `pugmark fuzz [TARGET…]`, and its `list`, `replay`, `minimize`, `distill`, `report` and `engine`. */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import type { CommandModule } from "../command.js";
import { CommandError, EXIT, type ExitCode } from "../exit.js";
import { campaign } from "../fuzz/campaign.js";
import { distill } from "../fuzz/distill.js";
import { engine } from "../fuzz/engine.js";
import { loadKit } from "../fuzz/kit.js";
import { list } from "../fuzz/list.js";
import { minimize } from "../fuzz/minimize.js";
import type { FuzzAction, FuzzOptions } from "../fuzz/options.js";
import { replay } from "../fuzz/replay.js";
import { report } from "../fuzz/report.js";
import type { Terminal } from "../terminal.js";
import { safeNumber } from "../values.js";

type Flags = Readonly<Record<string, unknown>>;

export const fuzzCommand: CommandModule<FuzzOptions> = { declare, validate, run };

const actions: Readonly<Record<string, FuzzAction>> = {
  list,
  replay,
  minimize,
  distill,
  report,
  engine,
};

/** Of time, seconds. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

function declare(command: Command): void {
  command
    .argument(
      "[what...]",
      "targets; or list, replay FILE|DIR…, minimize FILE, distill TARGET DIR…, report FILE…, engine",
    )
    .option("--all", "every target")
    .option("--time <seconds>", "wall time of the campaign (default 60; engine: until all cases are done)")
    .option("--seed <n>", "makes a campaign's choices repeatable", "1")
    .option("--jobs <n>", "targets at the same time (default: one a core)")
    .option("--keep-going", "go on behind a finding")
    .option("--known <file>", "signatures of known defects, one a line: not reported again")
    .option(
      "--output <path>",
      "campaign: folder of corpora and findings (default pugmark-fuzz); minimize: the file",
    )
    .option("--input-time <seconds>", "what one input may take", "10")
    .option("--memory <mib>", "what a target's process may take", "1024")
    .option("--target <name>", "replay, minimize: the target, where folder and name of the file do not tell")
    .option("--apply", "distill: remove what adds nothing, instead of naming it")
    .option("--cases <n>", "engine: damaged databases to be judged by the real engine and by us", "200")
    .option("--first <n>", "engine: the number of the first case", "0")
    .option("--json", "one JSON document")
    .option("--html <file>", "campaign: also a page with plots");
}

function validate(args: readonly unknown[], flags: Flags): FuzzOptions {
  const words = args[0] as readonly string[];
  const action = actions[words[0] ?? ""];
  const text = (name: string): string | undefined => flags[name] as string | undefined;
  if (action === undefined && words.length === 0 && flags.all !== true)
    throw new CommandError("name targets, or give --all (pugmark fuzz list has them)");
  return {
    action: action ?? campaign,
    words: action === undefined ? words : words.slice(1),
    all: flags.all === true,
    seconds:
      flags.time === undefined ? (action === engine ? NO_LIMIT : 60) : safeNumber("--time", flags.time),
    seed: safeNumber("--seed", flags.seed),
    jobs: flags.jobs === undefined ? availableParallelism() : safeNumber("--jobs", flags.jobs),
    keepGoing: flags.keepGoing === true,
    known: text("known"),
    output: text("output"),
    inputSeconds: safeNumber("--input-time", flags.inputTime),
    memoryMiB: safeNumber("--memory", flags.memory),
    target: text("target"),
    apply: flags.apply === true,
    cases: safeNumber("--cases", flags.cases),
    first: safeNumber("--first", flags.first),
    json: flags.json === true,
    html: text("html"),
  };
}

async function run(options: FuzzOptions, terminal: Terminal): Promise<ExitCode> {
  const kit = await loadKit();
  try {
    return (await options.action(kit, options, terminal)) ? EXIT.clean : EXIT.findings;
  } catch (error) {
    if (error instanceof kit.CampaignError || error instanceof kit.UnknownTarget)
      throw new CommandError(error.message);
    throw error;
  }
}
