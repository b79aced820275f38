/**
 * What jsfuzz loads. From its load on jsfuzz instruments whatever is required, the counting itself, too, which would
 * make inputs take several times as long: so Node's own loader is put back before the target is loaded.
 */
import Module, { createRequire } from "node:module";
import type { LoaderKept } from "./settings.js";

const { _extensions } = Module as unknown as LoaderKept["module"];
const { __nodeLoader__ } = globalThis as LoaderKept["global"];
if (__nodeLoader__ !== undefined) _extensions[".js"] = __nodeLoader__;

interface CampaignTarget {
  fuzz(input: Buffer): void;
}
export const { fuzz } = createRequire(import.meta.url)("./campaign-target.cjs") as CampaignTarget;
