/** Every target by its name. */
import type { FuzzTarget } from "../target.js";
import { checkpointWriterTarget } from "./checkpoint-writer.js";
import { configTarget } from "./config.js";
import { formatTargets } from "./formats.js";
import { mergeTarget } from "./merge.js";
import { pagesTarget } from "./pages.js";
import { repairClassicTarget, repairPageLogTarget } from "./repair.js";
import { selfTests } from "./self-tests.js";
import { storeTargets } from "./stores.js";
import { treeRowsTarget } from "./tree-rows.js";
import { verifyClassicTarget, verifyPageLogTarget } from "./verify.js";

/** In the order campaigns take them. */
export const targets: readonly FuzzTarget[] = [
  ...formatTargets,
  pagesTarget,
  mergeTarget,
  configTarget,
  ...storeTargets,
  verifyPageLogTarget,
  verifyClassicTarget,
  treeRowsTarget,
  checkpointWriterTarget,
  repairClassicTarget,
  repairPageLogTarget,
];

/** By name those are found, too, that break on purpose. */
export const targetByName = (name: string): FuzzTarget | undefined =>
  [...targets, ...selfTests].find((target) => target.name === name);
