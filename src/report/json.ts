/** Documents for programs: 64-bit numbers as decimal strings, bytes as hex, the same order every time. */
import { bytesToHex } from "../codec/json.js";
import type { Finding } from "../verify/finding.js";
import type { VerifyReport } from "../verify/types.js";
import { visibleJson } from "./visible.js";

/** A value JSON can hold: bigint as decimal string, bytes as lower-case hex, `undefined` left out. */
export function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Map) return [...value].map(plainValue);
  if (value instanceof Set) return [...value].map(plainValue);
  const entries = Object.entries(value).filter(
    ([, item]) => item !== undefined && typeof item !== "function",
  );
  return Object.fromEntries(entries.map(([name, item]) => [name, plainValue(item)]));
}

/** One line of JSON, without the line's end. */
export const jsonLine = (value: unknown): string => visibleJson(JSON.stringify(plainValue(value)));

/** A document, indented, with the file's last newline. */
export const jsonDocument = (value: unknown): string =>
  `${visibleJson(JSON.stringify(plainValue(value), null, 2))}\n`;

/** The order of a finding's keys in every document. */
const FINDING_KEYS: ReadonlyArray<keyof Finding> = [
  "code",
  "severity",
  "path",
  "offset",
  "line",
  "field",
  "table",
  "tableId",
  "pageId",
  "lsn",
  "checkpoint",
  "message",
  "expected",
  "actual",
  "consequence",
  "hint",
];

/** A finding for JSON, keys in a fixed order. */
export function findingJson(finding: Finding): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const key of FINDING_KEYS) if (finding[key] !== undefined) json[key] = plainValue(finding[key]);
  return json;
}

/** `verify --json`: the whole report. */
export function verifyJson(report: VerifyReport): string {
  const { schemaVersion, inputs, summary, findings } = report;
  return jsonDocument({ schemaVersion, inputs, summary, findings: findings.map(findingJson) });
}

/** `verify --jsonl`: the line of one finding. */
export const findingLine = (finding: Finding): string => jsonLine(findingJson(finding));

/** `verify --jsonl`: the last line; the only one with a `summary`. */
export const summaryLine = ({ schemaVersion, inputs, summary }: VerifyReport): string =>
  jsonLine({ schemaVersion, inputs, summary });
