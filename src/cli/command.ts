/** The shape of a command: what it accepts, how that is checked, what it does. */
import type { Command } from "commander";
import type { ExitCode } from "./exit.js";
import type { Terminal } from "./terminal.js";

export interface CommandModule<Options = unknown> {
  /** Declares arguments and options. */
  declare(command: Command): void;
  /**
   * Arguments and options as the command line has them, made into checked ones.
   * @throws CommandError for wrong usage.
   */
  validate(args: readonly unknown[], flags: Readonly<Record<string, unknown>>): Options;
  run(options: Options, terminal: Terminal): Promise<ExitCode>;
}

/** A command of the program: its module is loaded when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}
