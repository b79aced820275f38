/** `pugmark encode FORMAT [JSON|-]` */
import type { Command } from "commander";
import { duplicateKey } from "../../codec/duplicate-key.js";
import { FormatError } from "../../codec/error.js";
import { strict, type WriteOptions } from "../../codec/format.js";
import { bytesToHex } from "../../codec/json.js";
import { decodeText } from "../../codec/text.js";
import type { CommandModule } from "../command.js";
import { type Answer, type AnyFormat, convertAll, failure, findFormat, readOptions } from "../convert.js";
import type { ExitCode } from "../exit.js";
import type { Terminal } from "../terminal.js";
import { collect } from "../values.js";

interface EncodeOptions {
  readonly format: AnyFormat;
  readonly input: string;
  readonly lenient: boolean;
  readonly write: WriteOptions;
}

export const encodeCommand: CommandModule<EncodeOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<format>", "name of a format; `pugmark formats` lists them")
    .argument("[json]", "the value; - or nothing reads a line a value from stdin", "-")
    .option("--lenient", "write values that break the format's rules, too")
    .option("--generation <name>", "write this generation")
    .option("--param <name=number>", "a value the format needs from outside", collect);
}

function validate(args: readonly unknown[], flags: Readonly<Record<string, unknown>>): EncodeOptions {
  const [name, input] = args as [string, string];
  const format = findFormat(name);
  return { format, input, lenient: flags.lenient === true, write: readOptions(format, flags) };
}

async function run(options: EncodeOptions, terminal: Terminal): Promise<ExitCode> {
  const { installNodeCrc32c } = await import("../../platform/node-crc32c.js");
  installNodeCrc32c();
  return convertAll(options.input, (line) => encodeLine(line, options), terminal);
}

/** The hex of one value; unless lenient, what was written must read back without an error. */
function encodeLine(line: Uint8Array, { format, lenient, write }: EncodeOptions): Answer {
  try {
    const json = parseJson(decodeText(line));
    const value = format.fromJson(json);
    const bytes = format.build(value, write);
    if (!lenient) strict(format.read(bytes, { ...write, ...writtenGeneration(format, value, write) }));
    return { text: bytesToHex(bytes), failed: false };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return failure(error);
  }
}

function writtenGeneration(format: AnyFormat, value: unknown, write: WriteOptions): WriteOptions {
  const named = write.generation ?? (value as { generation?: unknown } | null)?.generation;
  return typeof named === "string" && format.generations.includes(named) ? { generation: named } : {};
}

function parseJson(text: string): unknown {
  const value = parsePlainJson(text);
  const twice = duplicateKey(text);
  if (twice === undefined) return value;
  const { key, offset } = twice;
  throw new FormatError({
    code: "duplicate-key",
    message: `the key ${JSON.stringify(key)} comes twice`,
    offset,
  });
}

function parsePlainJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = (error as SyntaxError).message;
    const position = /position (\d+)/.exec(hint)?.[1];
    const offset = position === undefined ? {} : { offset: Number(position) };
    throw new FormatError({ code: "json", message: "the value is not JSON", hint, ...offset });
  }
}
