/** A classic home: turtle file, metadata, every table, the logs. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { blockOf, classicCheckpointCookie } from "../../../formats/classic-cookie.js";
import { HISTORY_STORE_URI } from "../../../formats/classic-home.js";
import { FormatError } from "../../codec/index.js";
import { FileAccess } from "../../store/file.js";
import { inputErrorOf } from "../../store/input-error.js";
import { type LogPosition, readTableConfig, type TableConfig } from "../../tree/table-config.js";
import { isInPageLog, MetadataSubject } from "../metadata.js";
import { PageVerifier } from "../page-verifier.js";
import type { FindingPlace } from "../rule.js";
import { metadataFileMissing } from "../rules/classic/metadata-file-missing.js";
import { metadataFileUnlisted } from "../rules/classic/metadata-file-unlisted.js";
import { metadataIncomplete } from "../rules/classic/metadata-incomplete.js";
import { metadataDuplicateId } from "../rules/metadata/metadata-duplicate-id.js";
import { metadataNamespace } from "../rules/metadata/metadata-namespace.js";
import { metadataReferences } from "../rules/metadata/metadata-reference.js";
import { metadataRowConfig } from "../rules/metadata/metadata-row-config.js";
import { metadataTable } from "../rules/metadata/metadata-table.js";
import { metadataUri } from "../rules/metadata/metadata-uri.js";
import { unsupportedVersion } from "../rules/run/unsupported-version.js";
import type { Detected, Run } from "../run.js";
import { verifyBaseConfig } from "./base-config.js";
import { BlockReader } from "./block-reader.js";
import { FileVerifier } from "./file.js";
import { verifyHistory } from "./history.js";
import { verifyLogs } from "./log-files.js";
import { verifyLoneFile } from "./lone-file.js";
import { MetadataReader } from "./metadata-reader.js";
import { type MetadataSource, verifyTurtle } from "./turtle.js";

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
    const before = this.run.findings.count(unsupportedVersion.code);
    const turtle = this.attempt({ path: this.home }, () => verifyTurtle(this.home, this.run, this.detected));
    // Nothing is known of what a newer release writes.
    if (this.run.findings.count(unsupportedVersion.code) > before) return;
    this.attempt({ path: this.home }, () => verifyBaseConfig(this.home, turtle?.release, this.run));
    const metadata = turtle === undefined ? undefined : this.verifyMetadata(turtle);
    if (metadata === undefined) this.verifyWithoutMetadata();
    else this.verifyTables(metadata);
    this.attempt({ path: this.home }, () =>
      verifyLogs(this.home, lastLogged(metadata), this.run, this.detected),
    );
  }

  private pathOf(file: string): string {
    return join(this.home, file);
  }

  private verifyMetadata(turtle: MetadataSource): MetadataSubject | undefined {
    const path = this.pathOf(turtle.config.file);
    if (!existsSync(path)) {
      this.run.findings.add(metadataFileMissing, turtle.place, {
        message: `${turtle.config.file} is not there`,
        consequence: "no table can be found",
      });
      return undefined;
    }
    const known = this.attempt({ path }, () => this.verifyFile(turtle.config, undefined, turtle.place));
    return known === true ? this.readMetadata(turtle.config, path) : undefined;
  }

  private verifyFile(config: TableConfig, table: string | undefined, configPlace: FindingPlace): boolean {
    const path = this.pathOf(config.file);
    const access = new FileAccess(path);
    try {
      return new FileVerifier({ access, path, table, config, configPlace }, this.run, this.detected).verify();
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
      const reader = new MetadataReader(
        path,
        allocationSize,
        new BlockReader(access),
        new PageVerifier(this.run, this.detected),
      );
      reader.readTree(root);
      if (reader.damaged > 0)
        this.run.findings.add(
          metadataIncomplete,
          { path },
          {
            message: `${reader.damaged} pages or rows of the metadata cannot be read`,
            consequence: "tables whose rows are lost are only found by looking at the files",
          },
        );
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
    const subject = new MetadataSubject(reader.rows, ids, { path }, "local");
    this.run.findings.check(
      [
        metadataRowConfig,
        metadataUri,
        metadataDuplicateId,
        metadataNamespace,
        metadataReferences,
        metadataTable,
      ],
      subject,
    );
    return subject;
  }

  private verifyTables(metadata: MetadataSubject): void {
    const listed = new Set(["WiredTiger.wt"]);
    for (const row of metadata.rows) {
      const { uri, value, place } = row;
      if (!uri.startsWith("file:")) continue;
      const config = tryConfig(uri, value);
      if (config === undefined) continue;
      listed.add(config.file);
      if (this.files.includes(config.file)) this.verifyListed(config, uri, place, metadata);
      else if (!isInPageLog(row))
        this.run.findings.add(
          metadataFileMissing,
          { ...place, table: uri },
          {
            message: `${config.file} is in the metadata, but not in the directory`,
            consequence: `${uri} cannot be opened`,
          },
        );
    }
    const metadataPath = this.pathOf("WiredTiger.wt");
    for (const file of this.tableFiles()) {
      if (listed.has(file)) continue;
      this.run.findings.add(
        metadataFileUnlisted,
        { path: this.pathOf(file) },
        { message: `${file} is not in the metadata (${metadataPath})` },
      );
      this.verifyAlone(file);
    }
  }

  private verifyListed(
    config: TableConfig,
    uri: string,
    place: FindingPlace,
    { ids }: MetadataSubject,
  ): void {
    const file = { path: this.pathOf(config.file), table: uri };
    const known = this.attempt(file, () => this.verifyFile(config, uri, { ...place, table: uri }));
    if (known === true && uri === HISTORY_STORE_URI)
      this.attempt(file, () => verifyHistory(file.path, config, new Set(ids.values()), this.run));
  }

  private verifyAlone(file: string): void {
    const path = this.pathOf(file);
    this.attempt({ path }, () => verifyLoneFile(path, this.run, this.detected));
  }

  /** A file that cannot be read does not stop the check of the others. */
  private attempt<T>(place: FindingPlace, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const reason = inputErrorOf(place.path, error);
      this.run.refused({ ...place, path: reason.path }, reason);
      return undefined;
    }
  }

  private tableFiles(): string[] {
    return this.files.filter((file) => file.endsWith(".wt") || file.endsWith(".wt_ingest"));
  }

  /** Without metadata each file is taken for itself: its newest checkpoint can be found in it. */
  private verifyWithoutMetadata(): void {
    this.run.unchecked({ path: this.home }, "the metadata cannot be read: every file is checked on its own");
    for (const file of this.tableFiles()) if (file !== "WiredTiger.wt") this.verifyAlone(file);
  }
}

/** The last position in the log that a table names. */
function lastLogged(metadata: MetadataSubject | undefined): LogPosition | undefined {
  let last: LogPosition | undefined;
  for (const { uri, value } of metadata?.rows ?? []) {
    const lsn = uri.startsWith("file:") ? tryConfig(uri, value)?.checkpointLsn : undefined;
    if (lsn === undefined) continue;
    const isLater =
      last === undefined || lsn.file > last.file || (lsn.file === last.file && lsn.offset > last.offset);
    if (isLater) last = lsn;
  }
  return last;
}

function tryConfig(uri: string, value: string): TableConfig | undefined {
  try {
    return readTableConfig(uri, value);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
