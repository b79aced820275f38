/** Which input a finding belongs to, and the words for its place. */
import type { Finding } from "../verify/finding.js";
import type { InputReport } from "../verify/types.js";
import { offsetText } from "./numbers.js";

/** What findings are listed under; undefined: the whole run. */
export type GroupInput = Pick<InputReport, "path"> | undefined;

/** Findings of one table of one input; of the input itself when there is no table. */
export interface FindingGroup {
  /** One of the report's inputs, or a path that could not be opened as one. */
  readonly input: GroupInput;
  /** `table 41 (file:t1.wt_stable)`, or undefined. */
  readonly table: string | undefined;
  readonly findings: Finding[];
}

/** In the order of inputs, then of first appearance, the run's own last; within a group the order of the report. */
export function groupFindings(inputs: readonly InputReport[], findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<string, FindingGroup>();
  for (const finding of findings) {
    const input = inputOf(inputs, finding.path);
    const table = tableName(finding);
    const key = `${input?.path ?? ""}\n${table ?? ""}`;
    const group = groups.get(key) ?? { input, table, findings: [] };
    groups.set(key, group);
    group.findings.push(finding);
  }
  const rank = ({ input }: FindingGroup): number => {
    if (input === undefined) return inputs.length + 1;
    const at = inputs.findIndex(({ path }) => path === input.path);
    return at === -1 ? inputs.length : at;
  };
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

/** The input whose path is the finding's or the longest one above it; else the path itself. */
function inputOf(inputs: readonly InputReport[], path: string): GroupInput {
  let best: InputReport | undefined;
  for (const input of inputs)
    if (isWithin(input.path, path) && (best === undefined || input.path.length > best.path.length))
      best = input;
  if (best !== undefined || path !== "") return best ?? { path };
  return inputs.length === 1 ? inputs[0] : undefined;
}

function isWithin(folder: string, path: string): boolean {
  if (path === folder) return true;
  if (!path.startsWith(folder)) return false;
  return folder.endsWith("/") || path[folder.length] === "/" || path[folder.length] === "\\";
}

/** The path below the input, or the whole path when it is not below. */
export function pathBelow(input: GroupInput, path: string): string {
  if (input === undefined || !isWithin(input.path, path)) return path;
  return path.slice(input.path.length).replace(/^[/\\]/, "");
}

/** `table 41 (file:t1.wt_stable)`; undefined when the finding is not about a table. */
export function tableName({ table, tableId }: Finding): string | undefined {
  if (tableId === undefined) return table === undefined || table.includes(":") ? table : `table ${table}`;
  return table === undefined ? `table ${tableId}` : `table ${tableId} (${table})`;
}

/** Where a finding is, without its table: `page 101, lsn 25, kv_home/data.mdb offset 8192 (0x2000)`. */
export function placeText(finding: Finding, input?: GroupInput): string {
  const file = pathBelow(input, finding.path);
  const inFile = `${file}${positionText(finding)}`.trim();
  const parts = [
    checkpointName(finding.checkpoint),
    finding.pageId === undefined ? "" : `page ${finding.pageId}`,
    finding.lsn === undefined ? "" : `lsn ${finding.lsn}`,
    inFile,
    finding.field ?? "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Lines are how people find their way in a text. */
function positionText({ offset, line }: Finding): string {
  if (line !== undefined) return ` line ${line}`;
  return offset === undefined ? "" : ` offset ${offsetText(offset)}`;
}

/** `checkpoint backup`; names that say so themselves as they are. */
const checkpointName = (name = ""): string =>
  name === "" || /checkpoint/i.test(name) ? name : `checkpoint ${name}`;

/** The message with what was expected and found, unless it says so itself. */
export function messageText({ message, expected, actual }: Finding): string {
  const values = [
    said(message, expected) ? "" : `expected ${valueText(expected)}`,
    said(message, actual) ? "" : `found ${valueText(actual)}`,
  ].filter((part) => part !== "");
  return values.length === 0 ? message : `${message} (${values.join(", ")})`;
}

function said(message: string, value: unknown): boolean {
  if (value === undefined || value === "") return true;
  if (typeof value !== "number" && typeof value !== "bigint") return message.includes(valueText(value));
  return new RegExp(`(?<![\\w.])(${value}|0x0*${value.toString(16)})(?![\\w.]\\w)(?!\\w)`).test(message);
}

/** A short text for an expected or actual value. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array)
    return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (typeof value === "object" && value !== null)
    return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? item.toString() : item));
  return String(value);
}
