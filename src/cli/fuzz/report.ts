import { jsonDocument } from "../../report/json.js";
import { type FuzzAction, needWords } from "./options.js";

/** Reports of several campaigns added up, as Markdown. */
export const report: FuzzAction = async (kit, options, terminal) => {
  const files = needWords(options, 1, "report FILE.json…");
  const merged = kit.mergeReports(files);
  await terminal.write(
    options.json ? jsonDocument({ schemaVersion: 1, ...merged }) : kit.mergedMarkdown(merged),
  );
  return merged.findings.length === 0;
};
