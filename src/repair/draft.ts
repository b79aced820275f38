/** The metadata's rows as edits change them, one edit after the other; references and ids are looked after. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { METADATA_URI } from "../../formats/classic-home.js";
import { metadataRow } from "../../formats/metadata-row.js";
import { parseConfig } from "../codec/config.js";
import { configGetStruct, configGetText } from "../codec/config-edit.js";
import { FormatError } from "../codec/error.js";
import { encodeText } from "../codec/text.js";
import type { Metadata } from "./classic/home.js";
import type { RowChange } from "./classic/tree-edit.js";
import { RepairRefusal } from "./error.js";
import { type IdNamespace, namespaceOf, nextId } from "./ids.js";
import type { PlannedChange } from "./types.js";

/** A file that is put in place before the metadata names it. */
export interface NewFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** Files of the engine itself: nothing of them is taken away or renamed. */
const ENGINE_FILE = /^file:WiredTiger/;

export class Draft {
  readonly changes: PlannedChange[] = [];
  readonly files: NewFile[] = [];
  readonly afterwards = new Set<string>();
  /** Ids whose table gets another one. */
  readonly leftIds = new Set<bigint>();
  private readonly rows: Map<string, string>;
  private readonly ids = new Map<string, bigint>();

  constructor(
    readonly home: string,
    readonly metadata: Metadata,
  ) {
    this.rows = new Map([...metadata.rows].map(([uri, { value }]) => [uri, value]));
    for (const [uri, value] of this.rows) this.noteId(uri, value);
    this.ids.set(METADATA_URI, metadata.config.id ?? 0n);
  }

  private noteId(uri: string, value: string): void {
    const id = idOf(uri, value);
    if (id === undefined) this.ids.delete(uri);
    else this.ids.set(uri, id);
  }

  get uris(): Iterable<string> {
    return this.rows.keys();
  }

  has(uri: string): boolean {
    return this.rows.has(uri);
  }

  /** @throws RepairRefusal `uri-missing` */
  get(uri: string): string {
    const value = this.rows.get(uri);
    if (value !== undefined) return value;
    if (uri === METADATA_URI)
      throw new RepairRefusal("uri-missing", `${uri} is in the turtle file, and is not changed by itself`);
    const near = [...this.uris]
      .filter((known) => known.includes(uri.replace(/^\w+:|\.wt$/g, "")) && uri !== "")
      .slice(0, 5);
    const hint = near.length === 0 ? "" : `; there are ${near.join(", ")}`;
    throw new RepairRefusal("uri-missing", `no metadata row ${uri}${hint}`);
  }

  /** @throws RepairRefusal `value-invalid` when the row has become worse than it was. */
  put(uri: string, value: string, change: Omit<PlannedChange, "uri">): void {
    const old = this.rows.get(uri);
    const errors = rowErrors(uri, value);
    const known = new Set(old === undefined ? [] : rowErrors(uri, old));
    const added = errors.find((error) => !known.has(error));
    if (added !== undefined) throw new RepairRefusal("value-invalid", `${uri}: ${added}`);
    this.rows.set(uri, value);
    this.noteId(uri, value);
    this.changes.push({ uri, ...change });
  }

  remove(uri: string): void {
    const old = this.get(uri);
    if (ENGINE_FILE.test(uri) || uri.startsWith("system:"))
      throw new RepairRefusal("uri-invalid", `${uri} is the engine's own`);
    this.rows.delete(uri);
    this.ids.delete(uri);
    this.changes.push({ uri, old, new: null });
  }

  // Ids.

  get highestId(): bigint {
    let highest = 0n;
    for (const id of this.ids.values()) if (id > highest) highest = id;
    return highest;
  }

  idOf(uri: string): bigint | undefined {
    return this.ids.get(uri);
  }

  /** As the engine gives the next id. */
  nextId(namespace: IdNamespace): bigint {
    return nextId(this.highestId, this.metadata.engine.major, namespace);
  }

