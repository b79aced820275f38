/** `pugmark formats [NAME]` */
import type { Command } from "commander";
import { formats } from "../../../formats/index.js";
import { toMarkdown } from "../../codec/describe.js";
import { jsonDocument } from "../../report/json.js";
import type { Palette } from "../../report/palette.js";
import type { CommandModule } from "../command.js";
import { type AnyFormat, findFormat } from "../convert.js";
import { EXIT, type ExitCode } from "../exit.js";
import type { Terminal } from "../terminal.js";

interface FormatsOptions {
  readonly format: AnyFormat | undefined;
  readonly json: boolean;
}

export const formatsCommand: CommandModule<FormatsOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument(
      "[name]",
      "print this format's documentation: fields, rules, generations and how they are told apart",
    )
    .option("--json", "one JSON document");
}

function validate([name]: readonly unknown[], flags: Readonly<Record<string, unknown>>): FormatsOptions {
  return { format: name === undefined ? undefined : findFormat(name as string), json: flags.json === true };
}

async function run({ format, json }: FormatsOptions, terminal: Terminal): Promise<ExitCode> {
  await terminal.write(format === undefined ? listText(json, terminal.palette) : formatText(format, json));
  return EXIT.clean;
}

function formatText(format: AnyFormat, json: boolean): string {
  const description = format.describe();
  return json ? jsonDocument({ schemaVersion: 1, ...description }) : toMarkdown(description);
}

function listText(json: boolean, palette: Palette): string {
  if (json) {
    const list = formats.map(({ name, title, source, generations }) => ({
      name,
      title,
      source,
      generations,
    }));
    return jsonDocument({ schemaVersion: 1, formats: list });
  }
  const width = Math.max(...formats.map(({ name }) => name.length));
  const lines = formats.map(({ name, title, generations }) => {
    const names = generations.length === 0 ? "" : palette("faint", ` (${generations.join(", ")})`);
    return `${palette("strong", name.padEnd(width))}  ${title}${names}\n`;
  });
  return lines.join("");
}
