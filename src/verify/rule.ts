/** A check with a stable code, and the collection its findings go to. */
import type { Issue } from "../codec/issue.js";
import type { Severity } from "../codec/schema.js";
import type { Finding } from "./finding.js";
import { unsupportedVersion } from "./rules/run/unsupported-version.js";

export type FindingPlace = Pick<
  Finding,
  "path" | "offset" | "line" | "table" | "tableId" | "pageId" | "lsn" | "checkpoint"
>;

/** What a rule says of its subject; place fields override the subject's own. */
export type Detail = Omit<Finding, "code" | "severity" | "path"> &
  Partial<FindingPlace> & { severity?: Severity };

/** Anything a rule can be asked about. */
export interface Subject {
  /** Built only when there is something to report. */
  place(): FindingPlace;
}

export interface RuleInfo {
  readonly code: string;
  readonly severity: Severity;
  /** One sentence: what must hold. */
  readonly title: string;
  /** Why, and from which page of the format documents. */
  readonly doc: string;
}

export interface Rule<S> extends RuleInfo {
  check(subject: S, found: (detail: Detail) => void): void;
}

export interface IssueOptions {
  readonly consequence?: string;
  /** What offsets of issues count from: the file of the place, or the structure that was read. */
  readonly offsets?: "file" | "structure";
}

/** Findings of one code that are counted, but not listed. */
export interface Suppressed {
  readonly code: string;
  readonly severity: Severity;
  readonly count: number;
}

const DEFAULT_LIMIT = 1000;

/** Bytes that do not fit their checksum may say any version: that is damage like any other. */
const unsupportedIssue = (issues: readonly Issue[]): Issue | undefined =>
  issues.some(({ code }) => code === "checksum")
    ? undefined
    : issues.find(({ code }) => code === unsupportedVersion.code);

/** Findings in the order they were made, with a limit per code. */
export class Findings {
  readonly list: Finding[] = [];
  readonly counts = { error: 0, warning: 0, info: 0 };
  private readonly perCode = new Map<string, { severity: Severity; count: number }>();
  /** The rule being run, and what it is run on. */
  private rule: RuleInfo | undefined;
  private subject: Subject | undefined;
  /** One for all rules: a closure for each rule and page would cost more than most rules do. */
  private readonly found = (detail: Detail): void =>
    this.add(this.rule as RuleInfo, (this.subject as Subject).place(), detail);

  constructor(
    private readonly limit = DEFAULT_LIMIT,
    private readonly listener: (finding: Finding) => void = () => {},
  ) {}

  add(rule: RuleInfo, place: FindingPlace, detail: Detail): void {
    const { severity = rule.severity, ...rest } = detail;
    this.keep({ code: rule.code, severity, ...place, ...rest });
  }

  /**
   * What a format says of bytes, as findings of one rule. Offsets of issues replace that of the place only where they
   * are offsets in the same file.
   */
  addIssues(rule: RuleInfo, place: FindingPlace, issues: readonly Issue[], options: IssueOptions = {}): void {
    const tooNew = unsupportedIssue(issues);
    if (tooNew !== undefined) {
      this.addUnsupported(place, tooNew, options);
      return;
    }
    for (const { code, severity, path, message, offset, expected, actual } of issues) {
      const at = offset === undefined || options.offsets === "file" ? "" : `, byte ${offset}`;
      this.add(rule, offset === undefined || options.offsets !== "file" ? place : { ...place, offset }, {
        severity,
        ...(path === "" ? {} : { field: path }),
        message: `${path === "" ? "" : `${path}: `}${message} (${code}${at})`,
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
        ...(options.consequence === undefined || severity !== "error"
          ? {}
          : { consequence: options.consequence }),
      });
    }
  }

  /** A structure of a newer generation: what else is odd about it is no news. */
  private addUnsupported(
    place: FindingPlace,
    { path, offset, expected, actual, message }: Issue,
    { offsets }: IssueOptions,
  ): void {
    const at = offset === undefined || offsets !== "file" ? {} : { offset };
    this.add(
      unsupportedVersion,
      { ...place, ...at },
      {
        ...(path === "" ? {} : { field: path }),
        message: `a newer reader is needed: ${path === "" ? message : `${path} is ${actual}`}`,
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
      },
    );
  }

  /** How often a code was found. */
  count(code: string): number {
    return this.perCode.get(code)?.count ?? 0;
  }

  /** Runs every rule on a subject. */
  check<S extends Subject>(rules: readonly Rule<S>[], subject: S): void {
    this.subject = subject;
    for (const rule of rules) {
      this.rule = rule;
      rule.check(subject, this.found);
    }
  }

  /** Takes over findings made elsewhere; `suppressed` ones were only counted there. */
  merge(findings: readonly Finding[], suppressed: readonly Suppressed[]): void {
    for (const finding of findings) this.keep(finding);
    for (const { code, severity, count } of suppressed) {
      this.counts[severity] += count;
      this.note(code, severity, count);
    }
  }

  /** Hands over the findings made so far and begins anew. */
  take(): { findings: Finding[]; suppressed: Suppressed[] } {
    const taken = { findings: this.list.slice(), suppressed: this.suppressed() };
    this.list.length = 0;
    this.perCode.clear();
    return taken;
  }

  private keep(finding: Finding): void {
    const { code, severity } = finding;
    this.counts[severity]++;
    if (this.note(code, severity, 1) > this.limit) return;
    const kept = clipped(finding);
    this.list.push(kept);
    this.listener(kept);
  }

  private note(code: string, severity: Severity, count: number): number {
    const noted = this.perCode.get(code) ?? { severity, count: 0 };
    noted.count += count;
    this.perCode.set(code, noted);
    return noted.count;
  }

  /** Codes of which more were found than are listed, with how many are not. */
  suppressed(): Suppressed[] {
    return [...this.perCode]
      .filter(([, { count }]) => count > this.limit)
      .map(([code, { severity, count }]) => ({ code, severity, count: count - this.limit }));
  }
}

/** Characters of one text of a finding: what is damaged can be as long as its file. */
const MAX_TEXT = 2000;

function clipped(finding: Finding): Finding {
  const long = Object.entries(finding).filter(
    ([key, value]) => key !== "path" && typeof value === "string" && value.length > MAX_TEXT,
  );
  if (long.length === 0) return finding;
  const short = long.map(([key, value]) => [
    key,
    `${value.slice(0, MAX_TEXT)}… (${value.length} characters)`,
  ]);
  return { ...finding, ...Object.fromEntries(short) };
}
