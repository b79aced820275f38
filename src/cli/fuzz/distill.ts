import { rmSync } from "node:fs";
import { jsonDocument } from "../../report/json.js";
import { type FuzzAction, knownTarget, needWords } from "./options.js";

/** The inputs that add nothing to what smaller ones reach; with `--apply` they are removed. */
export const distill: FuzzAction = async (kit, options, terminal) => {
  const [name, ...folders] = needWords(options, 2, "distill TARGET DIR… [--apply]") as [string, ...string[]];
  const target = knownTarget(kit, name);
  const { keep, drop, reached } = new kit.Distiller().distill(target, folders);
  if (options.apply) for (const file of drop) rmSync(file);
  terminal.note(
    `${keep.length} inputs reach all ${reached} places; ${drop.length} ${options.apply ? "removed" : "add nothing"}`,
  );
  if (options.json) await terminal.write(jsonDocument({ schemaVersion: 1, target, reached, keep, drop }));
  else await terminal.write(drop.map((file) => `${file}\n`).join(""));
  return true;
};
