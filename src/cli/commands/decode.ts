/** `pugmark decode FORMAT [HEX|-]` */
import type { Command } from "commander";
import { cryptPage, keyPageStart } from "../../../formats/crypt-page.js";
import { FormatError } from "../../codec/error.js";
import type { ReadOptions } from "../../codec/format.js";
import { hasErrors, issueOf } from "../../codec/issue.js";
import { hexToBytes } from "../../codec/json.js";
import { jsonLine } from "../../report/json.js";
import type { CommandModule } from "../command.js";
import { type Answer, type AnyFormat, convertAll, failure, findFormat, readOptions } from "../convert.js";
import type { ExitCode } from "../exit.js";
import { secretsStart } from "../inspect/secrets.js";
import type { Terminal } from "../terminal.js";
import { collect } from "../values.js";

interface DecodeOptions {
  readonly format: AnyFormat;
  readonly input: string;
  readonly text: boolean;
  readonly lenient: boolean;
  readonly read: ReadOptions;
}

export const decodeCommand: CommandModule<DecodeOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<format>", "name of a format; `pugmark formats` lists them")
    .argument("[hex]", "the bytes; - or nothing reads a line an input from stdin", "-")
    .option("--text", "input lines are the text itself, not hex (config, turtle-file, …)")
    .option("--lenient", 'give damaged values too: {"value", "issues"} a line')
    .option("--generation <name>", "do not detect the generation")
    .option("--param <name=number>", "a value the format needs from outside", collect);
}

function validate(args: readonly unknown[], flags: Readonly<Record<string, unknown>>): DecodeOptions {
  const [name, input] = args as [string, string];
  const format = findFormat(name);
  const { text = false, lenient = false } = flags as { text?: boolean; lenient?: boolean };
  return { format, input, text, lenient, read: readOptions(format, flags) };
}

async function run(options: DecodeOptions, terminal: Terminal): Promise<ExitCode> {
  const { installNodeCrc32c } = await import("../../platform/node-crc32c.js");
  installNodeCrc32c();
  return convertAll(options.input, (line) => decodeLine(line, options), terminal);
}

const latin1 = new TextDecoder("latin1");

/** The answer to one line: a value, or the first error of severity `error`. */
function decodeLine(line: Uint8Array, { format, text, lenient, read }: DecodeOptions): Answer {
  try {
    const bytes = text ? line : hexToBytes(latin1.decode(line));
    if (format.name !== cryptPage.name && keyPageStart(bytes) !== undefined) return failure(keyPageError());
    return lenient
      ? lenientAnswer(format, bytes, read)
      : { text: jsonLine(format.toJson(format.parse(bytes, read), read)), failed: false };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return failure(error, lenient ? { issues: [issueOf(error)] } : {});
  }
}

/** Any other format would show the key blob. */
const keyPageError = (): FormatError =>
  new FormatError({
    code: "key-page",
    message: "these bytes hold a key provider's page, and are only decoded as crypt-page",
    offset: 0,
  });

function lenientAnswer(format: AnyFormat, bytes: Uint8Array, read: ReadOptions): Answer {
  const reading = format.read(bytes, read);
  if (!reading.ok) return failure(reading.error, { issues: reading.issues });
  const { value, issues } = reading;
  const failed = hasErrors(issues);
  // Damage could have put key material into fields that are shown.
  const shown = failed && secretsStart(format) !== undefined ? undefined : format.toJson(value, read);
  return { text: jsonLine({ value: shown, issues }), failed };
}
