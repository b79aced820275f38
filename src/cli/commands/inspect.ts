/** `pugmark inspect PATH` */
import { type Command, Option } from "commander";
import { formats } from "../../../formats/index.js";
import type { InputKind } from "../../store/types.js";
import { unknownGeneration } from "../../verify/generation.js";
import type { CommandModule } from "../command.js";
import { findFormat, readOptions } from "../convert.js";
import { CommandError, EXIT, type ExitCode } from "../exit.js";
import type { InspectRequest } from "../inspect/request.js";
import { KINDS } from "../kinds.js";
import type { Terminal } from "../terminal.js";
import { collect, namedNumbers, safeNumber, wholeNumber } from "../values.js";
import { packageVersion } from "../version.js";

interface InspectOptions {
  readonly request: InspectRequest;
  readonly form: "text" | "json" | "html";
  readonly show: "both" | "tree" | "bytes";
  readonly rows: number | undefined;
  readonly reveal: { readonly keys: boolean; readonly values: boolean };
}

export const inspectCommand: CommandModule<InspectOptions> = { declare, validate, run };

const DEFAULT_LIMIT = 100;

function declare(command: Command): void {
  command
    .argument("<path>", "a dump, a file of it, or - for hex on stdin")
    .option("--table <id|name>", "page log: a table's pages; classic directory: a table's file")
    .option("--page <number>", "page log: the newest record of a page, and a list of all")
    .option("--lsn <number>", "page log: the record of this LSN")
    .option("--offset <bytes>", "file: the block at this offset")
    .option("--length <bytes>", "so many bytes, whatever the header says")
    .option("--format <name>", "take the bytes for this format")
    .option("--generation <name>", "do not detect the generation")
    .option("--param <name=number>", "a value the format needs from outside", collect)
    .addOption(new Option("--kind <kind>", "do not detect the kind of input").choices(KINDS))
    .option("--compressor <name>", "do not detect the compressor")
    .option("--rotn-keyid <number>", "key id of the rotn test encryptor")
    .addOption(new Option("--show <what>", "tree, bytes").choices(["both", "tree", "bytes"]).default("both"))
    .option("--limit <count>", "elements of a list, rows of a table; 0 shows all", String(DEFAULT_LIMIT))
    .option("--rows <count>", "hexdump rows of one field; 0 shows all (default: 4)")
    .addOption(new Option("--json", "one JSON document").conflicts("html"))
    .option("--html", "one self-contained page, user data masked")
    .option("--redact", "mask user data in text and JSON, too")
    .option("-k", "show keys where user data is masked")
    .option("-u", "show all user data");
}

function validate([path]: readonly unknown[], flags: Readonly<Record<string, unknown>>): InspectOptions {
  const format = flags.format === undefined ? undefined : findFormat(flags.format as string);
  const optional = <T>(
    name: string,
    key: string,
    convert: (name: string, text: unknown) => T,
  ): T | undefined => (flags[key] === undefined ? undefined : convert(name, flags[key]));
  const form = flags.json === true ? "json" : flags.html === true ? "html" : "text";
  const masked = form === "html" || flags.redact === true;
  return {
    form,
    show: flags.show as InspectOptions["show"],
    rows: optional("--rows", "rows", safeNumber),
    reveal: { keys: !masked || flags.k === true || flags.u === true, values: !masked || flags.u === true },
    request: {
      path: path as string,
      format,
      kind: flags.kind as InputKind | undefined,
      table: flags.table as string | undefined,
      page: optional("--page", "page", wholeNumber),
      lsn: optional("--lsn", "lsn", wholeNumber),
      offset: optional("--offset", "offset", safeNumber),
      length: optional("--length", "length", positiveNumber),
      read: format === undefined ? freeReadOptions(flags) : readOptions(format, flags),
      compressor: flags.compressor as string | undefined,
      rotnKeyId: optional("--rotn-keyid", "rotnKeyid", safeNumber),
      limit: safeNumber("--limit", flags.limit),
    },
  };
}

function positiveNumber(option: string, text: unknown): number {
  const value = safeNumber(option, text);
  if (value === 0) throw new CommandError(`${option}: at least 1`);
  return value;
}

/** The format is found out later: until then any generation will do that some format has. */
function freeReadOptions({ generation, param }: Readonly<Record<string, unknown>>): InspectRequest["read"] {
  if (generation !== undefined && !formats.some(({ generations: all }) => all.includes(String(generation))))
    throw new CommandError(`--generation: ${unknownGeneration(String(generation))}`);
  return {
    ...(generation !== undefined && { generation: generation as string }),
    params: namedNumbers("--param", param as string[] | undefined),
  };
}

async function run(
  { request, form, show, rows, reveal }: InspectOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const [{ inspect }, { userDataHider }, report, { installNodeAccelerators }] = await Promise.all([
    import("../inspect/inspect.js"),
    import("../inspect/user-data.js"),
    import("../../report/inspection.js"),
    import("../../platform/node.js"),
  ]);
  installNodeAccelerators();
  const inspection = inspect(request, (line) => terminal.note(line));
  const hide = userDataHider(inspection.parts, reveal);
  const { palette } = terminal;
  const options = {
    palette,
    show,
    limit: request.limit,
    ...(hide && { hide }),
    ...(rows !== undefined && { rows }),
  };
  if (form === "json") await terminal.write(report.inspectionJson(inspection, options));
  else if (form === "html")
    await terminal.write(report.inspectionHtml(inspection, packageVersion(), options));
  else await terminal.write(report.inspectionText(inspection, options));
  return EXIT.clean;
}
