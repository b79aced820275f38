import { jsonLine } from "../../report/json.js";
import { type FuzzAction, knownTarget, needWords } from "./options.js";

/** Inputs run again, each on its target: what is broken is named, with where. */
export const replay: FuzzAction = async (kit, options, terminal) => {
  const paths = needWords(options, 1, "replay FILE|DIR… [--target NAME]");
  const target = options.target === undefined ? undefined : knownTarget(kit, options.target);
  const runner = new kit.Runner(options);
  const names = kit.targets.map(({ name }) => name);
  let [inputs, broken] = [0, 0];
  for (const path of paths)
    for await (const result of kit.replay(path, names, runner, target)) {
      inputs++;
      if (result.outcome.kind !== "fine") broken++;
      if (options.json) await terminal.write(`${jsonLine(result)}\n`);
      else if (result.outcome.kind !== "fine") {
        const { signature } = result.outcome;
        await terminal.write(`${result.file}\n  ${result.target}: ${signature}\n`);
        if ("stack" in result.outcome) await terminal.write(`${result.outcome.stack}\n`);
      }
    }
  await runner.close();
  terminal.note(`${inputs} inputs, ${broken} break their target`);
  return broken === 0;
};