  /** Rows of files that have one id, where more than one has; the metadata's own row comes first. */
  duplicates(): Array<{ id: bigint; uris: string[] }> {
    const groups = new Map<bigint, string[]>();
    for (const [uri, id] of this.ids)
      if (uri.startsWith("file:")) groups.set(id, [...(groups.get(id) ?? []), uri]);
    return [...groups]
      .filter(([, uris]) => uris.length > 1)
      .map(([id, uris]) => ({ id, uris: uris.sort() }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** @throws RepairRefusal `id-used`, `id-below-highest`, `id-namespace`, `id-invalid` */
  checkNewId(uri: string, id: bigint, namespace: IdNamespace): void {
    if (id < 1n || id > MAX_ID)
      throw new RepairRefusal("id-invalid", `${uri}: ${id} is not from 1 to ${MAX_ID}`);
    const [other] = [...this.ids].filter(([known, used]) => used === id && known !== uri);
    if (other !== undefined) throw new RepairRefusal("id-used", `${uri}: ${other[0]} has id ${id}`);
    const { major } = this.metadata.engine;
    if (namespaceOf(id, major) !== namespace)
      throw new RepairRefusal(
        "id-namespace",
        `${uri}: the low three bits of ${id} are ${id & 7n}, and have to be ${namespace}; the next id is ${this.nextId(namespace)}`,
      );
    if (id <= this.highestId)
      throw new RepairRefusal(
        "id-below-highest",
        `${uri}: ${id} is not above the highest id, ${this.highestId}`,
      );
  }

  // Files.

  /** Bytes of the file of a `file:` row; undefined when there is none. */
  sizeOf(uri: string): number | undefined {
    const name = fileOf(uri);
    const planned = this.files.find((file) => file.name === name);
    return planned?.bytes.length ?? statSync(join(this.home, name), { throwIfNoEntry: false })?.size;
  }

  addFile(file: NewFile): void {
    if (existsSync(join(this.home, file.name)) || this.files.some(({ name }) => name === file.name))
      throw new RepairRefusal("file-exists", `${join(this.home, file.name)} is there already`);
    this.files.push(file);
  }

  // The end.

  /** @throws RepairRefusal `references-broken`, `nothing-to-do` */
  rowChanges(): RowChange[] {
    const before = new Map([...this.metadata.rows].map(([uri, { value }]) => [uri, value]));
    const known = new Set(brokenReferences(before));
    const broken = brokenReferences(this.rows).find((reference) => !known.has(reference));
    if (broken !== undefined) throw new RepairRefusal("references-broken", broken);
    const uris = new Set([...before.keys(), ...this.rows.keys()]);
    const changes = [...uris].filter((uri) => before.get(uri) !== this.rows.get(uri));
    if (changes.length === 0)
      throw new RepairRefusal("nothing-to-do", "the metadata is already as the edits ask");
    return changes
      .map((uri) => ({
        key: this.metadata.rows.get(uri)?.key ?? textBytes(uri),
        value: this.valueBytes(uri),
      }))
      .sort((a, b) => Buffer.compare(a.key, b.key));
  }

  private valueBytes(uri: string): Uint8Array | undefined {
    const value = this.rows.get(uri);
    return value === undefined ? undefined : textBytes(value);
  }
}

/** Ids with a higher bit are marked in the log. */
const MAX_ID = 0x7fffffffn;
const NUL = "\0";

/** Keys and values of the metadata end with a NUL. */
const textBytes = (text: string): Uint8Array => encodeText(text + NUL);

export const fileOf = (uri: string): string => uri.replace(/^file:/, "");

function idOf(uri: string, value: string): bigint | undefined {
  // Most rows have none, and parsing takes its time.
  if (uri.startsWith("system:") || !value.includes("id")) return undefined;
  try {
    const text = configGetText(parseConfig(value), ["id"]);
    return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** What is wrong with a row by itself. */
function rowErrors(uri: string, value: string): string[] {
  const { issues } = metadataRow.read(textBytesOfRow(uri, value));
  return issues
    .filter(({ severity }) => severity === "error")
    .map(({ path, message }) => `${path}: ${message}`);
}

const textBytesOfRow = (uri: string, value: string): Uint8Array => encodeText(`${uri}${NUL}${value}${NUL}`);

/** What rows name and is not there. */
function brokenReferences(rows: ReadonlyMap<string, string>): string[] {
  const broken: string[] = [];
  const need = (uri: string, named: string | undefined): void => {
    if (named !== undefined && named !== "" && !rows.has(named))
      broken.push(`${uri} needs ${named}, which is not there`);
  };
  for (const [uri, value] of rows) {
    const [kind, name = ""] = splitUri(uri);
    if (kind !== "table" && kind !== "colgroup" && kind !== "index") continue;
    const config = tryParse(value);
    if (config === undefined) continue;
    if (kind === "table") {
      const groups = configGetStruct(config, ["colgroups"])?.entries.map(({ key }) => key) ?? [];
      for (const group of groups.length === 0 ? [""] : groups)
        need(uri, `colgroup:${name}${group === "" ? "" : `:${group}`}`);
    } else {
      need(uri, configGetText(config, ["source"]));
      need(uri, `table:${name.split(":")[0]}`);
    }
  }
  return broken;
}

const splitUri = (uri: string): string[] => {
  const at = uri.indexOf(":");
  return [uri.slice(0, Math.max(at, 0)), uri.slice(at + 1)];
};

function tryParse(text: string): ReturnType<typeof parseConfig> | undefined {
  try {
    return parseConfig(text);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
