/** A report on its way out: in the form asked for, with the exit code it means. */
import type { Severity } from "../codec/schema.js";
import type { RuleText } from "../report/sarif.js";
import type { VerifyReport, VerifySummary } from "../verify/types.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { Terminal } from "./terminal.js";

export type ReportForm = "text" | "json" | "jsonl" | "sarif" | "html";

export interface FormOptions {
  readonly version: string;
  /** Texts of the rules, for SARIF. */
  readonly rules?: readonly RuleText[];
  /** Findings of one code shown in a group of the text. */
  readonly limit?: number;
  /** Lists notes in the text. */
  readonly notes?: boolean;
}

/** The report as text. Only the module of the form asked for is loaded. */
export async function renderReport(
  report: VerifyReport,
  form: ReportForm,
  options: FormOptions,
  terminal?: Pick<Terminal, "palette">,
): Promise<string> {
  switch (form) {
    case "json":
      return (await import("../report/json.js")).verifyJson(report);
    case "jsonl": {
      const { findingLine, summaryLine } = await import("../report/json.js");
      return `${[...report.findings.map(findingLine), summaryLine(report)].join("\n")}\n`;
    }
    case "sarif":
      return (await import("../report/sarif.js")).verifySarif(report, options);
    case "html":
      return (await import("../report/html.js")).verifyHtml(report, options);
    case "text":
      return (await import("../report/text.js")).verifyText(report, {
        ...options,
        ...(terminal && { palette: terminal.palette }),
      });
  }
}

/**
 * 1 when there are findings at or above `failOn`; else 2 when something could not be read, 3 when something is not
 * known or of a generation too new. What these two are told by are warnings that do not count as such.
 */
export function verdictExitCode(
  { errors, warnings, infos, unreadable, unsupported }: VerifySummary,
  failOn: Severity,
): ExitCode {
  const below = errors + warnings - unreadable - unsupported;
  const counts = { error: errors, warning: below, info: below + infos };
  if (counts[failOn] > 0) return EXIT.findings;
  if (unreadable > 0) return EXIT.usage;
  return unsupported > 0 ? EXIT.unrecognised : EXIT.clean;
}
