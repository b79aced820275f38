/** What a campaign found, as text, JSON and one HTML page. */
import { escapeHtml, htmlPage } from "../../src/report/html-page.js";
import { jsonDocument } from "../../src/report/json.js";
import type { Palette } from "../../src/report/palette.js";
import { tableText } from "../../src/report/table.js";
import type { CampaignFinding, CampaignStatus, Moment, TargetStatus } from "./campaign.js";
import { type FormatCoverage, generationText, kindText } from "./field-coverage.js";

export interface CampaignReport extends CampaignStatus {
  readonly seed: number;
  readonly jobs: number;
  readonly coverage: readonly FormatCoverage[];
}

const rate = ({ executions, seconds }: TargetStatus): number =>
  seconds === 0 ? 0 : Math.round(executions / seconds);
const share = ({ reached, declared }: FormatCoverage): number => (declared === 0 ? 1 : reached / declared);
const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
const total = (targets: readonly TargetStatus[], of: (status: TargetStatus) => number): number =>
  targets.reduce((sum, status) => sum + of(status), 0);

/** The command that shows a finding again. */
export const reproduce = ({ target, file }: CampaignFinding): string =>
  `npx pugmark fuzz replay ${quoted(file)} --target ${target}`;
const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

const COVERAGE_COLUMNS = [
  "format",
  "generations",
  "fields",
  "names",
  "flags",
  "share",
  "codes",
  "rulesNotMet",
];

export function campaignText(report: CampaignReport, palette: Palette): string {
  const rows = report.targets.map((status) => ({
    target: status.target.name,
    executions: status.executions,
    perSecond: rate(status),
    seconds: Math.round(status.seconds),
    processor: Math.round(status.processorSeconds),
    newInputs: status.discoveries,
  }));
  const coverage = report.coverage.map((format) => ({
    format: format.format,
    generations: generationText(format),
    fields: kindText(format, "fields"),
    names: kindText(format, "names"),
    flags: kindText(format, "flags"),
    share: format.binary ? percent(share(format)) : "",
    codes: format.codes.length,
    rulesNotMet: format.missingRules.length,
  }));
  return [
    tableText(["target", "executions", "perSecond", "seconds", "processor", "newInputs"], rows, palette),
    coverage.length === 0 ? "" : `\n${tableText(COVERAGE_COLUMNS, coverage, palette)}`,
    `\n${summaryLine(report)}\n`,
    ...report.findings.map((finding) => `\n${findingText(finding, palette)}`),
  ].join("");
}

export const summaryLine = ({ targets, findings, elapsed, seed }: CampaignReport): string =>
  `${total(targets, ({ executions }) => executions)} executions over ${targets.length} targets in ${Math.round(elapsed)} s ` +
  `(${Math.round(total(targets, (status) => status.processorSeconds))} s of processor time), ` +
  `seed ${seed}: ${findings.length} finding${findings.length === 1 ? "" : "s"}`;

const findingText = (finding: CampaignFinding, palette: Palette): string =>
  `${palette("error", finding.target)}: ${finding.signature}\n  ${reproduce(finding)}\n`;

export function campaignJson(report: CampaignReport): string {
  return jsonDocument({
    schemaVersion: 1,
    seed: report.seed,
    jobs: report.jobs,
    seconds: report.elapsed,
    history: report.history,
    targets: report.targets.map(({ target: { name, oracle }, ...counts }) => ({
      name,
      oracle,
      ...counts,
    })),
    coverage: report.coverage,
    findings: report.findings.map((finding) => ({ ...finding, reproduce: reproduce(finding) })),
  });
}

export function campaignHtml(report: CampaignReport): string {
  const { targets, coverage, findings } = report;
  const fastest = Math.max(1, ...targets.map(rate));
  const speeds = targets.map((status) =>
    bar(status.target.name, rate(status) / fastest, `${rate(status)}/s`),
  );
  const inputs = Math.max(1, ...targets.map(({ discoveries }) => discoveries));
  const news = targets.map(({ target, discoveries }) =>
    bar(target.name, discoveries / inputs, String(discoveries)),
  );
  const fields = coverage
    .filter(({ binary }) => binary)
    .map((format) => bar(format.format, share(format), `${format.reached} of ${format.declared}`));
  const missing = coverage.flatMap(({ format, missing }) => missing.map((item) => `${format}: ${item}`));
  return htmlPage(
    "pugmark fuzz",
    [
      "<h1>Fuzz campaign</h1>",
      `<p class="verdict ${findings.length === 0 ? "good" : "error"}">${escapeHtml(summaryLine(report))}</p>`,
      ...findings.map(findingHtml),
      report.history.length < 2 ? "" : `<h2>Over time</h2>${timePlots(report.history)}`,
      `<h2>Executions per second</h2>${plot(speeds)}`,
      `<h2>Inputs that reached something new</h2>${plot(news)}`,
      `<h2>Fields, names and flags reached</h2>${plot(fields)}`,
      coverage.length === 0 ? "" : `<h2>Generations, fields and error codes</h2>${coverageTable(coverage)}`,
      missing.length === 0 ? "" : `<h2>Not reached</h2><pre>${missing.map(escapeHtml).join("\n")}</pre>`,
    ].join("\n"),
  );
}

