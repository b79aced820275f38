import { readFileSync } from "node:fs";
import { CommandError } from "../exit.js";
import { writeOutputFile } from "../output-file.js";
import { type FuzzAction, knownTarget, needWords } from "./options.js";

/** The smallest input that breaks its target as the given one does. */
export const minimize: FuzzAction = async (kit, options, terminal) => {
  const [file] = needWords(options, 1, "minimize FILE [--target NAME] [--output FILE]") as [string];
  const names = kit.targets.map(({ name }) => name);
  const target = options.target ?? kit.targetOf(file, names);
  if (target === undefined) throw new CommandError(`${file}: no target is named by its folder or its name`);
  const runner = new kit.Runner(options);
  const run = (input: Uint8Array) => runner.run(knownTarget(kit, target), input);
  const original = readFileSync(file);
  try {
    const { input, outcome, tries } = await kit.minimize(target, original, run, {
      onProgress: (length, count) => terminal.progress(`${length} bytes after ${count} tries`),
    });
    terminal.clearProgress();
    const output = options.output ?? `${file}.min`;
    writeOutputFile(output, input);
    terminal.note(`${original.length} bytes to ${input.length} in ${tries} tries: ${output}`);
    if (outcome.kind !== "fine") await terminal.write(`${target}: ${outcome.signature}\n`);
    return true;
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(`${file}: ${error.message}`);
    throw error;
  } finally {
    await runner.close();
  }
};
