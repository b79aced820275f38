import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The version in pugmark's package.json: the nearest one of that name above this file, in src/ or dist/. */
export function packageVersion(folder = dirname(fileURLToPath(import.meta.url))): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { name, version } = manifest as { name?: string; version?: string };
    if (name === "pugmark" && version !== undefined) return version;
  } catch {
    // No manifest here: a folder above has it.
  }
  const above = dirname(folder);
  return above === folder ? "unknown" : packageVersion(above);
}
