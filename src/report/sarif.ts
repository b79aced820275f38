/** `verify --sarif`: SARIF 2.1.0, what code scanning services and editors read. */
import type { Severity } from "../codec/schema.js";
import type { Finding } from "../verify/finding.js";
import type { VerifyReport } from "../verify/types.js";
import { findingJson, jsonDocument, plainValue } from "./json.js";
import { messageText, placeText, tableName } from "./place.js";

/** What a rule says of itself. */
export interface RuleText {
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  readonly doc: string;
}

export interface SarifOptions {
  /** Version of pugmark. */
  readonly version: string;
  /** Texts of the rules; rules without one are listed by their code. */
  readonly rules?: readonly RuleText[];
}

const LEVEL: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "note" };
const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** The document as text. */
export const verifySarif = (report: VerifyReport, options: SarifOptions): string =>
  jsonDocument(sarifLog(report, options));

/** The document as a value. */
export function sarifLog(
  report: VerifyReport,
  { version, rules = [] }: SarifOptions,
): Record<string, unknown> {
  const codes = [...new Set(report.findings.map(({ code }) => code))].sort();
  const { schemaVersion, inputs, summary } = report;
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "pugmark",
            semanticVersion: version,
            rules: codes.map((code) => ruleObject(code, rules)),
          },
        },
        invocations: [{ executionSuccessful: true }],
        columnKind: "utf16CodeUnits",
        results: report.findings.map((finding) => resultObject(finding, codes.indexOf(finding.code))),
        properties: { schemaVersion, inputs: plainValue(inputs), summary: plainValue(summary) },
      },
    ],
  };
}

function ruleObject(code: string, rules: readonly RuleText[]): Record<string, unknown> {
  const rule = rules.find((entry) => entry.code === code);
  if (rule === undefined) return { id: code };
  return {
    id: code,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.doc },
    defaultConfiguration: { level: LEVEL[rule.severity] },
  };
}

function resultObject(finding: Finding, ruleIndex: number): Record<string, unknown> {
  const location = locationObject(finding);
  const texts = [messageText(finding), finding.consequence, finding.hint].filter(
    (text) => text !== undefined,
  );
  return {
    ruleId: finding.code,
    ruleIndex,
    level: LEVEL[finding.severity],
    message: { text: texts.map(asSentence).join(" ") },
    ...(location === undefined ? {} : { locations: [location] }),
    partialFingerprints: { "pugmarkPlace/v1": fingerprint(finding) },
    properties: findingJson(finding),
  };
}

const asSentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

function locationObject(finding: Finding): Record<string, unknown> | undefined {
  const { path, offset, line } = finding;
  const name = [
    tableName(finding),
    placeText({ ...finding, path: "", offset: undefined, line: undefined } as Finding),
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ");
  if (path === "" && name === "") return undefined;
  const physical = {
    artifactLocation: { uri: pathUri(path) },
    ...(line === undefined
      ? offset === undefined
        ? {}
        : { region: { byteOffset: offset } }
      : { region: { startLine: line } }),
  };
  return {
    ...(path === "" ? {} : { physicalLocation: physical }),
    ...(name === "" ? {} : { logicalLocations: [{ fullyQualifiedName: name }] }),
  };
}

/** A relative reference for a relative path, a file URI for an absolute one. */
export function pathUri(path: string): string {
  const slashed = /^[A-Za-z]:\\|^\\\\/.test(path) ? path.replaceAll("\\", "/") : path;
  const encoded = slashed.split("/").map(encodeSegment).join("/");
  if (slashed.startsWith("/")) return `file://${encoded}`;
  return /^[A-Za-z]:\//.test(slashed) ? `file:///${encoded}` : encoded;
}

const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment.replace(/\p{Surrogate}/gu, "\ufffd")).replace(/^([A-Za-z])%3A$/, "$1:");

/** The same for the same defect of the same dump. */
const fingerprint = ({
  code,
  path,
  offset,
  line,
  tableId,
  pageId,
  lsn,
  checkpoint,
  field,
}: Finding): string =>
  [code, path, offset ?? line, tableId, pageId, lsn, checkpoint, field].map((part) => part ?? "").join("|");
