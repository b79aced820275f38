/**
 * Fills corpus/ from a folder of dumps: `npx tsx tools/import-corpus.ts SOURCE`, where SOURCE holds `corpus/` and
 * `vectors/` as corpus/PROVENANCE.md describes them. Repeating it with the same source changes nothing.
 * Needs `mdb_dump` (Debian's lmdb-utils), which says independently of our own reader which record is damaged.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { classicVerdicts, palmVerdicts } from "./corpus/engine-verdicts.js";
import { hashTruth } from "./corpus/truth.js";

const target = fileURLToPath(
  new URL(import.meta.url.includes("/dist/") ? "../../corpus" : "../corpus", import.meta.url),
);

function importCorpus(from: string): void {
  const dumps = join(from, "corpus");
  for (const name of [
    "palm",
    "classic-12.0",
    "classic-3.2.1",
    "corrupt-classic",
    "corrupt-palm",
    "vectors",
  ]) {
    rmSync(join(target, name), { recursive: true, force: true });
  }
  for (const store of folders(join(dumps, "palm")))
    importPalm(join(dumps, "palm", store), join(target, "palm", store));
  copyFolder(join(dumps, "palm/a_small/export"), join(target, "palm/a_small/export"));
  for (const engine of ["classic-12.0", "classic-3.2.1"])
    importClassic(join(dumps, engine), join(target, engine));
  importCorruptClassic(join(dumps, "corrupt-classic"), join(target, "corrupt-classic"));
  importCorruptPalm(dumps, join(target, "corrupt-palm"));
  copyFolder(join(from, "vectors"), join(target, "vectors"));
  writeJson(join(target, "truth.json"), hashTruth(dumps));
}

function importPalm(from: string, to: string): void {
  for (const file of ["kv_home/data.mdb", "config.txt", "stats.json"]) copy(join(from, file), join(to, file));
}

/** The database directories and how they were made; the engine's views of them (`*.truth`) become truth.json. */
function importClassic(from: string, to: string): void {
  for (const name of folders(from)) {
    if (!/\.(truth|tsread)$/.test(name)) copyFolder(join(from, name), join(to, name));
  }
  for (const name of files(from)) {
    if (name.endsWith("config.txt")) copy(join(from, name), join(to, name));
  }
}

function importCorruptClassic(from: string, to: string): void {
  copyFolder(join(from, "orig"), join(to, "orig"));
  const cases = folders(from).filter((name) => existsSync(join(from, name, "db")));
  for (const name of cases) copyFolder(join(from, name, "db"), join(to, name, "db"));
  writeJson(join(to, "results.json"), classicVerdicts(join(from, "results.json"), cases));
}

function importCorruptPalm(dumps: string, to: string): void {
  const from = join(dumps, "corrupt-palm");
  const cases = folders(from);
  for (const name of cases) copy(join(from, name, "kv_home/data.mdb"), join(to, name, "kv_home/data.mdb"));
  writeJson(join(to, "results.json"), palmVerdicts(from, cases, join(dumps, "palm/a_small")));
}

const folders = (folder: string): string[] => entries(folder, true);
const files = (folder: string): string[] => entries(folder, false);

function entries(folder: string, directories: boolean): string[] {
  const all = readdirSync(folder, { withFileTypes: true });
  return all
    .filter((entry) => entry.isDirectory() === directories)
    .map((entry) => entry.name)
    .sort();
}

function copyFolder(from: string, to: string): void {
  for (const name of files(from)) copy(join(from, name), join(to, name));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o644);
}

function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);
}

const source = process.argv[2];
if (source === undefined || !existsSync(join(source, "corpus", "palm"))) {
  process.stderr.write("usage: import-corpus SOURCE (a folder with corpus/ and vectors/)\n");
  process.exit(2);
}
importCorpus(source);
