/** A classic home: turtle file, metadata, every table, the logs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { blockOf, classicCheckpointCookie } from "../../../formats/classic-cookie.js";
import { turtleFile, type TurtleFile } from "../../../formats/turtle-file.js";
import { FormatError, type Reading } from "../../codec/index.js";
import { FileAccess } from "../../store/file.js";
import { InputError } from "../../store/input-error.js";
import { MetadataSubject } from "../metadata.js";
import { PageVerifier } from "../page-verifier.js";
import type { FindingPlace } from "../rule.js";
import { metadataDuplicateId } from "../rules/metadata/duplicate-id.js";
import { metadataReferences } from "../rules/metadata/references.js";
import { metadataRowConfig } from "../rules/metadata/row-config.js";
import { metadataFileMissing, metadataFileUnlisted, metadataIncomplete, turtleFileFormat, turtleFileMissing, turtleFileVersion } from "../rules/classic/directory.js";
import type { Detected, Run } from "../run.js";
import { BlockReader } from "./block-reader.js";
import { FileVerifier } from "./file.js";
import { MetadataReader } from "./metadata-reader.js";
import { verifyLoneFile } from "./lone-file.js";
import { readTableConfig, type TableConfig } from "./table-config.js";
import { verifyLogs } from "./log-files.js";

const METADATA_URI = "file:WiredTiger.wt";
const TURTLE = "WiredTiger.turtle";

export class DirectoryVerifier {
  private readonly files: string[];

  constructor(
    private readonly home: string,
    private readonly run: Run,
    private readonly detected: Detected,
  ) {
    this.files = readdirSync(home).sort();
  }

  verify(): void {
    const turtle = this.verifyTurtle();
    const metadata = turtle === undefined ? undefined : this.verifyMetadata(turtle);
    if (metadata === undefined) this.verifyWithoutMetadata();
    else this.verifyTables(metadata);
    verifyLogs(this.home, this.files, this.run, this.detected);
  }

  private pathOf(file: string): string {
    return join(this.home, file);
  }

  private verifyTurtle(): { config: TableConfig; place: FindingPlace } | undefined {
    const path = this.pathOf(TURTLE);
    const { findings } = this.run;
    if (!existsSync(path)) {
      findings.add(turtleFileMissing, { path }, {
        message: "there is no turtle file",
        consequence: "an engine that opens this directory starts an empty database and renames WiredTiger.wt away",
      });
      return undefined;
    }
    const bytes = readFileSync(path);
    this.run.checked(0, bytes.length);
    const reading = turtleFile.read(bytes);
    for (const { path: field, message, code, severity, offset, expected, actual } of reading.issues)
      findings.add(turtleFileFormat, { path, ...(offset === undefined ? {} : { offset }) }, {
        severity,
        field,
        message: `${field === "" ? "" : `${field}: `}${message} (${code})`,
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
        ...(severity === "error" ? { consequence: "the engine cannot open the database" } : {}),
      });
    if (!reading.ok) return undefined;
    this.compareVersions(reading, path);
    return this.turtleConfig(bytes, path);
  }

  /** The file `WiredTiger` repeats the turtle's version text in its second line. */
  private compareVersions(reading: Reading<TurtleFile> & { ok: true }, path: string): void {
    const versionFile = this.pathOf("WiredTiger");
    if (!existsSync(versionFile)) return;
    const expected = readFileSync(versionFile, "utf8").split("\n")[1];
    const actual = reading.value.versionString;
    if (expected === undefined || expected === "" || expected === actual) return;
    this.run.findings.add(turtleFileVersion, { path }, { message: "the version text is not the one in the file WiredTiger", expected, actual });
  }

  /** The configuration line as text, for the offsets of its checkpoint addresses. */
  private turtleConfig(bytes: Uint8Array, path: string): { config: TableConfig; place: FindingPlace } | undefined {
    const text = new TextDecoder().decode(bytes);
    const key = text.startsWith(`${METADATA_URI}\n`) ? 0 : text.indexOf(`\n${METADATA_URI}\n`) + 1;
    const start = key + METADATA_URI.length + 1;
    const end = text.indexOf("\n", start);
    const offset = new TextEncoder().encode(text.slice(0, start)).length;
    try {
      const config = readTableConfig(METADATA_URI, text.slice(start, end === -1 ? undefined : end));
      return { config, place: { path, offset } };
    } catch (error) {
      if (error instanceof FormatError) return undefined;
      throw error;
    }
  }

  private verifyMetadata(turtle: { config: TableConfig; place: FindingPlace }): MetadataSubject | undefined {
    const path = this.pathOf(turtle.config.file);
    if (!existsSync(path)) {
      this.run.findings.add(metadataFileMissing, turtle.place, { message: `${turtle.config.file} is not there`, consequence: "no table can be found" });
      return undefined;
    }
    this.verifyFile(turtle.config, undefined, turtle.place);
    return this.readMetadata(turtle.config, path);
  }

  private verifyFile(config: TableConfig, table: string | undefined, configPlace: FindingPlace): void {
    const path = this.pathOf(config.file);
    const access = new FileAccess(path);
    try {
      new FileVerifier({ access, path, table, config, configPlace }, this.run, this.detected).verify();
    } finally {
      access.close();
    }
  }

  private readMetadata(config: TableConfig, path: string): MetadataSubject | undefined {
    const cookie = config.checkpoints.at(-1)?.cookie;
    const reading = cookie === undefined ? undefined : classicCheckpointCookie.read(cookie);
    const allocationSize = config.allocationSize ?? 4096;
    const root = reading?.ok === true ? blockOf(reading.value.root, allocationSize) : undefined;
    if (root === undefined) return undefined;
    const access = new FileAccess(path);
    try {
      const reader = new MetadataReader(path, allocationSize, new BlockReader(access), new PageVerifier(this.run, this.detected));
      reader.readTree(root);
      if (reader.damaged > 0)
        this.run.findings.add(metadataIncomplete, { path }, {
          message: `${reader.damaged} pages or rows of the metadata cannot be read`,
          consequence: "tables whose rows are lost are only found by looking at the files",
        });
      return reader.rows.length === 0 ? undefined : this.checkRows(reader, path);
    } finally {
      access.close();
    }
  }

  private checkRows(reader: MetadataReader, path: string): MetadataSubject {
    const ids = new Map<string, bigint>();
    for (const { uri, value } of reader.rows) {
      const id = uri.startsWith("file:") ? tryConfig(uri, value)?.id : undefined;
      if (id !== undefined) ids.set(uri, id);
    }
    const subject = new MetadataSubject(reader.rows, ids, { path });
    this.run.findings.check([metadataRowConfig, metadataDuplicateId, metadataReferences], subject);
    return subject;
  }

  private verifyTables(metadata: MetadataSubject): void {
    const listed = new Set(["WiredTiger.wt"]);
    for (const { uri, value, place } of metadata.rows) {
      if (!uri.startsWith("file:")) continue;
      const config = tryConfig(uri, value);
      if (config === undefined) continue;
      listed.add(config.file);
      if (this.files.includes(config.file)) this.verifyListed(config, uri, place);
      else if (config.checkpoints.length > 0 || !uri.endsWith("_stable"))
        this.run.findings.add(metadataFileMissing, { ...place, table: uri }, {
          message: `${config.file} is in the metadata, but not in the directory`,
          consequence: `${uri} cannot be opened`,
        });
    }
    const metadataPath = this.pathOf("WiredTiger.wt");
    for (const file of this.tableFiles()) {
      if (listed.has(file)) continue;
      this.run.findings.add(metadataFileUnlisted, { path: this.pathOf(file) }, { message: `${file} is not in the metadata (${metadataPath})` });
      verifyLoneFile(this.pathOf(file), this.run, this.detected);
    }
  }

  private verifyListed(config: TableConfig, uri: string, place: FindingPlace): void {
    try {
      this.verifyFile(config, uri, { ...place, table: uri });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.run.unchecked({ path: this.pathOf(config.file), table: uri }, error.message);
    }
  }

  private tableFiles(): string[] {
    return this.files.filter((file) => file.endsWith(".wt") || file.endsWith(".wt_ingest"));
  }

  /** Without metadata each file is taken for itself: its newest checkpoint can be found in it. */
  private verifyWithoutMetadata(): void {
    this.run.unchecked({ path: this.home }, "the metadata cannot be read: every file is checked on its own");
    for (const file of this.tableFiles()) if (file !== "WiredTiger.wt") verifyLoneFile(this.pathOf(file), this.run, this.detected);
  }
}

function tryConfig(uri: string, value: string): TableConfig | undefined {
  try {
    return readTableConfig(uri, value);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
