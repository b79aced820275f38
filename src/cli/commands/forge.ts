/** `pugmark forge SCENARIO --output DIR` */
import { type Command, Option } from "commander";
import type { CrashPoint } from "../../store/crash-point.js";
import type { WriteGenerationName } from "../../write/generation.js";
import type { ForgedStore, ForgeLayout, ForgeName } from "../../write/scenarios/forge.js";
import type { CommandModule } from "../command.js";
import { CommandError, EXIT, type ExitCode } from "../exit.js";
import { nearMatches } from "../near.js";
import type { Terminal } from "../terminal.js";
import { byteSize, safeNumber } from "../values.js";

interface ForgeCommandOptions {
  /** Undefined: only tell what there is. */
  readonly scenario: string | undefined;
  readonly output: string;
  readonly generation: string | undefined;
  readonly crash: { readonly point: string; readonly passes: number } | undefined;
  readonly seed: number;
  readonly size: number;
  readonly layout: ForgeLayout;
  readonly json: boolean;
}

const MAX_SEED = 2 ** 31 - 1;

export const forgeCommand: CommandModule<ForgeCommandOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("[scenario]", "what is written; --list tells which there are")
    .option("-o, --output <dir>", "a new or empty directory for the store")
    .option("--generation <name>", "generation of what is written (default: the newest)")
    .option("--crash <point[:n]>", "kill this process (SIGKILL) at the n-th pass of a crash point")
    .option("--seed <number>", "another seed makes other rows and keys", "1")
    .option("--size <bytes>", "rows of the scenario big: 4MB", "1MB")
    .addOption(
      new Option("--layout <layout>", "how the page log is kept")
        .choices(["palite", "jsonl"])
        .default("palite"),
    )
    .option("--list", "explain scenarios, generations and crash points")
    .option("--json", "one JSON document");
}

function validate(
  [scenario]: readonly unknown[],
  flags: Readonly<Record<string, unknown>>,
): ForgeCommandOptions {
  const listing = flags.list === true;
  if (!listing && scenario === undefined)
    throw new CommandError("which scenario? pugmark forge --list explains them");
  if (!listing && flags.output === undefined)
    throw new CommandError("where to? --output DIR names a new or empty directory");
  const seed = safeNumber("--seed", flags.seed);
  if (seed > MAX_SEED) throw new CommandError(`--seed: at most ${MAX_SEED}`);
  return {
    scenario: listing ? undefined : (scenario as string),
    output: String(flags.output),
    generation: flags.generation as string | undefined,
    crash: flags.crash === undefined ? undefined : crashOf(String(flags.crash)),
    seed,
    size: byteSize("--size", flags.size),
    layout: flags.layout === "jsonl" ? "page-log-jsonl" : "palite",
    json: flags.json === true,
  };
}

function crashOf(text: string): { point: string; passes: number } {
  const [point = "", passes = "1", ...rest] = text.split(":");
  const count = safeNumber("--crash", passes);
  if (rest.length > 0 || count < 1) throw new CommandError("--crash: POINT or POINT:N, N from 1");
  return { point, passes: count };
}

async function run(options: ForgeCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const [{ crashPoints }, { newestGeneration, writeGenerations }, making] = await Promise.all([
    import("../../store/crash-point.js"),
    import("../../write/generation.js"),
    import("../../write/scenarios/forge.js"),
  ]);
  const { forgeable, forge, killAt, ForgeError } = making;
  const { scenario, generation, crash } = options;
  if (scenario === undefined) {
    await terminal.write(await listText(options.json));
    return EXIT.clean;
  }
  known("scenario", scenario, forgeable);
  if (generation !== undefined) known("generation", generation, writeGenerations);
  if (crash !== undefined) known("crash point", crash.point, crashPoints);
  const { PageLogError } = await import("../../store/page-log-error.js");
  try {
    const stores = forge({
      ...options,
      scenario: scenario as ForgeName,
      generation: writeGenerations[generation as WriteGenerationName] ?? newestGeneration,
      onCrashPoint: crash && killAt(crash.point as CrashPoint, crash.passes),
    });
    await terminal.write(await storesText(stores, options.json));
  } catch (error) {
    if (error instanceof ForgeError || error instanceof PageLogError) throw new CommandError(error.message);
    throw error;
  }
  if (crash !== undefined)
    throw new CommandError(
      `the scenario passes ${crash.point} fewer than ${crash.passes} times: it was not killed`,
    );
  return EXIT.clean;
}

function known(what: string, name: string, names: object): void {
  if (Object.hasOwn(names, name)) return;
  const near = nearMatches(name, Object.keys(names));
  const hint = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
  throw new CommandError(`no ${what} ${name}${hint} (pugmark forge --list)`);
}

async function storesText(stores: readonly ForgedStore[], json: boolean): Promise<string> {
  const { jsonDocument } = await import("../../report/json.js");
  if (json) return jsonDocument({ schemaVersion: 1, stores });
  return stores
    .map(({ path, generation, checkpoints }) => {
      const lines = checkpoints.map(
        ({ lsn, timestamp, keyLsn }) =>
          `  checkpoint at LSN ${lsn}, timestamp ${timestamp}, key page at LSN ${keyLsn ?? "none"}\n`,
      );
      return `${path}: generation ${generation}\n${lines.join("")}`;
    })
    .join("");
}

async function listText(json: boolean): Promise<string> {
  const [{ crashPoints }, { writeGenerations }, { forgeable }, { jsonDocument }] = await Promise.all([
    import("../../store/crash-point.js"),
    import("../../write/generation.js"),
    import("../../write/scenarios/forge.js"),
    import("../../report/json.js"),
  ]);
  const entries = <T>(of: Readonly<Record<string, T>>): Array<[string, T]> => Object.entries(of);
  if (json)
    return jsonDocument({
      schemaVersion: 1,
      scenarios: entries(forgeable).map(([name, { summary, shows }]) => ({ name, summary, shows })),
      generations: entries(writeGenerations).map(([name, { when }]) => ({ name, when })),
      crashPoints: entries(crashPoints).map(([name, doc]) => ({ name, doc })),
    });
  const section = (title: string, lines: readonly string[]): string => `${title}\n${lines.join("")}`;
  return [
    section(
      "Scenarios",
      entries(forgeable).map(([name, { summary, shows }]) => `  ${name}\n    ${summary}\n    → ${shows}\n`),
    ),
    section(
      "Generations",
      entries(writeGenerations).map(([name, { when }]) => `  ${name.padEnd(10)} ${when}\n`),
    ),
    section(
      "Crash points",
      entries(crashPoints).map(([name, doc]) => `  ${name.padEnd(20)} ${doc}\n`),
    ),
  ].join("\n");
}
