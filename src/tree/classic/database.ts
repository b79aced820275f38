/** Tables of a classic directory, or of one file of it. */
import { basename, dirname, join } from "node:path";
import { DEFAULT_ALLOCATION_SIZE } from "../../../formats/classic-cookie.js";
import { HISTORY_STORE_URI, METADATA_URI } from "../../../formats/classic-home.js";
import { turtleFile } from "../../../formats/turtle-file.js";
import { FormatError } from "../../codec/error.js";
import { decodeText } from "../../codec/text.js";
import { listClassicFiles } from "../../store/classic-directory.js";
import { FileAccess, readRange } from "../../store/file.js";
import { InputError } from "../../store/input-error.js";
import { Catalog, type CatalogEntry, readCatalog } from "../catalog.js";
import { SoundImages } from "../image-check.js";
import { refuseNewer } from "../newer.js";
import { TreeError } from "../problem.js";
import { readTableConfig, type TableConfig } from "../table-config.js";
import type { CheckpointInfo, Database, DatabaseOptions, Table, TableInfo, TreeProblem } from "../types.js";
import { findCheckpoint } from "./found-checkpoint.js";
import { ClassicTables, descriptionProblem } from "./tables.js";

const METADATA_FILE = METADATA_URI.replace(/^file:/, "");
const TURTLE = "WiredTiger.turtle";
/** Real ones have a few KB; of larger files the rest is not read. */
const MAX_TURTLE = 16 * 1024 * 1024;
/** Endings of a file's name below that of its table. */
const ENDINGS = ["", ".wt", ".wt_ingest"];

export class ClassicDatabase implements Database {
  readonly kind = "classic-directory";
  readonly problems: TreeProblem[] = [];
  private readonly all: ClassicTables;
  private readonly catalog: Catalog;

