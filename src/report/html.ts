/** `verify --html`: one page to hand on. It reads without a script; severities are filtered by style alone. */
import type { Severity } from "../codec/schema.js";
import type { Finding } from "../verify/finding.js";
import type { InputReport, VerifyReport } from "../verify/types.js";
import { escapeHtml, htmlPage } from "./html-page.js";
import { byteCount, grouped } from "./numbers.js";
import { type GroupInput, groupFindings, messageText, placeText } from "./place.js";
import { summaryText, verdictOf } from "./text.js";

export interface HtmlOptions {
  /** Version of pugmark. */
  readonly version: string;
}

/** The document as text. */
export function verifyHtml(report: VerifyReport, { version }: HtmlOptions): string {
  const { word, role } = verdictOf(report);
  const body = [
    "<h1>pugmark verify</h1>",
    `<p class="verdict"><strong class="${role}">${word}</strong>: ${escapeHtml(summaryText(report))}</p>`,
    findingsSection(report),
    inputsTable(report.inputs),
    summaryTable(report),
    `<p class="faint">pugmark ${escapeHtml(version)}, document schema ${report.schemaVersion}</p>`,
  ];
  return htmlPage(`pugmark: ${word}`, body.join("\n"), FILTER_SCRIPT);
}

const row = (cells: readonly string[], tag = "td"): string =>
  `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;

function inputsTable(inputs: readonly InputReport[]): string {
  const head = row(["Input", "Kind", "Generations", "Compressors", "Encryptors", "Allocation sizes"], "th");
  const rows = inputs.map(({ path, kind, generations, compressors, encryptors, allocationSizes, reason }) =>
    row([
      `<code>${escapeHtml(path)}</code>`,
      ...[
        kind ?? `not opened: ${reason}`,
        ...[generations, compressors, encryptors, allocationSizes].map((list) => list.join(", ")),
      ].map(escapeHtml),
    ]),
  );
  return `<h2>Inputs</h2>\n<table>\n<thead>${head}</thead>\n<tbody>\n${rows.join("\n")}\n</tbody>\n</table>`;
}

function summaryTable({ summary }: VerifyReport): string {
  const cells: ReadonlyArray<readonly [string, string]> = [
    ["Pages", grouped(summary.pages)],
    ["Bytes", `${grouped(summary.bytes)} (${byteCount(summary.bytes)})`],
    ["Checkpoints", grouped(summary.checkpoints)],
    ["Errors", grouped(summary.errors)],
    ["Warnings", grouped(summary.warnings)],
    ["Notes", grouped(summary.infos)],
    ["Complete", summary.complete ? "yes" : "no: something could not be checked, the findings say what"],
  ];
  return `<h2>Summary</h2>\n<table>\n<tbody>\n${cells.map((pair) => row(pair)).join("\n")}\n</tbody>\n</table>`;
}

function findingsSection({ inputs, findings }: VerifyReport): string {
  if (findings.length === 0) return "<h2>Findings</h2>\n<p>None.</p>";
  const groups = groupFindings(inputs, findings).map(({ input, table, findings: list }) => {
    const title = [input?.path ?? "Other", table].filter((part) => part !== undefined).join(" · ");
    const head = row(["Severity", "Code", "Place", "Finding"], "th");
    const rows = list.map((finding) => findingRow(finding, input));
    return `<section>\n<h2>${escapeHtml(title)}</h2>\n<table class="findings">\n<thead>${head}</thead>\n<tbody>\n${rows.join("\n")}\n</tbody>\n</table>\n</section>`;
  });
  return `<h2>Findings</h2>\n${filterBar(findings)}\n${groups.join("\n")}`;
}

function filterBar(findings: readonly Finding[]): string {
  const boxes = (["error", "warning", "info"] as const satisfies readonly Severity[]).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return `<label class="${severity}"><input type="checkbox" id="show-${severity}" checked> ${severity} (${grouped(count)})</label>`;
  });
  const words = '<label id="words" hidden>containing <input type="search"></label>';
  return `<div class="filter">${boxes.join("")}${words}</div>`;
}

function findingRow(finding: Finding, input: GroupInput): string {
  const { severity, code, consequence, hint } = finding;
  const detail = [
    escapeHtml(messageText(finding)),
    consequence === undefined ? "" : `<br><span class="faint">means: ${escapeHtml(consequence)}</span>`,
    hint === undefined ? "" : `<br><span class="faint">hint: ${escapeHtml(hint)}</span>`,
  ];
  return `<tr class="row-${severity}"><td class="severity ${severity}">${severity}</td><td class="code"><code>${escapeHtml(code)}</code></td><td>${escapeHtml(placeText(finding, input))}</td><td>${detail.join("")}</td></tr>`;
}

/** Shows the search box and hides rows without its words. */
const FILTER_SCRIPT = `
const label = document.getElementById("words");
if (label) {
  label.hidden = false;
  label.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\\s+/).filter(Boolean);
    for (const row of document.querySelectorAll("table.findings tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}
`;
