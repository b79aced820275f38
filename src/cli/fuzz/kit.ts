/** The fuzzing kit as the build left it: apart from the command line's own file, whose start it would slow down. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Kit from "../../../fuzz/campaign/index.js";
import { CommandError } from "../exit.js";

export type FuzzKit = typeof Kit;

export async function loadKit(): Promise<FuzzKit> {
  const file = kitFile(dirname(fileURLToPath(import.meta.url)));
  return (await import(pathToFileURL(file).href)) as FuzzKit;
}

/** Found from the sources, from dist/ and from the bundle. */
function kitFile(folder: string): string {
  const file = join(folder, "dist", "fuzz", "campaign", "index.js");
  if (existsSync(file)) return file;
  const above = dirname(folder);
  if (above !== folder) return kitFile(above);
  throw new CommandError("the fuzzing kit is not built: run npm run build in the checkout");
}
