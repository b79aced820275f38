import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../exit.js";
import { checkOutputFile, writeOutputFile } from "../output-file.js";
import { untilInterrupted } from "./interrupt.js";
import type { FuzzKit } from "./kit.js";
import { type FuzzAction, type FuzzOptions, knownTarget } from "./options.js";

/** Targets fuzzed until the time is over. */
export const campaign: FuzzAction = async (kit, options, terminal) => {
  const { seconds, seed, jobs, keepGoing, inputSeconds, memoryMiB, output = "pugmark-fuzz" } = options;
  const targets = chosenTargets(kit, options);
  if (options.html !== undefined) checkOutputFile(options.html, []);
  terminal.note(
    `${targets.length} targets, ${seconds} s, ${jobs} at a time, seed ${seed}; kept in ${output}`,
  );
  const status = await untilInterrupted((signal) =>
    kit.runCampaign(
      {
        targets,
        seconds,
        seed,
        jobs,
        keepGoing,
        known: knownSignatures(options),
        folder: output,
        inputSeconds,
        memoryMiB,
        onStatus: (now) => terminal.progress(statusLine(now)),
      },
      signal,
    ),
  );
  terminal.clearProgress();
  const report = { ...status, seed, jobs, coverage: kit.coverageOf(targets, join(output, "corpus")) };
  if (options.html !== undefined) writeOutputFile(options.html, kit.campaignHtml(report));
  await terminal.write(options.json ? kit.campaignJson(report) : kit.campaignText(report, terminal.palette));
  const failed = report.targets.filter(
    ({ executions, failure }) => executions === 0 && failure !== undefined,
  );
  if (failed.length > 0 && report.findings.length === 0)
    throw new CommandError(
      failed.map(({ target, failure }) => `no input of ${target.name} was run: ${failure}`).join("\n"),
    );
  if (report.targets.every(({ executions }) => executions === 0))
    throw new CommandError("no input was run at all: give the campaign more --time");
  return report.findings.length === 0;
};

function chosenTargets(kit: FuzzKit, { all, words }: FuzzOptions): FuzzKit["targets"] {
  const names = new Set(words.map((name) => knownTarget(kit, name)));
  return all ? kit.targets : [...names].flatMap((name) => kit.targetByName(name) ?? []);
}

const knownSignatures = ({ known }: FuzzOptions): string[] =>
  known === undefined ? [] : readFileSync(known, "utf8").split("\n").filter(Boolean);

type Status = Awaited<ReturnType<FuzzKit["runCampaign"]>>;

function statusLine({ elapsed, targets, running, underway, findings }: Status): string {
  const executions = targets.reduce((sum, status) => sum + status.executions, underway);
  return `${Math.round(elapsed)} s  ${executions} executions  ${findings.length} findings  now ${running.join(", ")}`;
}
