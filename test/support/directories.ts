/** Folders for tests, and proof that reading left one as it was. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `use` with a new folder and removes it afterwards. */
export function inTemporaryFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Name, size, times and bytes of a folder and everything below it: equal before and after when nothing was touched,
 * nor made and removed again.
 */
export function snapshot(folder: string): string[] {
  return [".", ...readdirSync(folder, { recursive: true, encoding: "utf8" })].sort().map((name) => {
    const path = join(folder, name);
    const { size, mtimeNs, ctimeNs, mode } = statSync(path, { bigint: true });
    const content = statSync(path).isFile() ? readFileSync(path).toString("latin1") : "";
    return `${name} ${mode} ${size} ${mtimeNs} ${ctimeNs} ${content}`;
  });
}

/** The same for work that is awaited. */
export async function inTemporaryFolderAsync<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
