/** The size a checkpoint says it has, compared with the blocks of its tree. */
import { blockOf, classicAddressCookie, classicCheckpointCookie } from "../../formats/classic-cookie.js";
import { type ConfigValue, parseConfig, writeConfig, writeConfigValue } from "../codec/config.js";
import { configGet, configSet } from "../codec/config-edit.js";
import { FormatError } from "../codec/error.js";
import { bytesToHex } from "../codec/json.js";
import { PageWalker } from "../page/walk.js";
import type { AddressCell } from "../page/walk-types.js";
import { openDatabase, type Table, TreeError } from "../tree/index.js";
import { type CheckpointEntry, readTableConfig, type TableConfig } from "../tree/table-config.js";
import type { Draft } from "./draft.js";
import { RepairRefusal } from "./error.js";

/** Sets `size=` and the size in the cookie of every checkpoint that says another one than its tree has. */
export function fixCheckpointSizes(draft: Draft): void {
  const database = openDatabase(draft.home, { kind: "classic-directory" });
  const before = draft.changes.length;
  try {
    for (const uri of [...draft.uris].filter((one) => one.startsWith("file:"))) {
      const config = configOf(draft, uri);
      if (config === undefined) continue;
      for (const checkpoint of config.checkpoints)
        if (checkpoint.cookie !== undefined && draft.sizeOf(uri) !== undefined)
          fix(draft, uri, checkpoint, config.allocationSize ?? 4096, () =>
            database.table(uri, checkpoint.name),
          );
    }
  } finally {
    database.close();
  }
  if (draft.changes.length === before)
    throw new RepairRefusal("nothing-to-do", "every checkpoint that can be read has the size it says");
}

/** Undefined for a row that cannot be read: it stays as it is. */
function configOf(draft: Draft, uri: string): TableConfig | undefined {
  try {
    return readTableConfig(uri, draft.get(uri));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    draft.afterwards.add(`${uri}: its row cannot be read, so no size was looked at (${error.message})`);
    return undefined;
  }
}

function fix(draft: Draft, uri: string, checkpoint: CheckpointEntry, unit: number, open: () => Table): void {
  const reading = classicCheckpointCookie.read(checkpoint.cookie as Uint8Array);
  const root = reading.ok ? blockOf(reading.value.root, unit) : undefined;
  if (!reading.ok) return;
  let bytes: number;
  try {
    bytes = root === undefined ? 0 : root.size + bytesBelow(open(), unit);
  } catch (error) {
    if (!(error instanceof TreeError || error instanceof FormatError)) throw error;
    draft.afterwards.add(
      `${uri}, ${checkpoint.name}: damaged, so its size was not looked at (${error.message})`,
    );
    return;
  }
  const path = ["checkpoint", checkpoint.name];
  const cookie = classicCheckpointCookie.build({
    ...reading.value,
    ckptSize: BigInt(bytes - (root?.size ?? 0)),
  });
  set(draft, uri, [...path, "size"], String(bytes), "bytes of the blocks of its tree");
  set(
    draft,
    uri,
    [...path, "addr"],
    bytesToHex(cookie),
    "the same less the root, in the checkpoint's cookie",
  );
}

function set(draft: Draft, uri: string, path: string[], value: string, why: string): void {
  const old = draft.get(uri);
  const tree = parseConfig(old);
  const next = writeConfig(configSet(tree, path, value));
  if (next === old) return;
  const at = (text: string): string => writeConfigValue(configGet(parseConfig(text), path) as ConfigValue);
  draft.put(uri, next, { key: path.join("."), old: at(old), new: at(next), why });
}

/** Bytes of everything the tree's pages name: children, also deleted ones, and overflow items. */
function bytesBelow(table: Table, unit: number): number {
  const walker = new PageWalker({ anyKeyOrder: true });
  let bytes = 0;
  for (const { page } of table.pages()) {
    const [part] = page.parts;
    if (part === undefined) continue;
    const count = ({ cookieStart, cookieEnd }: AddressCell): void => {
      bytes += blockOf(classicAddressCookie.parse(part.image.slice(cookieStart, cookieEnd)), unit)?.size ?? 0;
    };
    walker.walk(part.image, part.layout, { child: count, overflow: count });
  }
  return bytes;
}
