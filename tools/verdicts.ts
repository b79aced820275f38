/** pugmark's verdict on every damaged dump of the corpus beside what the engine said of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, verify } from "../src/verify/index.js";

interface EngineRun {
  readonly rc: number | null;
  readonly rows: number | null;
  readonly cutShort?: boolean;
  readonly messages: readonly string[];
}
interface Case {
  readonly file?: string;
  readonly offset?: number;
  readonly damage?: {
    readonly tableId: number;
    readonly pageId: number;
    readonly lsn: number;
    readonly change: string;
  };
  readonly verify: EngineRun;
  readonly dump: EngineRun;
}

const kinds = [
  { folder: "corrupt-classic", inside: "db", rows: 12_000 },
  { folder: "corrupt-palm", inside: "", rows: 998 },
];

/** A Markdown table, in the order of the corpus. */
export async function verdictTable(root: string): Promise<string> {
  const lines = [
    "| damaged dump | what was changed | `wt verify` | `wt dump` | `pugmark verify` |",
    "|---|---|---|---|---|",
  ];
  for (const { folder, inside, rows } of kinds) {
    const results = JSON.parse(readFileSync(join(root, "corpus", folder, "results.json"), "utf8"));
    for (const [name, entry] of Object.entries(results.cases as Record<string, Case>)) {
      const { findings } = await verify([join(root, "corpus", folder, name, inside)]);
      lines.push(
        `| ${[folder, name, inside].filter((part) => part !== "").join("/")} | ${change(entry)} | ${engineVerify(entry.verify)} | ${engineDump(entry.dump, rows)} | ${ours(findings)} |`,
      );
    }
  }
  return lines.join("\n");
}

function change({ file, offset, damage }: Case): string {
  if (damage === undefined) return `${file}, byte ${offset}`;
  return `table ${damage.tableId}, page ${damage.pageId}, LSN ${damage.lsn} ${damage.change}`;
}

const failed = ({ rc, messages }: EngineRun): boolean => (rc === null ? messages.length > 0 : rc !== 0);

function engineVerify(run: EngineRun): string {
  return failed(run) ? "fails" : "**passes**";
}

function engineDump(run: EngineRun, rows: number): string {
  const count = run.rows === null ? "no rows" : `${run.rows} of ${rows} rows`;
  if (run.rows === rows) return failed(run) ? "all rows, then an error" : "all rows";
  // The exit codes of the page-log cases were not recorded.
  if (run.rc === null) return count;
  return failed(run) ? `${count}, an error` : `**${count}, no error**`;
}

function ours(findings: readonly Finding[]): string {
  const first = findings.find(({ severity }) => severity === "error");
  if (first === undefined) return "passes";
  const { code, path, offset, pageId, lsn } = first;
  const file = path.slice(path.lastIndexOf("/") + 1);
  const place =
    pageId === undefined
      ? `${file}${offset === undefined ? "" : ` at ${offset}`}`
      : `page ${pageId}, LSN ${lsn}`;
  return `\`${code}\`: ${place}`;
}
