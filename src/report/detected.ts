/** What was detected of an input, as one line. */
import type { InputReport } from "../verify/types.js";
import { visible } from "./visible.js";

const KIND_NAMES: Readonly<Record<string, string>> = {
  palm: "page log (PALM, LMDB)",
  palite: "page log (PALite, SQLite)",
  "page-log-jsonl": "page log (JSON lines)",
  "page-service-jsonl": "page-service dump (JSON lines)",
  "corruption-log": "corruption dump in a log",
  block: "raw blocks",
  "wt-file": "classic .wt file",
  "classic-directory": "classic directory",
};

/** `corpus/x: page log (PALM, LMDB); generations D0, B; compressor snappy; allocation size 4096`. */
export function detectedLine(input: InputReport): string {
  const parts = [
    input.kind === null ? `not opened: ${input.reason}` : (KIND_NAMES[input.kind] ?? input.kind),
    listed("generation", input.generations),
    listed("compressor", input.compressors),
    listed("encryptor", input.encryptors),
    listed("allocation size", input.allocationSizes.map(String)),
  ];
  return visible(`${input.path}: ${parts.filter((part) => part !== "").join("; ")}`);
}

const listed = (noun: string, names: readonly string[]): string =>
  names.length === 0 ? "" : `${noun}${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
