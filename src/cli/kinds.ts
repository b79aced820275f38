import type { InputKind } from "../store/types.js";

/** Every kind of input, for `--kind`. */
export const KINDS = [
  "palm",
  "palite",
  "page-log-jsonl",
  "page-service-jsonl",
  "corruption-log",
  "block",
  "wt-file",
  "classic-directory",
] as const satisfies readonly InputKind[];
