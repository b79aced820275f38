/** Every target by its name. */
import type { FuzzTarget } from "../target.js";
import { configTarget } from "./config.js";
import { formatTargets } from "./formats.js";
import { mergeTarget } from "./merge.js";
import { pagesTarget } from "./pages.js";
import { storeTargets } from "./stores.js";

/** In the order campaigns take them. */
export const targets: readonly FuzzTarget[] = [
  ...formatTargets,
  pagesTarget,
  mergeTarget,
  configTarget,
  ...storeTargets,
];

export const targetByName = (name: string): FuzzTarget | undefined =>
  targets.find((target) => target.name === name);
