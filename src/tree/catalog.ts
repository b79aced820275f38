/** Tables by all their names, out of the rows of a metadata table (formats: turtle and disagg metadata §5). */
import { parseConfig } from "../codec/config.js";
import { configGetText } from "../codec/config-edit.js";
import { FormatError } from "../codec/error.js";
import { decodeText } from "../codec/text.js";
import { readTableConfig, type TableConfig } from "./table-config.js";
import type { ReportProblem, TreeRow } from "./types.js";

export interface CatalogEntry {
  readonly config: TableConfig;
  /** `table:t`, `layered:t`, `index:t:i`; the URI of the file where nothing else names it. */
  name: string;
}

/** Endings of file names below a table's own. */
const FILE_ENDINGS = ["", ".wt", ".wt_stable"];

/** Names listed where one is not found. */
const MAX_NAMES = 20;

export class Catalog {
  /** By URI of the file. */
  private readonly files = new Map<string, CatalogEntry>();
  /** From other names to the URI of the file. */
  private readonly sources = new Map<string, string>();

  /**
   * Takes in rows `file:`, `layered:`, `colgroup:` and `index:`; the others do not say where rows are.
   * @throws FormatError when the text is no configuration.
   */
  add(uri: string, text: string): void {
    const kind = uri.slice(0, uri.indexOf(":"));
    if (kind === "file") this.addFile(readTableConfig(uri, text));
    else if (kind === "layered") this.addSource(uri, configGetText(parseConfig(text), ["stable"]));
    else if (kind === "index") this.addSource(uri, configGetText(parseConfig(text), ["source"]));
    else if (kind === "colgroup") this.addColumnGroup(uri, text);
  }

  addFile(config: TableConfig): void {
    this.files.set(config.uri, { config, name: config.uri });
  }

  /** Takes in a file of another catalog under the names it has there. */
  adopt(config: TableConfig, from: Catalog): void {
    this.addFile(config);
    for (const [name, source] of from.sources)
      if (source === config.uri && !this.sources.has(name)) this.sources.set(name, source);
  }

  private addSource(name: string, source: string | undefined): void {
    if (source !== undefined && source !== "") this.sources.set(name, source);
  }

  /** `colgroup:t` is all of `table:t`; `colgroup:t:g` a part of its columns. */
  private addColumnGroup(uri: string, text: string): void {
    const source = configGetText(parseConfig(text), ["source"]);
    const table = uri.replace(/^colgroup:/, "");
    this.addSource(table.includes(":") ? uri : `table:${table}`, source);
  }

  /** Gives files the names applications use. To be called behind the last row. */
  finish(): this {
    for (const [name, source] of this.sources) {
      const entry = this.files.get(source);
      if (entry !== undefined) entry.name = name;
    }
    return this;
  }

  get isEmpty(): boolean {
    return this.files.size === 0;
  }

  /** Whether the file is in it. */
  has(uri: string): boolean {
    return this.files.has(uri);
  }

  /** By URI of the file. */
  entries(): CatalogEntry[] {
    return [...this.files.values()].sort((a, b) => (a.config.uri < b.config.uri ? -1 : 1));
  }

  find(name: string): CatalogEntry | undefined {
    return this.files.get(this.sources.get(name) ?? name) ?? this.findBare(name);
  }

  /** That there is no such table, and which there are. */
  unknownName(name: string): string {
    const names = this.entries().map((entry) => entry.name);
    const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : "";
    return `no table ${name}; there are ${names.slice(0, MAX_NAMES).join(", ") || "none"}${more}`;
  }

  private findBare(name: string): CatalogEntry | undefined {
    const whole = ["table", "layered"].map((kind) => this.sources.get(`${kind}:${name}`));
    const names = [...whole, ...FILE_ENDINGS.map((ending) => `file:${name}${ending}`)];
    for (const uri of names) {
      const entry = uri === undefined ? undefined : this.files.get(uri);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}

/** Metadata texts end with a NUL that is not part of them. */
const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);

/** The catalog of a metadata table's rows. Rows that cannot be read are reported and left out. */
export function readCatalog(rows: Iterable<TreeRow>, path: string, report: ReportProblem): Catalog {
  const catalog = new Catalog();
  for (const { key, value } of rows) {
    if (typeof key === "bigint") continue;
    try {
      catalog.add(textOf(key), textOf(value));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const message = `the metadata of ${textOf(key)} cannot be read: ${error.message}`;
      report({ code: "metadata", message, table: "", place: { path } });
    }
  }
  return catalog.finish();
}
