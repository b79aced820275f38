/** What edits are to make of a page log's metadata, by plain rules: what repairs of page logs are measured by. */

import { parseConfig, writeConfigValue } from "../../src/codec/config.js";
import { FormatError } from "../../src/codec/index.js";
import type { RepairEdit } from "../../src/repair/index.js";
import { Broken } from "../target.js";

/** A row: its text as it was, or its keys where some are to be others. */
interface ExpectedRow {
  readonly text?: string;
  readonly keys: ReadonlyMap<string, string>;
  /** Keys that follow from pages, so that it is not said here what they are; `all`: every key that is not in `keys`. */
  readonly open: ReadonlySet<string> | "all";
}

const NONE: ReadonlySet<string> = new Set();
const OF_PAGES: ReadonlySet<string> = new Set(["id", "checkpoint"]);
const CHECKPOINT: ReadonlySet<string> = new Set(["checkpoint"]);
/** Values that any key which takes text can have. */
const PLAIN_VALUES: ReadonlySet<string> = new Set(["1", "-1", "false", "snappy", '"owner=ops"']);
const PLAIN_NAME = /^\w{1,20}$/;
const PLAIN_TABLE = "key_format=S,value_format=S";

export class MetadataModel {
  private readonly rows: Map<string, ExpectedRow>;
  private readonly distinctIds: boolean;
  /** Every edit is one that can be done. */
  private isSure: boolean;
  private hasChanged = false;
  /** An edit that cannot be done. */
  private impossible: string | undefined;

  /** @param before texts of rows by URI, without the NUL behind either. */
  constructor(before: ReadonlyMap<string, string>, edits: readonly RepairEdit[]) {
    this.rows = new Map([...before].map(([uri, text]) => [uri, { text, keys: keysOf(text), open: NONE }]));
    this.distinctIds = areDistinct([...this.rows.values()].map(({ keys }) => keys.get("id")));
    this.isSure = this.distinctIds;
    for (const edit of edits) this.add(edit);
  }

  /** Refusing these edits would be a mistake, where the log is sound. */
  get mustBeDone(): boolean {
    return this.isSure && this.hasChanged && this.impossible === undefined;
  }

  /** @throws Broken where the rows of the new store, with their NULs, are not what the edits ask. */
  check(made: ReadonlyMap<string, string>): void {
    if (this.impossible !== undefined) throw new Broken(`done all the same: ${this.impossible}`);
    const rows = new Map([...made].map(([key, value]) => [withoutNul(key), withoutNul(value)]));
    for (const uri of rows.keys()) if (!this.rows.has(uri)) throw new Broken(`a row ${uri} nobody asked for`);
    for (const [uri, expected] of this.rows) checkRow(uri, expected, rows.get(uri));
    if (this.distinctIds && !areDistinct([...rows.values()].map((text) => keysOf(text).get("id"))))
      throw new Broken("two rows have one id");
  }

  /** Whether a row is to be there. */
  has(uri: string): boolean {
    return this.rows.has(uri);
  }

  private add(edit: RepairEdit): void {
    switch (edit.edit) {
      case "set":
        this.set(edit.uri, edit.key, edit.value);
        break;
      case "change-id":
        this.changeId(edit.uri, edit.id);
        break;
      case "insert":
        this.isSure = false;
        this.put(edit.uri, { text: edit.config, keys: keysOf(edit.config), open: NONE });
        break;
      case "remove":
        this.isSure &&= edit.uri.startsWith("layered:");
        this.known(edit.uri);
        this.rows.delete(edit.uri);
        this.hasChanged = true;
        break;
      case "create-table":
        this.createTable(edit.name, edit.config);
        break;
      default:
        this.isSure = false;
        this.openAll(OF_PAGES);
    }
  }

  private set(uri: string, key: string, value: string): void {
    const row = this.known(uri);
    if (row === undefined) return;
    const top = key.split(".")[0] as string;
    if (!row.keys.has(top)) this.impossible ??= `${uri} has no key ${key}`;
    this.isSure &&= key === "app_metadata" && PLAIN_VALUES.has(value);
    const keys = new Map(row.keys);
    const open = top === key ? row.open : withKeys(row.open, new Set([top]));
    const [written] = keysOf(`x=${value}`).values();
    this.hasChanged ||= written !== keys.get(key);
    if (top === key) keys.set(key, written ?? "");
    this.rows.set(uri, { keys, open });
  }

  private changeId(uri: string, id: string): void {
    const row = this.known(uri);
    if (row === undefined) return;
    this.isSure &&= id === "auto" && uri.startsWith("file:") && !uri.startsWith("file:WiredTiger");
    this.hasChanged = true;
    this.rows.set(uri, { keys: row.keys, open: withKeys(row.open, OF_PAGES) });
    // Older values go with the table; of tables that share an id, page ids are kept apart.
    this.openAll(CHECKPOINT, (other) => !this.distinctIds || other.startsWith("file:WiredTiger"));
  }

  private createTable(name: string, config: string): void {
    this.isSure &&= PLAIN_NAME.test(name) && config === PLAIN_TABLE;
    for (const uri of [`file:${name}.wt_stable`, `layered:${name}`])
      this.put(uri, { keys: keysOf(config), open: "all" });
  }

  private put(uri: string, row: ExpectedRow): void {
    if (this.rows.has(uri)) this.impossible ??= `there is a row ${uri}`;
    this.rows.set(uri, row);
    this.hasChanged = true;
  }

  private known(uri: string): ExpectedRow | undefined {
    const row = this.rows.get(uri);
    if (row === undefined) this.impossible ??= `there is no row ${uri}`;
    return row;
  }

  private openAll(keys: ReadonlySet<string>, chosen: (uri: string) => boolean = () => true): void {
    for (const [uri, row] of this.rows)
      if (uri.startsWith("file:") && chosen(uri))
        this.rows.set(uri, { keys: row.keys, open: withKeys(row.open, keys) });
  }
}

function checkRow(uri: string, { text, keys, open }: ExpectedRow, made: string | undefined): void {
  if (made === undefined) throw new Broken(`no row ${uri}`);
  if (text !== undefined) {
    if (text !== made) throw new Broken(`${uri} is another row`);
    return;
  }
  const found = keysOf(made);
  for (const [key, value] of keys)
    if (found.get(key) !== value && (open === "all" || !open.has(key)))
      throw new Broken(`${uri}: ${key} is ${found.get(key)}, not ${value}`);
  if (open === "all") return;
  for (const key of found.keys()) if (!keys.has(key)) throw new Broken(`${uri}: a key ${key}`);
}

/** Values of a row's keys as text; of text that is none, no key. */
function keysOf(text: string): Map<string, string> {
  try {
    const { entries } = parseConfig(text);
    return new Map(entries.map(({ key, value }) => [key, writeConfigValue(value)]));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return new Map();
  }
}

const withKeys = (open: ExpectedRow["open"], keys: ReadonlySet<string>): ExpectedRow["open"] =>
  open === "all" ? open : new Set([...open, ...keys]);

function areDistinct(ids: ReadonlyArray<string | undefined>): boolean {
  const known = ids.filter((id) => id !== undefined);
  return new Set(known).size === known.length;
}

function withoutNul(stored: string): string {
  if (stored.indexOf("\0") !== stored.length - 1)
    throw new Broken(`${JSON.stringify(stored)} in the metadata`);
  return stored.slice(0, -1);
}
