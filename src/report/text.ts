/** `verify` for people: one line a finding, grouped by input and table, then the verdict. */
import type { Severity } from "../codec/schema.js";
import type { Finding } from "../verify/finding.js";
import type { VerifyReport } from "../verify/types.js";
import { byteCount, counted } from "./numbers.js";
import { type Palette, plainPalette, type Role } from "./palette.js";
import { type FindingGroup, groupFindings, messageText, placeText } from "./place.js";
import { visible } from "./visible.js";

export interface TextOptions {
  readonly palette?: Palette;
  /** Findings of one code shown in a group (default 20); the rest is one line saying how many. */
  readonly limit?: number;
  /** Lists findings of severity info, too; they are always counted. */
  readonly notes?: boolean;
}

/** The whole report; ends with a newline. */
export function verifyText(report: VerifyReport, options: TextOptions = {}): string {
  const { palette = plainPalette, limit = 20, notes = true } = options;
  const listed = notes ? report.findings : report.findings.filter(({ severity }) => severity !== "info");
  const groups = groupFindings(report.inputs, listed);
  const lines: string[] = [];
  let heading: string | undefined;
  for (const group of groups) {
    const title = group.input?.path ?? "other";
    if (title !== heading) lines.push(palette("strong", visible(title)));
    heading = title;
    lines.push(...groupLines(group, palette, limit));
  }
  lines.push(...hintLines(listed, palette), verdictLine(report, palette));
  const left = report.findings.length - listed.length;
  if (left > 0) lines[lines.length - 1] += palette("faint", ` (--notes lists the ${counted(left, "note")})`);
  return `${lines.join("\n")}\n`;
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

function groupLines(group: FindingGroup, palette: Palette, limit: number): string[] {
  const indent = group.table === undefined ? "  " : "    ";
  const findings = [...group.findings].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  const shown = firstOfEachCode(findings, limit);
  const width = Math.min(Math.max(...shown.map(({ code }) => code.length)), 28);
  const lines = group.table === undefined ? [] : [`  ${palette("strong", visible(group.table))}`];
  for (const finding of shown) lines.push(indent + findingText(finding, group, width, palette));
  for (const [code, count] of hiddenByCode(findings, limit))
    lines.push(`${indent}${palette("faint", `… ${counted(count, "more finding")} ${code}`)}`);
  return lines;
}

function firstOfEachCode(findings: readonly Finding[], limit: number): Finding[] {
  const seen = new Map<string, number>();
  return findings.filter(({ code }) => {
    const count = (seen.get(code) ?? 0) + 1;
    seen.set(code, count);
    return count <= limit;
  });
}

function hiddenByCode(findings: readonly Finding[], limit: number): Array<readonly [string, number]> {
  const counts = new Map<string, number>();
  for (const { code } of findings) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > limit).map(([code, count]) => [code, count - limit]);
}

function findingText(finding: Finding, group: FindingGroup, width: number, palette: Palette): string {
  const { severity, code, consequence } = finding;
  const place = placeText(finding, group.input);
  const parts = [
    palette(severity, severity.padEnd(7)),
    code.padEnd(width),
    place === "" ? "" : palette("name", `${visible(place)}:`),
    visible(messageText(finding)),
    consequence === undefined ? "" : palette("faint", `— ${visible(consequence)}`),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** Each hint once, with the code it belongs to. */
function hintLines(findings: readonly Finding[], palette: Palette): string[] {
  const hints = new Map<string, string>();
  for (const { code, hint } of findings) if (hint !== undefined) hints.set(`${code}: ${hint}`, code);
  return [...hints.keys()].map((hint) => `${palette("info", "hint")} ${visible(hint)}`);
}

type Verdict = Readonly<{ word: string; role: Role }>;

/** The one word a report comes down to. */
export function verdictOf({ summary }: VerifyReport): Verdict {
  if (summary.errors > 0) return { word: "DAMAGED", role: "error" };
  if (!summary.complete) return { word: "INCOMPLETE", role: "warning" };
  if (summary.warnings > 0) return { word: "SOUND, with warnings", role: "warning" };
  return { word: "SOUND", role: "good" };
}

function verdictLine(report: VerifyReport, palette: Palette): string {
  const { word, role } = verdictOf(report);
  return `${palette("strong", palette(role, word))}: ${summaryText(report)}`;
}

/** `2 errors, 1 warning; 1,234 pages (5.12 MB) and 3 checkpoints checked in 1 input`. */
export function summaryText({ inputs, summary }: VerifyReport): string {
  const { errors, warnings, infos, pages, bytes, checkpoints, complete } = summary;
  const found = [
    errors === 0 ? "no errors" : counted(errors, "error"),
    warnings === 0 ? "" : counted(warnings, "warning"),
    infos === 0 ? "" : counted(infos, "note"),
  ].filter((part) => part !== "");
  const checked = `${counted(pages, "page")} (${byteCount(bytes)}) and ${counted(checkpoints, "checkpoint")} checked`;
  const all = complete ? "" : "; not everything could be checked";
  return `${found.join(", ")}; ${checked} in ${counted(inputs.filter(({ kind }) => kind !== null).length, "input")}${all}`;
}