  constructor(
    private readonly home: string,
    readonly path: string,
    options: DatabaseOptions,
  ) {
    this.all = new ClassicTables(home, new SoundImages(options), options.allocationSize);
    try {
      this.catalog = this.readMetadata();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  checkpoints(): readonly CheckpointInfo[] {
    const metadata = this.catalog.find(METADATA_URI);
    return metadata === undefined ? [] : this.all.info(metadata).checkpoints;
  }

  tables(checkpoint?: string): TableInfo[] {
    const infos = this.catalog.entries().map((entry) => this.all.info(entry));
    if (checkpoint === undefined) return infos;
    return infos.filter(({ checkpoints }) => checkpoints.some(({ name }) => name === checkpoint));
  }

  table(name: string, checkpoint?: string): Table {
    const entry = this.catalog.find(name) ?? this.unlisted(name);
    if (entry === undefined) throw new TreeError("no-table", this.catalog.unknownName(name));
    return this.all.table(entry, checkpoint, () => this.catalog.find(HISTORY_STORE_URI));
  }

  close(): void {
    this.all.close();
  }

  private report(message: string, path: string): void {
    this.add({ code: "metadata", message, table: "", place: { path } });
  }

  /** The second way to the metadata may meet what the first one met. */
  private add(problem: TreeProblem): void {
    const known = ({ message, place }: TreeProblem): boolean =>
      message === problem.message &&
      place.path === problem.place.path &&
      place.offset === problem.place.offset;
    if (!this.problems.some(known)) this.problems.push(problem);
  }

  /** By the turtle file; where that leads nowhere, by what WiredTiger.wt says of itself. */
  private readMetadata(): Catalog {
    const named = this.turtleConfig();
    if (named?.checkpoints.length === 0) this.reportNoCheckpoint(named);
    const catalog = named && this.catalogOf(named);
    if (catalog !== undefined && this.problems.length === 0) return catalog;
    const found = this.foundConfig(METADATA_FILE);
    const second = found && this.catalogOf(found);
    const [best, other] = [catalog ?? new Catalog(), second ?? new Catalog()];
    return other.entries().length > best.entries().length ? other : best;
  }

  /** Before its first checkpoint WiredTiger.wt is no more than its description block. */
  private reportNoCheckpoint({ file, allocationSize = DEFAULT_ALLOCATION_SIZE }: TableConfig): void {
    const size = this.all.access(file)?.size ?? 0;
    if (size > allocationSize)
      this.report(
        `the configuration of ${file} names no checkpoint, though the file has ${size} bytes`,
        join(this.home, TURTLE),
      );
  }

  private turtleConfig(): TableConfig | undefined {
    const path = join(this.home, TURTLE);
    try {
      const text = metadataLine(path, this.path);
      if (text !== undefined) return readTableConfig(METADATA_URI, text);
      this.report(`there is no line ${METADATA_URI}`, path);
    } catch (error) {
      if (error instanceof InputError && error.code === "input-unsupported") throw error;
      if (error instanceof InputError) this.report(error.reason, path);
      else if (error instanceof FormatError)
        this.report(`the line behind ${METADATA_URI}: ${error.message}`, path);
      else throw error;
    }
    return undefined;
  }

  private catalogOf(config: TableConfig): Catalog {
    const entry = { config, name: METADATA_URI };
    const onProblem = (problem: TreeProblem): void => this.add(problem);
    const table = this.all.table(entry, undefined, () => undefined);
    const catalog = readCatalog(table.rows({ onProblem }), this.all.pathOf(config.file), onProblem);
    catalog.addFile(config);
    return catalog.finish();
  }

  /** A file that the metadata does not name, by its own information. */
  private unlisted(name: string): CatalogEntry | undefined {
    const bare = name.replace(/^(?:file|table):/, "");
    for (const ending of ENDINGS) {
      const file = `${bare}${ending}`;
      if (!listClassicFiles(this.home).some((known) => known.name === file)) continue;
      const config = this.foundConfig(file);
      if (config === undefined) continue;
      this.report(
        `the metadata does not name ${file}: its newest checkpoint is read from the file`,
        this.home,
      );
      return { config, name: config.uri };
    }
    return undefined;
  }

  private foundConfig(file: string): TableConfig | undefined {
    const access = this.all.access(file);
    if (access === undefined) return undefined;
    const found = findCheckpoint(access, this.all.unitOf({ allocationSize: undefined }, access));
    return found && { ...found.config, uri: `file:${file}`, file };
  }
}

/** One file without its home: it tells itself what it is. */
export class LoneFileDatabase implements Database {
  readonly kind = "wt-file";
  readonly problems: TreeProblem[] = [];
  private readonly all: ClassicTables;
  private readonly entry: CatalogEntry | undefined;

  constructor(
    file: string,
    readonly path: string,
    options: DatabaseOptions,
  ) {
    this.all = new ClassicTables(dirname(file), new SoundImages(options), options.allocationSize);
    const name = basename(file);
    const access = this.all.access(name);
    if (access === undefined) throw new InputError("input-missing", path, "no such file");
    const unit = this.all.unitOf({ allocationSize: undefined }, access);
    try {
      descriptionProblem(access, unit);
    } catch (error) {
      this.close();
      throw error;
    }
    const found = findCheckpoint(access, unit);
    const uri = `file:${name}`;
    if (found !== undefined) this.entry = { config: { ...found.config, uri, file: name }, name: uri };
    else if (access.size > unit)
      this.problems.push({
        code: "metadata",
        message: "no checkpoint can be found in the file",
        table: uri,
        place: { path },
        lost: {},
      });
  }

  checkpoints(): readonly CheckpointInfo[] {
    return this.tables()[0]?.checkpoints ?? [];
  }

  tables(): TableInfo[] {
    return this.entry === undefined ? [] : [this.all.info(this.entry)];
  }

  /** The file is the one table there is. */
  table(name: string, checkpoint?: string): Table {
    const { entry } = this;
    if (entry === undefined) throw new TreeError("no-table", `no table ${name}: no checkpoint is known`);
    const file = entry.config.file;
    const names = [file, entry.config.uri, file.replace(/\.wt$/, ""), `table:${file.replace(/\.wt$/, "")}`];
    if (!names.includes(name)) throw new TreeError("no-table", `no table ${name}; there is ${entry.name}`);
    return this.all.table(entry, checkpoint, () => undefined);
  }

  close(): void {
    this.all.close();
  }
}

/**
 * The line behind the one that names the metadata file; undefined when there is none.
 * @throws InputError `input-unsupported` for a home of a release too new
 */
function metadataLine(path: string, home: string): string | undefined {
  const access = new FileAccess(path);
  try {
    const bytes = readRange(access, 0, MAX_TURTLE);
    refuseNewer(turtleFile.read(bytes).issues, home, "the home");
    const lines = decodeText(bytes).split("\n");
    const at = lines.findIndex((line, index) => index % 2 === 0 && line === METADATA_URI);
    return at === -1 ? undefined : lines[at + 1];
  } finally {
    access.close();
  }
}
