import { join } from "node:path";
import { jsonDocument } from "../../report/json.js";
import { untilInterrupted } from "./interrupt.js";
import type { FuzzKit } from "./kit.js";
import type { FuzzAction } from "./options.js";

/** Damaged databases judged by the real engine and by us. */
export const engine: FuzzAction = async (kit, options, terminal) => {
  const { cases, first, seed, jobs, seconds, output = "pugmark-fuzz" } = options;
  const folder = join(output, "engine");
  terminal.note(
    `${cases} cases from ${first} on, seed ${seed}, ${jobs} at a time; findings are kept in ${folder}`,
  );
  const report = await untilInterrupted((signal) =>
    kit.runEngineCampaign(
      {
        cases,
        first,
        seed,
        jobs,
        seconds,
        folder,
        onStatus: (now) => terminal.progress(statusLine(now)),
      },
      signal,
    ),
  );
  terminal.clearProgress();
  await terminal.write(
    options.json ? jsonDocument({ schemaVersion: 1, ...report }) : reportText(kit, report),
  );
  return kit.verdicts.every((verdict) => !kit.ourDefects.has(verdict) || report.counts[verdict] === 0);
};

type Report = Awaited<ReturnType<FuzzKit["runEngineCampaign"]>>;

function statusLine({ cases, seconds, counts, hangs, crashes }: Report): string {
  const missed = counts["we miss"] + counts["rows differ"] + counts["we fail"];
  return `${Math.round(seconds)} s  ${cases} cases  ${missed} missed  engine: ${hangs} hangs, ${crashes} crashes`;
}

function reportText(kit: FuzzKit, report: Report): string {
  const { cases, databases, seconds, seed, counts, hangs, crashes, salvaged } = report;
  const rate = seconds === 0 ? 0 : cases / seconds;
  const lines = [
    `${cases} cases of ${databases} databases in ${Math.round(seconds)} s (${rate.toFixed(1)} a second), seed ${seed}`,
    ...kit.verdicts.map((verdict) => `  ${verdict.padEnd(16)}${counts[verdict]}`),
    `  engine hangs    ${hangs}`,
    `  engine crashes  ${crashes}`,
    `  salvaged        ${salvaged}`,
    ...tally("the engine did not notice", report.engineMissed),
    ...tally("the engine did not end well", report.engineDied),
  ];
  for (const { number, verdict, died, damage, codes, folder } of report.findings)
    if (kit.ourDefects.has(verdict) || died.length > 0)
      lines.push(
        `case ${number}: ${[verdict, ...died].join(", ")}: ${damage} ${codes.join(" ")} ${folder ?? ""}`,
      );
  return `${lines.join("\n")}\n`;
}

const tally = (title: string, counts: Readonly<Record<string, number>>): string[] => {
  const most = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return most.length === 0 ? [] : [`${title}:`, ...most.map(([what, count]) => `  ${what}  ${count}`)];
};
