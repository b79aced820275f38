/** The bundle of all targets: made by the build, given coverage counters when a campaign begins. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FuzzTarget } from "../target.js";
import { withPlaces } from "./coverage-counters.js";

interface Instrumenter {
  createInstrumenter(options: { compact: boolean }): { instrumentSync(code: string, file: string): string };
}

/** What is missing is said in one line: jsfuzz is for development, a package without it cannot run campaigns. */
export class CampaignError extends Error {
  override readonly name = "CampaignError";
}

/** The folder of package.json, from the sources, from dist/ and from the command line's bundle. */
function rootFolder(folder = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(folder, "package.json")) ? folder : rootFolder(dirname(folder));
}

export const builtFile = (...parts: string[]): string => join(rootFolder(), "dist", ...parts);

/** The path of the bundle as built. */
export function targetBundle(): string {
  const file = builtFile("fuzz", "targets.cjs");
  if (existsSync(file)) return file;
  throw new CampaignError("the targets are not built: run npm run build");
}

/** jsfuzz's own program, and what it instruments with. */
export function jsfuzzProgram(): string {
  try {
    return createRequire(import.meta.url).resolve("jsfuzz/build/src/index.js");
  } catch {
    throw new CampaignError("jsfuzz is not installed: campaigns need it (npm ci in the checkout)");
  }
}

/** Of the counters: what was made by other rules is made anew. */
const COUNTERS_VERSION = "2";

/**
 * The bundle with coverage counters. Making it takes seconds, so it is kept in the system's temporary folder under
 * the hash of what it was made from.
 */
export function instrumentedBundle(source = targetBundle()): string {
  const code = readFileSync(source);
  const hash = createHash("sha256")
    .update(code)
    .update(source)
    .update(COUNTERS_VERSION)
    .digest("hex")
    .slice(0, 20);
  const file = join(tmpdir(), `pugmark-fuzz-${hash}.cjs`);
  if (existsSync(file)) return file;
  const library = createRequire(jsfuzzProgram())("istanbul-lib-instrument") as Instrumenter;
  const counted = library.createInstrumenter({ compact: true }).instrumentSync(code.toString("utf8"), file);
  const whole = withPlaces(counted, file);
  if (whole === undefined) throw new CampaignError("jsfuzz instruments in a way that is not known here");
  const part = `${file}.${process.pid}`;
  writeFileSync(part, whole);
  renameSync(part, file);
  return file;
}

interface BundleModule {
  readonly targetByName: (name: string) => FuzzTarget | undefined;
}
interface CompilableModule {
  filename: string;
  paths: string[];
  exports: BundleModule;
  _compile(code: string, file: string): void;
}
interface ModuleClass {
  new (file: string): CompilableModule;
  _nodeModulePaths(folder: string): string[];
}

/**
 * Loads a bundle of targets past `require`, whose hooks would instrument it once more. It finds packages and the corpus
 * as the file the build made does.
 */
export function loadTargets(file: string, as = targetBundle()): BundleModule["targetByName"] {
  const require = createRequire(import.meta.url);
  const Module = require("node:module") as ModuleClass;
  const module = new Module(as);
  module.filename = as;
  module.paths = Module._nodeModulePaths(dirname(as));
  module._compile(readFileSync(file, "utf8"), as);
  return module.exports.targetByName;
}
