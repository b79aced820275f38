/**
 * Writes what the documentation takes from the code: docs/findings.md (every rule), docs/formats.md (every format),
 * the targets in docs/fuzzing.md and the table of verdicts in README.md. `--check` writes nothing and fails when something is out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formats } from "../formats/registry.js";
import { targets } from "../fuzz/targets/index.js";
import { rules } from "../src/verify/rules/index.js";
import { markdownTable, replaceMarked } from "./markdown.js";
import { verdictTable } from "./verdicts.js";

const root = fileURLToPath(new URL(import.meta.url.includes("/dist/") ? "../../" : "../", import.meta.url));
const GENERATED = "<!-- written by `npm run docs` -->";

/** Rules of different stores may share a code: each says what holds there. */
function findingRow(code: string): string {
  const sharing = rules.filter((rule) => rule.code === code);
  const all = (field: "severity" | "title" | "doc", between: string): string =>
    [...new Set(sharing.map((rule) => rule[field]))].join(between);
  return `| \`${code}\` | ${all("severity", ", ")} | ${all("title", "; ")} | ${all("doc", " ")} |`;
}

function findingsPage(): string {
  const codes = [...new Set(rules.map(({ code }) => code))].sort();
  const rows = codes.map((code) => findingRow(code));
  return [
    "# Findings",
    "",
    GENERATED,
    "",
    "Each finding has a stable code. The severity given is the usual one: a finding may say less (a warning) where the",
    "engine itself does not mind.",
    "",
    "| code | severity | what must hold | why |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function formatsPage(): string {
  const rows = formats.map(
    ({ name, title, generations, source }) =>
      `| \`${name}\` | ${title} | ${generations.join(", ") || "–"} | ${source} |`,
  );
  return [
    "# Formats",
    "",
    GENERATED,
    "",
    "`pugmark formats NAME` prints the page of one: fields, values, rules, and how its generations are told apart.",
    "",
    "| name | what | generations | written from |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** A file with the text between two marks replaced. */
const between = (file: string, mark: string, text: string): string =>
  replaceMarked(readFileSync(join(root, file), "utf8"), mark, text);

/** The targets of formats promise the same. */
function targetTable(): string {
  const isOfFormat = ({ name }: { readonly name: string }): boolean => name.startsWith("format-");
  const ofFormats = targets.filter(isOfFormat);
  const others = targets.filter((target) => !isOfFormat(target));
  const first: string[][] = [
    [`\`format-NAME\`, one for each of ${ofFormats.length} formats`, ofFormats[0]?.oracle ?? ""],
  ];
  return markdownTable(
    ["target", "what holds for every input"],
    [...first, ...others.map(({ name, oracle }) => [`\`${name}\``, oracle])],
  );
}

async function pages(): Promise<Array<[string, string]>> {
  return [
    ["docs/findings.md", findingsPage()],
    ["docs/formats.md", formatsPage()],
    ["docs/fuzzing.md", between("docs/fuzzing.md", "targets", targetTable())],
    ["README.md", between("README.md", "verdicts", await verdictTable(root))],
  ];
}

function current(file: string): string {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch {
    return "";
  }
}

const stale = (await pages()).filter(([file, text]) => current(file) !== text);
if (process.argv.includes("--check")) {
  for (const [file] of stale) console.error(`${file} is out of date: run npm run docs`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else for (const [file, text] of stale) writeFileSync(join(root, file), text);
