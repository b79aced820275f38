/** What the engine's own tools said about the damaged copies, without hex dumps, times and process ids. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Damage, findDamage } from "./palm-damage.js";

interface RecordedRun {
  rc: number;
  rows: number | null;
  msg: string[];
}

interface Run {
  rc: number;
  rows: number | null;
  messages: string[];
}

interface ClassicPlace {
  file: string;
  offset: number;
  old: number;
  new: number;
}

type RecordedCase = ClassicPlace & { [command: string]: RecordedRun | string | number };

/** `cases` are those whose directory is there; the recorded results have a few more. */
export function classicVerdicts(resultsPath: string, cases: readonly string[]): unknown {
  const recorded = JSON.parse(readFileSync(resultsPath, "utf8")) as {
    engine: string;
    cases: Record<string, RecordedCase>;
  };
  const shortened = cases.map((name) => {
    const found = recorded.cases[name];
    if (found === undefined) throw new Error(`no recorded result for ${name}`);
    return [name, shortenCase(found)];
  });
  return { engine: recorded.engine, cases: Object.fromEntries(shortened) };
}

function shortenCase(recorded: RecordedCase): Record<string, Run | string | number> {
  const shortened = Object.entries(recorded).map(([key, value]) => [
    key,
    typeof value === "object" ? shortenRun(value) : value,
  ]);
  return Object.fromEntries(shortened) as Record<string, Run | string | number>;
}

function shortenRun({ rc, rows, msg }: RecordedRun): Run {
  return { rc, rows, messages: distinct(msg.filter(isNoHexDump)) };
}

interface PalmRun {
  /** The exit codes were not recorded. */
  rc: null;
  rows: number | null;
  /** The output stops in the middle of a line: the command did not come to an orderly end. */
  cutShort: boolean;
  messages: string[];
}

interface PalmVerdict {
  damage: Damage;
  verify: PalmRun;
  dump: PalmRun;
}

export function palmVerdicts(folder: string, cases: readonly string[], healthy: string): unknown {
  const verdict = (name: string): PalmVerdict => ({
    damage: findDamage(healthy, join(folder, name)),
    verify: palmRun(join(folder, name), "verify"),
    dump: palmRun(join(folder, name), "dump"),
  });
  return { engine: "12.0.0", cases: Object.fromEntries(cases.map((name) => [name, verdict(name)])) };
}

function palmRun(folder: string, command: "verify" | "dump"): PalmRun {
  const out = readFileSync(join(folder, `${command}.out`), "utf8");
  const errors = readFileSync(join(folder, `${command}.err`), "utf8")
    .split("\n")
    .filter(isNoHexDump);
  const messages = errors.map(withoutTimeAndThread).filter((line) => line !== "");
  return {
    rc: null,
    rows: command === "dump" ? countRows(out) : null,
    cutShort: out !== "" && !out.endsWith("\n"),
    messages: distinct(messages),
  };
}

function countRows(dump: string): number {
  const body = dump.split("\nData\n", 2)[1] ?? "";
  return Math.floor((body.split("\n").length - 1) / 2);
}

const isNoHexDump = (line: string): boolean => !/\(chunk \d+ of \d+\)/.test(line);
const withoutTimeAndThread = (line: string): string => line.replace(/^\[[\d:]+\]\[[\w:]+\], /, "").trim();
const distinct = (lines: readonly string[]): string[] => [...new Set(lines)];
