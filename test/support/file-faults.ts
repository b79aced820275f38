/** Every change this process makes to files, seen right before it happens; throwing there makes it fail. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const changes = [
  "writeSync",
  "ftruncateSync",
  "renameSync",
  "unlinkSync",
  "mkdirSync",
  "rmdirSync",
  "rmSync",
  "writeFileSync",
] as const;
export type FileChange = (typeof changes)[number];

/** Changes that `before` makes itself are not told of. */
export function watchingFiles<T>(before: (change: FileChange) => void, action: () => T): T {
  const kept = changes.map((name) => fs[name]);
  // Parts of Node that are loaded meanwhile keep what they find here: it must do nothing afterwards.
  let isOver = false;
  let isInside = false;
  changes.forEach((name, at) => {
    const original = kept[at] as (...values: unknown[]) => unknown;
    const watched = (...values: unknown[]): unknown => {
      if (isInside || isOver) return original(...values);
      isInside = true;
      try {
        before(name);
        return original(...values);
      } finally {
        isInside = false;
      }
    };
    Object.assign(fs, { [name]: watched });
  });
  syncBuiltinESMExports();
  try {
    return action();
  } finally {
    isOver = true;
    for (const [at, name] of changes.entries()) Object.assign(fs, { [name]: kept[at] });
    syncBuiltinESMExports();
  }
}
