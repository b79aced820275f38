/** Opening page logs, whatever they are kept in. */
import { type DetectedInput, detectInput } from "./detect.js";
import { InputError } from "./input-error.js";
import { openJsonlExport } from "./jsonl.js";
import { openPageService, type PageServiceOptions } from "./page-service.js";
import { openPalite } from "./palite.js";
import { openPalm } from "./palm.js";
import type { InputKind, PageLog } from "./types.js";

export type PageLogKind = PageLog["kind"];
export type OpenPageLogOptions = PageServiceOptions;

export const pageLogKinds: readonly PageLogKind[] = [
  "palm",
  "palite",
  "page-log-jsonl",
  "page-service-jsonl",
];

export const isPageLogKind = (kind: InputKind): kind is PageLogKind =>
  (pageLogKinds as readonly InputKind[]).includes(kind);

/**
 * Opens a page log for reading; nothing is created, locked or changed.
 * @throws InputError as `detectInput`, and `input-unknown` for an input that is no page log.
 */
export function openPageLog(path: string, kind?: InputKind, options: OpenPageLogOptions = {}): PageLog {
  return openDetectedPageLog(detectInput(path, kind), options);
}

export function openDetectedPageLog(
  { kind, path, target }: DetectedInput,
  options: OpenPageLogOptions = {},
): PageLog {
  switch (kind) {
    case "palm":
      return openPalm(target);
    case "palite":
      return openPalite(target);
    case "page-log-jsonl":
      return openJsonlExport(target);
    case "page-service-jsonl":
      return openPageService(target, options);
    default:
      throw new InputError("input-unknown", path, `not a page log (${kind})`);
  }
}
