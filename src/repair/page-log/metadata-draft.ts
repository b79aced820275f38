/** Rows of the shared metadata as edits change them: texts, with the trees the file rows name. */
import { metadataRow, readMetadataRow } from "../../../formats/metadata-row.js";
import { type ConfigTree, parseConfig, writeConfig } from "../../codec/config.js";
import { configGet, configGetText, configSet } from "../../codec/config-edit.js";
import { FormatError } from "../../codec/error.js";
import { decodeText, encodeText } from "../../codec/text.js";
import { treeOfEntry } from "../../write/checkpoint/entry.js";
import { type FileRow, storedRow } from "../../write/checkpoint/metadata-rows.js";
import type { WriteGeneration } from "../../write/generation.js";
import type { RowEdit, TreeState, WriteRow } from "../../write/types.js";
import { RepairRefusal } from "../error.js";
import type { PlannedChange } from "../types.js";

const NUL = "\0";
const ENGINE_FILE = /^file:WiredTiger/;

export class MetadataDraft {
  readonly changes: PlannedChange[] = [];
  private readonly before = new Map<string, string>();
  private readonly rows: Map<string, string>;

  constructor(
    private readonly generation: WriteGeneration,
    stored: Iterable<WriteRow>,
  ) {
    for (const { key, value } of stored) this.before.set(textOf(key), textOf(value));
    this.rows = new Map(this.before);
  }

  get uris(): string[] {
    return [...this.rows.keys()];
  }

  has(uri: string): boolean {
    return this.rows.has(uri);
  }

  /** @throws RepairRefusal `uri-missing` */
  get(uri: string): string {
    const value = this.rows.get(uri);
    if (value !== undefined) return value;
    const name = uri.replace(/^\w+:/, "");
    const near = this.uris.filter((known) => name !== "" && known.includes(name)).slice(0, 5);
    const hint = near.length === 0 ? "" : `; there are ${near.join(", ")}`;
    throw new RepairRefusal("uri-missing", `no row ${uri} in the shared metadata${hint}`);
  }

  /** @throws RepairRefusal `value-invalid` */
  put(uri: string, value: string, change?: Omit<PlannedChange, "uri">): void {
    const old = this.rows.get(uri);
    const known = new Set(old === undefined ? [] : rowErrors(uri, old));
    const added = rowErrors(uri, value).find((error) => !known.has(error));
    if (added !== undefined) throw new RepairRefusal("value-invalid", `${uri}: ${added}`);
    this.rows.set(uri, value);
    if (change !== undefined) this.changes.push({ uri, ...change });
  }

  /** @throws RepairRefusal `uri-missing`, `uri-invalid` */
  remove(uri: string): void {
    const old = this.get(uri);
    if (ENGINE_FILE.test(uri) || uri.startsWith("system:"))
      throw new RepairRefusal("uri-invalid", `${uri} is the engine's own`);
    this.rows.delete(uri);
    this.changes.push({ uri, old, new: null });
  }

  /** A file row, undefined where it cannot be read as one. */
  file(uri: string): FileRow | undefined {
    const value = this.rows.get(uri);
    if (value === undefined || !uri.startsWith("file:")) return undefined;
    const reading = readMetadataRow(encodeText(uri + NUL), encodeText(value + NUL));
    return reading.ok && reading.value.kind === "file" ? reading.value : undefined;
  }

  files(): FileRow[] {
    return this.uris.flatMap((uri) => this.file(uri) ?? []);
  }

  /** The tree a file row names. */
  tree(row: FileRow): TreeState | undefined {
    const entry = row.config.checkpoint?.at(-1);
    return entry && treeOfEntry(this.generation, entry);
  }

  /** Puts id and checkpoint of a row into its text; everything else stays byte for byte. */
  replaceTree(row: FileRow, change?: Omit<PlannedChange, "uri">): void {
    const built = parseConfig(textOf(storedRow(row).value));
    let config = parsed(row.uri, this.get(row.uri));
    for (const key of ["id", "checkpoint"]) {
      const value = configGet(built, [key]);
      if (value !== undefined && configGet(config, [key]) !== undefined)
        config = configSet(config, [key], value);
    }
    this.put(row.uri, writeConfig(config), change);
  }

  duplicates(): Array<{ id: bigint; uris: string[] }> {
    const groups = new Map<number, string[]>();
    for (const { uri, config } of this.files())
      if (config.id !== undefined) groups.set(config.id, [...(groups.get(config.id) ?? []), uri]);
    return [...groups]
      .filter(([, uris]) => uris.length > 1)
      .map(([id, uris]) => ({ id: BigInt(id), uris: uris.sort() }));
  }

  /** @throws RepairRefusal `nothing-to-do`, unless there may be none; `references-broken` */
  edits(mayBeNone: boolean): RowEdit[] {
    const broken = (rows: ReadonlyMap<string, string>): string[] => [...rows].flatMap(brokenIn(rows));
    const known = new Set(broken(this.before));
    const added = broken(this.rows).find((reference) => !known.has(reference));
    if (added !== undefined) throw new RepairRefusal("references-broken", added);
    if (this.rows.size === 0)
      throw new RepairRefusal("metadata-form", "no row of the shared metadata would be left");
    const uris = new Set([...this.before.keys(), ...this.rows.keys()]);
    const edits = [...uris]
      .filter((uri) => this.before.get(uri) !== this.rows.get(uri))
      .map((uri) => {
        const value = this.rows.get(uri);
        return {
          key: encodeText(uri + NUL),
          value: value === undefined ? undefined : encodeText(value + NUL),
        };
      });
    if (edits.length === 0 && !mayBeNone)
      throw new RepairRefusal("nothing-to-do", "the shared metadata is already as the edits ask");
    return edits.sort((a, b) => Buffer.compare(a.key, b.key));
  }
}

/** @throws RepairRefusal `value-invalid` */
export function parsed(what: string, text: string): ConfigTree {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("value-invalid", `${what}: ${error.message}`);
  }
}

const textOf = (bytes: Uint8Array): string => decodeText(bytes).replace(/\0$/, "");

function rowErrors(uri: string, value: string): string[] {
  const { issues } = metadataRow.read(encodeText(`${uri}${NUL}${value}${NUL}`));
  return issues
    .filter(({ severity }) => severity === "error")
    .map(({ path, message }) => `${path}: ${message}`);
}

/** A layered table needs its part in the page log; the other one is local. */
const brokenIn =
  (rows: ReadonlyMap<string, string>) =>
  ([uri, value]: readonly [string, string]): string[] => {
    if (!uri.startsWith("layered:")) return [];
    const stable = configGetText(parsed(uri, value), ["stable"]);
    return stable === undefined || rows.has(stable) ? [] : [`${uri} needs ${stable}, which is not there`];
  };
