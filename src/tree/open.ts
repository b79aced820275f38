/** Opening whatever holds trees. */
import { installNodeAccelerators } from "../platform/node.js";
import { detectInput } from "../store/detect.js";
import { isPageLogKind, openDetectedPageLog } from "../store/open.js";
import { ClassicDatabase, LoneFileDatabase } from "./classic/database.js";
import { PageLogDatabase } from "./page-log/database.js";
import { TreeError } from "./problem.js";
import type { Database, DatabaseOptions } from "./types.js";

/**
 * Opens a page log, a classic directory or one `.wt` file for reading rows; nothing is created, locked or changed.
 * @throws InputError for what cannot be opened; TreeError `no-trees` for other inputs.
 */
export function openDatabase(path: string, options: DatabaseOptions = {}): Database {
  installNodeAccelerators();
  const input = detectInput(path, options.kind);
  if (isPageLogKind(input.kind)) return new PageLogDatabase(openDetectedPageLog(input), path, options);
  if (input.kind === "classic-directory") return new ClassicDatabase(input.target, path, options);
  if (input.kind === "wt-file") return new LoneFileDatabase(input.target, path, options);
  throw new TreeError("no-trees", `${path}: a ${input.kind} holds no tables`);
}
