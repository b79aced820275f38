/** What several campaigns found together, from their JSON reports: those of one machine in turn, or of many at once. */
import { readFileSync } from "node:fs";
import { visible } from "../../src/report/visible.js";
import { CampaignError } from "./bundle.js";
import type { FormatCoverage } from "./field-coverage.js";

interface TargetCounts {
  readonly name: string;
  executions: number;
  seconds: number;
  processorSeconds: number;
  discoveries: number;
}

/** What `pugmark fuzz --json` prints, as far as it is added up. */
interface SavedReport {
  readonly seed: number;
  readonly seconds: number;
  readonly targets: readonly TargetCounts[];
  readonly coverage: readonly SavedCoverage[];
  readonly findings: ReadonlyArray<{ readonly target: string; readonly signature: string }>;
}

type SavedCoverage = Pick<
  FormatCoverage,
  "format" | "binary" | "declared" | "reached" | "missing" | "codes" | "missingRules"
>;

export interface MergedReport extends Omit<SavedReport, "seed" | "findings"> {
  readonly seeds: readonly number[];
  /** One a target and signature, with the seeds that showed it. */
  readonly findings: ReadonlyArray<{
    readonly target: string;
    readonly signature: string;
    readonly seeds: readonly number[];
  }>;
}

/** @throws CampaignError for a file that is no report of a campaign. */
export function mergeReports(files: readonly string[]): MergedReport {
  const reports = files.map(readReport);
  return {
    seeds: reports.map(({ seed }) => seed),
    seconds: sum(reports, ({ seconds }) => seconds),
    targets: mergeTargets(reports.flatMap(({ targets }) => targets)),
    coverage: mergeCoverage(reports.flatMap(({ coverage }) => coverage)),
    findings: mergeFindings(reports),
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

function readReport(file: string): SavedReport {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as SavedReport;
    const { seed, seconds, targets, coverage, findings } = report;
    const isReport =
      [seed, seconds].every(Number.isFinite) &&
      [targets, coverage, findings].every(Array.isArray) &&
      targets.every(isCounts) &&
      coverage.every(isCoverage) &&
      findings.every(({ target, signature }) => [target, signature].every(isText));
    if (isReport) return report;
  } catch (error) {
    if (error instanceof Error && "code" in error) throw new CampaignError(error.message);
    // Anything else is a text, or a document, of another kind.
  }
  throw new CampaignError(`${file}: no report of a campaign (pugmark fuzz --json prints one)`);
}

const isText = (value: unknown): boolean => typeof value === "string";
const isCounts = ({ name, executions, seconds, processorSeconds, discoveries }: TargetCounts): boolean =>
  isText(name) && [executions, seconds, processorSeconds, discoveries].every(Number.isFinite);
const isCoverage = ({ format, declared, missing, codes, missingRules }: SavedCoverage): boolean =>
  isText(format) &&
  Number.isFinite(declared) &&
  [missing, codes, missingRules].every((list) => Array.isArray(list) && list.every(isText));

function mergeTargets(all: readonly TargetCounts[]): TargetCounts[] {
  const merged = new Map<string, TargetCounts>();
  for (const { name, executions, seconds, processorSeconds, discoveries } of all) {
    const counts = merged.get(name) ?? {
      name,
      executions: 0,
      seconds: 0,
      processorSeconds: 0,
      discoveries: 0,
    };
    counts.executions += executions;
    counts.seconds += seconds;
    counts.processorSeconds += processorSeconds;
    counts.discoveries += discoveries;
    merged.set(name, counts);
  }
  return [...merged.values()];
}

/** What no campaign reached is what is missing in each. */
function mergeCoverage(all: readonly SavedCoverage[]): SavedCoverage[] {
  const merged = new Map<string, SavedCoverage>();
  for (const one of all) {
    const other = merged.get(one.format) ?? one;
    const missing = one.missing.filter((item) => other.missing.includes(item));
    merged.set(one.format, {
      ...one,
      missing,
      reached: one.declared - missing.length,
      codes: [...new Set([...one.codes, ...other.codes])].sort(),
      missingRules: one.missingRules.filter((code) => other.missingRules.includes(code)),
    });
  }
  return [...merged.values()];
}

function mergeFindings(reports: readonly SavedReport[]): MergedReport["findings"] {
  const merged = new Map<string, { target: string; signature: string; seeds: number[] }>();
  for (const { seed, findings } of reports)
    for (const { target, signature } of findings) {
      const key = `${target} ${signature}`;
      const finding = merged.get(key) ?? { target, signature, seeds: [] };
      finding.seeds.push(seed);
      merged.set(key, finding);
    }
  return [...merged.values()];
}

/** The report as Markdown, to be kept beside the sources. */
export function mergedMarkdown({ seeds, seconds, targets, coverage, findings }: MergedReport): string {
  const executions = sum(targets, (target) => target.executions);
  const processor = sum(targets, (target) => target.processorSeconds);
  const binary = coverage.filter((format) => format.binary);
  const [reached, declared] = [sum(binary, (one) => one.reached), sum(binary, (one) => one.declared)];
  const missing = binary.flatMap((format) => format.missing.map((item) => `${format.format}: ${item}`));
  return [
    `${thousands(executions)} executions of ${targets.length} targets in ${thousands(processor)} s of processor time ` +
      `(${thousands(seconds)} s of wall time), seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}.`,
    "",
    ...table(
      ["target", "executions", "processor time, s", "a second", "new inputs"],
      targets.map((target) => [
        `\`${target.name}\``,
        thousands(target.executions),
        thousands(target.processorSeconds),
        target.processorSeconds === 0 ? "" : thousands(target.executions / target.processorSeconds),
        thousands(target.discoveries),
      ]),
    ),
    "",
    ...table(
      ["format", "fields, names and flags reached", "codes met"],
      coverage.map((format) => [
        `\`${format.format}\``,
        format.binary ? `${format.reached} of ${format.declared}` : "text",
        format.codes.map((code) => `\`${code}\``).join(" "),
      ]),
    ),
    "",
    `Of what the binary formats declare, ${thousands(reached)} of ${thousands(declared)} were reached` +
      `${missing.length === 0 ? "." : "; these were not:"}`,
    ...(missing.length === 0 ? [] : ["", ...missing.map((item) => `- ${escaped(item)}`)]),
    "",
    findings.length === 0 ? "No findings." : "Findings:",
    ...(findings.length === 0 ? [] : [""]),
    ...findings.map(
      (finding) =>
        `- \`${finding.target}\`: ${escaped(finding.signature)} (seed${finding.seeds.length === 1 ? "" : "s"} ${finding.seeds.join(", ")})`,
    ),
    "",
  ].join("\n");
}

const thousands = (value: number): string => Math.round(value).toLocaleString("en");
const escaped = (text: string): string => visible(text).replaceAll("|", "\\|");

/** Columns of numbers are set to the right. */
function table(heads: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  const isNumeric = (at: number): boolean => rows.every((cells) => /^[\d,]*$/.test(cells[at] as string));
  return [
    `| ${heads.join(" | ")} |`,
    `|${heads.map((_, at) => (isNumeric(at) ? "---:" : "---")).join("|")}|`,
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ];
}
