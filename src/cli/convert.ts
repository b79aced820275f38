/** What `decode` and `encode` share: a format by name, options, and one answer a line. */
import { formatByName, formats } from "../../formats/index.js";
import type { Format, ReadOptions } from "../codec/format.js";
import { FormatError } from "../codec/index.js";
import { jsonLine } from "../report/json.js";
import { CommandError, EXIT, type ExitCode } from "./exit.js";
import { type InputLine, lineBatches, MAX_LINE } from "./lines.js";
import { nearMatches } from "./near.js";
import type { Terminal } from "./terminal.js";
import { namedNumbers } from "./values.js";

export type AnyFormat = Format<unknown>;

/** @throws CommandError with near matches. */
export function findFormat(name: string): AnyFormat {
  const found = formatByName(name);
  if (found !== undefined) return found as AnyFormat;
  const near = nearMatches(
    name,
    formats.map((format) => format.name),
  );
  const meant = near.length === 0 ? "" : `did you mean ${near.join(" or ")}? `;
  throw new CommandError(
    `no format is called ${JSON.stringify(name)}; ${meant}\`pugmark formats\` lists them`,
  );
}

/** `--generation` and `--param` for one format. */
export function readOptions(format: AnyFormat, flags: Readonly<Record<string, unknown>>): ReadOptions {
  const generation = flags.generation as string | undefined;
  if (generation !== undefined) checkGeneration(format, generation);
  const params = namedNumbers("--param", flags.param as string[] | undefined);
  for (const name of Object.keys(params)) checkParam(format, name);
  return { ...(generation !== undefined && { generation }), params };
}

/** @throws CommandError naming the generations there are. */
export function checkGeneration({ name, generations }: AnyFormat, generation: string): void {
  if (generations.includes(generation)) return;
  const known = generations.length === 0 ? "it has one layout only" : `it has ${generations.join(", ")}`;
  throw new CommandError(`--generation: ${name} has no generation ${JSON.stringify(generation)}; ${known}`);
}

/** @throws CommandError naming the params there are. */
function checkParam({ name, params = {} }: AnyFormat, param: string): void {
  if (Object.hasOwn(params, param)) return;
  const names = Object.keys(params);
  const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  throw new CommandError(`--param: ${name} has no param ${JSON.stringify(param)}; ${known}`);
}

/** What a line gave; a failed one makes the command end with exit code 1. */
export interface Answer {
  readonly text: string;
  readonly failed: boolean;
}

export const failure = (error: FormatError, more: object = {}): Answer => ({
  text: jsonLine({ error: error.toJSON(), ...more }),
  failed: true,
});

/** Answers the argument, or every line of stdin. */
export async function convertAll(
  argument: string,
  convert: (line: Uint8Array) => Answer,
  terminal: Terminal,
): Promise<ExitCode> {
  if (argument !== "-") {
    const { text, failed } = convert(new TextEncoder().encode(argument));
    await terminal.write(`${text}\n`);
    return failed ? EXIT.findings : EXIT.clean;
  }
  if (terminal.stdin.isTTY === true) terminal.note("reading lines from the terminal; Ctrl-D ends");
  let anyFailed = false;
  for await (const batch of lineBatches(terminal.stdin)) {
    const output = new OutputBatch(terminal);
    for (const line of batch) {
      const answer = answerLine(line, convert);
      anyFailed ||= answer.failed;
      await output.add(answer.text);
    }
    await output.flush();
  }
  return anyFailed ? EXIT.findings : EXIT.clean;
}

/** Answers gathered into larger writes. */
class OutputBatch {
  private text = "";

  constructor(private readonly terminal: Terminal) {}

  async add(line: string): Promise<void> {
    this.text += `${line}\n`;
    if (this.text.length >= 64 * 1024) await this.flush();
  }

  async flush(): Promise<void> {
    const { text } = this;
    this.text = "";
    await this.terminal.write(text);
  }
}

function answerLine(line: InputLine, convert: (line: Uint8Array) => Answer): Answer {
  if (line !== "too-long") return convert(line);
  const message = `the line is longer than ${MAX_LINE / (1024 * 1024)} MiB`;
  return failure(
    new FormatError({ code: "line-too-long", message, offset: MAX_LINE, expected: `at most ${MAX_LINE}` }),
  );
}
