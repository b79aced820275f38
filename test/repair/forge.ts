/** Homes as no engine leaves them, with valid checksums. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { configSet, encodeText, parseConfig, writeConfig } from "../../src/codec/index.js";
import { METADATA_FILE, readMetadata, TURTLE_FILE } from "../../src/repair/classic/home.js";
import { buildTail } from "../../src/repair/classic/tail.js";

/** Gives a table an id without asking whether it is free. */
export function forgeDuplicate(home: string, uri: string, id: string): void {
  forgeRow(home, uri, (value) => writeConfig(configSet(parseConfig(value), ["id"], BigInt(id))));
}

/** Changes a row without asking anything. */
export function forgeRow(home: string, uri: string, change: (value: string) => string): void {
  const metadata = readMetadata(home);
  const row = metadata.rows.get(uri);
  if (row === undefined) throw new Error(`no row ${uri}`);
  const changes = [{ key: row.key, value: encodeText(`${change(row.value)}\0`) }];
  const { blocks, turtle } = buildTail(metadata, changes, { time: 0n });
  const file = openSync(join(home, METADATA_FILE), "r+");
  for (const { bytes, offset } of blocks) writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
  writeFileSync(join(home, TURTLE_FILE), encodeText(turtle));
}
