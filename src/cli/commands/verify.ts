/** `pugmark verify PATH…` */
import { type Command, Option } from "commander";
import type { Severity } from "../../codec/schema.js";
import { byteCount } from "../../report/numbers.js";
import type { InputKind } from "../../store/types.js";
import { startThreadsFor } from "../../verify/classic/leaf-thread.js";
import type { Finding } from "../../verify/finding.js";
import type { VerifyOptions, VerifyReport } from "../../verify/types.js";
import type { CommandModule } from "../command.js";
import { CommandError, type ExitCode } from "../exit.js";
import { KINDS } from "../kinds.js";
import { checkOutputFile, writeOutputFile } from "../output-file.js";
import type { Terminal } from "../terminal.js";
import { byteSize, safeNumber } from "../values.js";
import { type ReportForm, renderReport, verdictExitCode } from "../verify-output.js";
import { packageVersion } from "../version.js";

const FORMS = ["json", "jsonl", "sarif", "html"] as const satisfies readonly ReportForm[];
const SEVERITIES = ["error", "warning", "info"] as const satisfies readonly Severity[];
const COMPRESSORS = ["none", "snappy", "zlib", "lz4", "zstd"];

interface VerifyCommandOptions {
  readonly paths: readonly string[];
  readonly form: ReportForm;
  readonly failOn: Severity;
  readonly output: string | undefined;
  readonly limit: number | undefined;
  readonly notes: boolean;
  readonly verify: VerifyOptions;
}

export const verifyCommand: CommandModule<VerifyCommandOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<path...>", "page-log directories or files, .wt files, classic directories, dumps")
    .addOption(new Option("--json", "one JSON document").conflicts(["jsonl", "sarif", "html"]))
    .addOption(
      new Option("--jsonl", "a JSON line a finding, as they come; the last line is the summary").conflicts([
        "sarif",
        "html",
      ]),
    )
    .addOption(new Option("--sarif", "a SARIF 2.1.0 document").conflicts("html"))
    .option("--html", "one self-contained page")
    .option("-o, --output <file>", "write the report to a new file")
    .addOption(
      new Option("--fail-on <severity>", "exit 1 from this severity on").choices(SEVERITIES).default("error"),
    )
    .option("--notes", "list notes (severity info) in the text; documents always have them")
    .option("--limit <count>", "findings listed per code (default: 20 a group in text, 1000 elsewhere)")
    .option(
      "--all-checkpoints",
      "page logs: follow the trees of every checkpoint, not only of the newest; of classic files all are, always",
    )
    .option("-k", "show keys where rows are lost")
    .addOption(new Option("--kind <kind>", "do not detect the kind of input").choices(KINDS))
    .option("--generation <name>", "do not detect the generation, e.g. D0")
    .addOption(new Option("--compressor <name>", "do not detect the compressor").choices(COMPRESSORS))
    .option("--allocation-size <bytes>", "do not detect the allocation size, e.g. 4096 or 4KB")
    .option("--rotn-keyid <number>", "key id of the rotn test encryptor");
}

function validate(args: readonly unknown[], flags: Readonly<Record<string, unknown>>): VerifyCommandOptions {
  const paths = args[0] as string[];
  const output = flags.output as string | undefined;
  if (output !== undefined) checkOutputFile(output, paths);
  const limit = flags.limit === undefined ? undefined : safeNumber("--limit", flags.limit);
  return {
    paths,
    output,
    limit,
    form: FORMS.find((form) => flags[form] === true) ?? "text",
    failOn: flags.failOn as Severity,
    notes: flags.notes === true || flags.failOn === "info",
    verify: {
      ...present("kind", flags.kind as InputKind | undefined),
      ...present("generation", flags.generation as string | undefined),
      ...present("compressor", flags.compressor as string | undefined),
      ...present("allocationSize", allocationSize(flags.allocationSize)),
      ...present(
        "rotnKeyId",
        flags.rotnKeyid === undefined ? undefined : safeNumber("--rotn-keyid", flags.rotnKeyid),
      ),
      ...(flags.allCheckpoints === true && { allCheckpoints: true }),
      ...(flags.k === true && { showKeys: true }),
      ...present("maxFindingsPerCode", limit === undefined ? undefined : Math.max(limit, 1)),
    },
  };
}

const present = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });

/** The engine's own bounds: a power of two from 512 bytes to 128 MB. */
function allocationSize(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const size = byteSize("--allocation-size", text);
  if (size >= 512 && size <= 128 * 1024 * 1024 && Number.isInteger(Math.log2(size))) return size;
  throw new CommandError(`--allocation-size: ${size} is not a power of two from 512 bytes to 128MB`);
}

async function run(options: VerifyCommandOptions, terminal: Terminal): Promise<ExitCode> {
  startThreadsFor(options.paths);
  await checkForced(options.verify.generation);
  const streaming = options.form === "jsonl" && options.output === undefined;
  const report = await verifyAll(options, terminal, streaming);
  const { detectedLine } = await import("../../report/detected.js");
  for (const input of report.inputs) if (input.kind !== null) terminal.note(detectedLine(input));
  for (const line of await refusals(report)) terminal.fail(line);
  if (streaming) await terminal.write(await lastLine(report));
  else await deliver(report, options, terminal);
  return verdictExitCode(report.summary, options.failOn);
}

/** @throws CommandError with the generations there are. */
async function checkForced(generation: string | undefined): Promise<void> {
  if (generation === undefined) return;
  const { forcedGenerations, unknownGeneration } = await import("../../verify/generation.js");
  if (forcedGenerations(generation) === undefined)
    throw new CommandError(`--generation: ${unknownGeneration(generation)}`);
}

/** Lines said of what could not be read, and one of what is too new: more of these are in the report. */
const MAX_REFUSALS = 20;

async function refusals({ findings }: VerifyReport): Promise<string[]> {
  const { placeText } = await import("../../report/place.js");
  const line = (finding: Finding): string => `${placeText(finding)}: ${finding.message}`;
  const inputs = findings.filter(({ code }) => code === "input-unreadable" || code === "input-unknown");
  const [tooNew, ...others] = findings.filter(({ code }) => code === "unsupported-version");
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return [
    ...inputs.slice(0, MAX_REFUSALS).map(line),
    ...(tooNew === undefined ? [] : [`${line(tooNew)}${more}`]),
  ];
}

async function verifyAll(
  options: VerifyCommandOptions,
  terminal: Terminal,
  streaming: boolean,
): Promise<VerifyReport> {
  const [{ verify }, { findingLine }] = await Promise.all([
    import("../../verify/index.js"),
    import("../../report/json.js"),
  ]);
  const report = await verify(options.paths, {
    ...options.verify,
    onProgress: (bytes) => terminal.progress(`checked ${byteCount(bytes)}`),
    ...(streaming && { onFinding: (finding) => terminal.writeNow(`${findingLine(finding)}\n`) }),
  });
  terminal.clearProgress();
  return report;
}

const lastLine = async (report: VerifyReport): Promise<string> =>
  `${(await import("../../report/json.js")).summaryLine(report)}\n`;

async function deliver(
  report: VerifyReport,
  { form, limit, notes, output }: VerifyCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const rules = form === "sarif" ? (await import("../../verify/rules/index.js")).rules : [];
  const options = { version: packageVersion(), rules, notes, ...(limit !== undefined && { limit }) };
  if (output === undefined) return terminal.write(await renderReport(report, form, options, terminal));
  writeOutputFile(output, await renderReport(report, form, options));
  terminal.note(`report written to ${output}`);
}
