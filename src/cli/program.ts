/** The command line as a whole: which commands there are, and from arguments to an exit code. */
import { Command, CommanderError, Option } from "commander";
import type { CommandEntry, CommandModule } from "./command.js";
import { EXIT, type ExitCode, explainError } from "./exit.js";
import { COLOR_CHOICES, type ColorWhen, Terminal, type TerminalOptions } from "./terminal.js";

/** In the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: "verify",
    summary: "check dumps: is it sound, what is broken, where",
    load: async () => (await import("./commands/verify.js")).verifyCommand as CommandModule,
  },
  {
    name: "inspect",
    summary: "show what is in a dump: tables, pages, a page's tree of values and annotated bytes",
    load: async () => (await import("./commands/inspect.js")).inspectCommand as CommandModule,
  },
  {
    name: "list",
    summary: "the tables of a database: ids, formats, checkpoints, sizes",
    load: async () => (await import("./commands/list.js")).listCommand as CommandModule,
  },
  {
    name: "dump",
    summary: "the rows of a table at any checkpoint or timestamp, also of a damaged one",
    load: async () => (await import("./commands/dump.js")).dumpCommand as CommandModule,
  },
  {
    name: "tree",
    summary: "the shape of a table's tree: levels, fill, delta chains",
    load: async () => (await import("./commands/tree.js")).treeCommand as CommandModule,
  },
  {
    name: "chain",
    summary: "a page's history in a page log: what each record changed",
    load: async () => (await import("./commands/chain.js")).chainCommand as CommandModule,
  },
  {
    name: "repair",
    summary: "change metadata or add tables without the engine: plan, apply, undo, verify",
    load: async () => (await import("./commands/repair.js")).repairCommand as CommandModule,
  },
  {
    name: "replace",
    summary: "a new page log in which images with deltas have become single images",
    load: async () => (await import("./commands/replace.js")).replaceCommand as CommandModule,
  },
  {
    name: "forge",
    summary: "make a store from a named scenario, or let it die at a crash point",
    load: async () => (await import("./commands/forge.js")).forgeCommand as CommandModule,
  },
  {
    name: "decode",
    summary: "hex lines of one format to JSON lines",
    load: async () => (await import("./commands/decode.js")).decodeCommand as CommandModule,
  },
  {
    name: "encode",
    summary: "JSON lines to hex lines of one format",
    load: async () => (await import("./commands/encode.js")).encodeCommand as CommandModule,
  },
  {
    name: "formats",
    summary: "list the formats, or print one's documentation",
    load: async () => (await import("./commands/formats.js")).formatsCommand as CommandModule,
  },
  {
    name: "fuzz",
    summary: "fuzz the codecs, readers and the verifier; replay and minimise what is found",
    load: async () => (await import("./commands/fuzz.js")).fuzzCommand as CommandModule,
  },
];

const EPILOGUE = `
Exit codes: 0 clean, 1 findings, 2 usage or I/O, 3 not recognised or unsupported, 5 a bug in pugmark.
Data goes to stdout, everything else to stderr. Inputs are only read, except by repair --in-place and undo.`;

type Streams = Omit<TerminalOptions, "color" | "quiet">;

/** Runs the command line `args` (without node and script); never throws. */
export async function runProgram(
  args: readonly string[],
  version: string,
  streams: Streams,
): Promise<ExitCode> {
  const plainTerminal = new Terminal(streams);
  try {
    return await interpret(args, version, streams);
  } catch (error) {
    return reportError(error, plainTerminal, streams.env);
  }
}

async function interpret(args: readonly string[], version: string, streams: Streams): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.clean;
  const program = newProgram(version, streams);
  const named = namedCommand(args);
  for (const entry of commands) {
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary);
    if (entry.name !== named) continue;
    const module = await entry.load();
    module.declare(command);
    command.action(async (...given: unknown[]) => {
      const { color, quiet, ...flags } = command.optsWithGlobals<{ color?: ColorWhen; quiet?: boolean }>();
      const options = module.validate(given.slice(0, -2), flags);
      exitCode = await module.run(
        options,
        new Terminal({ ...streams, ...(color && { color }), ...(quiet && { quiet }) }),
      );
    });
  }
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.clean : EXIT.usage;
  }
  return exitCode;
}

/** The command whose options must be known: the first word that names one, also behind `help`. */
const namedCommand = (args: readonly string[]): string | undefined =>
  args.find((arg) => commands.some(({ name }) => name === arg));

function newProgram(version: string, { stdout, stderr }: Streams): Command {
  return new Command("pugmark")
    .description("Reads, checks, writes and mends what WiredTiger leaves on disk.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help of a command")
    .addOption(new Option("--color <when>", "colours").choices(COLOR_CHOICES as string[]).default("auto"))
    .option("-q, --quiet", "nothing on stderr but errors")
    .showHelpAfterError("(pugmark --help lists commands and options)")
    .addHelpText("after", EPILOGUE)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, "pugmark:")),
    })
    .exitOverride();
}

function reportError(error: unknown, terminal: Terminal, env: Streams["env"]): ExitCode {
  const explained = explainError(error);
  if (explained === undefined) return reportBug(error, terminal, env);
  terminal.fail(explained.line);
  return explained.exitCode;
}

/** An error nobody expected: what it is, and how to tell us. */
export function reportBug(error: unknown, terminal: Terminal, env: Streams["env"]): ExitCode {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  terminal.fail(`unexpected error: ${text}`);
  if (env.PUGMARK_DEBUG && error instanceof Error)
    for (const line of (error.stack ?? "no stack").split("\n")) terminal.fail(line);
  terminal.fail(
    "this is a bug in pugmark: please report it with the command line, the version and, if you may, the input" +
      (env.PUGMARK_DEBUG ? "" : " (PUGMARK_DEBUG=1 adds the stack)"),
  );
  return EXIT.bug;
}
