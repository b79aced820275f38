/** The engine verifies no metadata file up to release 11, but the same bytes as a table of another directory. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig, writeConfig } from "../codec/config.js";
import { configSet } from "../codec/config-edit.js";
import { applyRepair } from "./apply.js";
import { METADATA_FILE, readMetadata, TURTLE_FILE } from "./classic/home.js";
import { Draft } from "./draft.js";
import { type EngineVerdict, runEngine } from "./engine.js";
import { prepareRepair } from "./prepare.js";

const COPY = "metadata-copy.wt";
const VERSION_FILE = "WiredTiger";

/** In a directory of its own, which has the home's metadata and nothing else, the copy being one of its tables. */
export function verifyMetadataCopy(home: string, program?: string): EngineVerdict {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-metadata-"));
  try {
    const scratch = join(folder, "home");
    makeHome(home, scratch);
    return runEngine(scratch, ["verify", `file:${COPY}`], "mmap=false", program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeHome(home: string, scratch: string): void {
  mkdirSync(scratch);
  for (const name of [TURTLE_FILE, METADATA_FILE, VERSION_FILE])
    if (existsSync(join(home, name))) copyFileSync(join(home, name), join(scratch, name));
  copyFileSync(join(home, METADATA_FILE), join(scratch, COPY));
  const metadata = readMetadata(scratch);
  const config = configSet(
    parseConfig(metadata.turtle.config),
    ["id"],
    new Draft(scratch, metadata).nextId(0n),
  );
  const edit = { edit: "insert", uri: `file:${COPY}`, config: writeConfig(config) } as const;
  const { plan } = prepareRepair(scratch, [edit], { forceUnlocked: true });
  applyRepair(plan, { journal: join(scratch, "..", "journal"), forceUnlocked: true });
}