function coverageTable(coverage: readonly FormatCoverage[]): string {
  const heads = ["format", "generations", "fields", "names", "flags", "codes met", "rules not met"];
  const rows = coverage.map((format) => [
    format.format,
    [generationText(format), ...format.missingGenerations.map((name) => `not ${name}`)].join(" "),
    kindText(format, "fields"),
    kindText(format, "names"),
    kindText(format, "flags"),
    format.codes.join(" "),
    format.missingRules.join(" "),
  ]);
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join("")}</tr>`;
  return `<table>${line(heads, "th")}${rows.map((row) => line(row, "td")).join("")}</table>`;
}

const [TIME_WIDTH, TIME_HEIGHT] = [640, 90];

/** What had been run and found by when, each against its last value. */
function timePlots(history: readonly Moment[]): string {
  const last = history[history.length - 1] as Moment;
  const curves: ReadonlyArray<readonly [string, (moment: Moment) => number]> = [
    ["executions", ({ executions }) => executions],
    ["inputs that reached something new", ({ discoveries }) => discoveries],
    ["findings", ({ findings }) => findings],
  ];
  return curves
    .map(([label, of]) => {
      const points = [{ elapsed: 0, y: 0 }, ...history.map((moment) => ({ ...moment, y: of(moment) }))]
        .map(({ elapsed, y }) => {
          const [across, up] = [elapsed / Math.max(last.elapsed, 1e-3), y / Math.max(of(last), 1)];
          return `${(across * TIME_WIDTH).toFixed(1)},${(TIME_HEIGHT - up * TIME_HEIGHT).toFixed(1)}`;
        })
        .join(" ");
      const text = `${label}: ${of(last)} after ${Math.round(last.elapsed)} s`;
      return (
        `<p>${escapeHtml(text)}</p>` +
        `<svg viewBox="-2 -2 ${TIME_WIDTH + 4} ${TIME_HEIGHT + 4}" width="${TIME_WIDTH}" style="max-width: 100%" role="img" aria-label="${escapeHtml(text)}">` +
        `<path d="M0,0V${TIME_HEIGHT}H${TIME_WIDTH}" fill="none" stroke="currentColor" opacity=".4"/>` +
        `<polyline points="${points}" fill="none" stroke="currentColor" stroke-width="2"/></svg>`
      );
    })
    .join("");
}

const findingHtml = (finding: CampaignFinding): string =>
  `<h2 class="error">${escapeHtml(`${finding.target}: ${finding.signature}`)}</h2>` +
  `<pre>${escapeHtml(reproduce(finding))}\n\n${escapeHtml(finding.stack)}</pre>`;

interface Bar {
  readonly label: string;
  readonly share: number;
  readonly text: string;
}
const bar = (label: string, share: number, text: string): Bar => ({ label, share, text });

const ROW = 18;
const [LABEL, WIDTH] = [230, 520];

/** Horizontal bars; no script, nothing loaded. */
function plot(bars: readonly Bar[]): string {
  const rows = bars.map(({ label, share, text }, index) => {
    const y = index * ROW;
    const length = Math.max(1, Math.round(share * WIDTH));
    return (
      `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escapeHtml(label)}</text>` +
      `<rect x="${LABEL}" y="${y + 3}" width="${length}" height="${ROW - 6}" fill="currentColor" opacity=".45"/>` +
      `<text x="${LABEL + length + 6}" y="${y + 13}">${escapeHtml(text)}</text>`
    );
  });
  const height = bars.length * ROW;
  const style = "font: 12px system-ui, sans-serif; fill: currentColor; max-width: 100%";
  return `<svg viewBox="0 0 ${LABEL + WIDTH + 120} ${height}" width="${LABEL + WIDTH + 120}" style="${style}" role="img">${rows.join("")}</svg>`;
}
