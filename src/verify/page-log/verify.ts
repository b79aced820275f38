/** A page log: its checkpoints, every record, and the trees of its newest checkpoint. */
import { addressCookie } from "../../../formats/address-cookie.js";
import { specialTables } from "../../../formats/disagg-tables.js";
import { hasStop } from "../../../formats/time-window.js";
import { FormatError } from "../../codec/index.js";
import { decodeText } from "../../codec/text.js";
import type { EncryptedSample } from "../../page/images.js";
import type { PageLog } from "../../store/types.js";
import { readTableConfig } from "../../tree/table-config.js";
import { readAs } from "../generation.js";
import { type MetadataRow, MetadataSubject } from "../metadata.js";
import { PageVerifier } from "../page-verifier.js";
import type { FindingPlace } from "../rule.js";
import { metadataDuplicateId } from "../rules/metadata/metadata-duplicate-id.js";
import { metadataReferences } from "../rules/metadata/metadata-reference.js";
import { metadataRowConfig } from "../rules/metadata/metadata-row-config.js";
import { addressAgreement } from "../rules/page-log/address-agreement.js";
import { addressFormat } from "../rules/page-log/address-cookie.js";
import { addressRecord } from "../rules/page-log/address-record.js";
import { checkpointAgreement } from "../rules/page-log/checkpoint-agreement.js";
import { checkpointKeyPage } from "../rules/page-log/checkpoint-key-page.js";
import { checkpointOrder } from "../rules/page-log/checkpoint-order.js";
import { checkpointRecordFormat } from "../rules/page-log/checkpoint-record.js";
import { checkpointTurtle } from "../rules/page-log/checkpoint-turtle.js";
import { lsnCounter } from "../rules/page-log/lsn-counter.js";
import { lsnGap } from "../rules/page-log/lsn-gap.js";
import { lsnUnique } from "../rules/page-log/lsn-unique.js";
import { metadataRoot } from "../rules/page-log/metadata-root.js";
import { orphanRecords } from "../rules/page-log/record-orphans.js";
import { storeContainer } from "../rules/page-log/store-container.js";
import type { Detected, Run } from "../run.js";
import { AddressSubject } from "./address.js";
import { DisaggBlock } from "./block.js";
import { CheckpointSubject } from "./checkpoint.js";
import { LsnLedger } from "./lsn-ledger.js";
import { isPlainPage, verifyPlainPage } from "./plain-pages.js";
import { RecordSubject } from "./record.js";
import { RecordPass } from "./records.js";
import { TableDirectory } from "./tables.js";
import { PageLogTree } from "./tree.js";

const checkpointRules = [checkpointTurtle, checkpointAgreement, checkpointKeyPage, checkpointOrder];
/** The shared metadata's table id in every store of mid-2025. */
const OLD_SHARED_METADATA = 9n;

export function verifyPageLog(store: PageLog, run: Run, detected: Detected): void {
  new PageLogVerifier(store, run, detected).verify();
}

class PageLogVerifier {
  private readonly ledger = new LsnLedger();
  private readonly tables = new TableDirectory();
  private readonly pages: PageVerifier;

  constructor(
    private readonly store: PageLog,
    private readonly run: Run,
    private readonly detected: Detected,
  ) {
    this.pages = new PageVerifier(run, detected, () => this.encryptedBlocks());
    detected.generations.add(store.generation);
  }

  verify(): void {
    const checkpoints = this.verifyCheckpoints();
    const newest = checkpoints.at(-1);
    // An older checkpoint stands in for a newest one that cannot be opened.
    if (newest?.record.lsn !== this.store.checkpoints().at(-1)?.lsn) this.run.complete = false;
    if (newest !== undefined) this.verifyMetadata(newest);
    this.verifyRoots(checkpoints.slice(0, -1));
    const plain = {
      has: isPlainPage,
      verify: (record: Parameters<typeof verifyPlainPage>[0]) =>
        verifyPlainPage(record, this.run, this.detected),
    };
    const pass = new RecordPass(
      this.store,
      this.run,
      this.detected,
      this.tables,
      this.pages,
      plain,
      this.ledger,
    );
    pass.verify(newest?.record);
    this.verifyTables();
    this.verifyLsns();
    if (pass.orphans > 0)
      this.run.findings.add(
        orphanRecords,
        { path: this.store.path },
        {
          message: `${pass.orphans} records (${pass.orphanBytes} bytes) belong to no completed checkpoint`,
          actual: pass.orphans,
        },
      );
    for (const issue of this.store.issues) this.reportContainer(issue);
  }

  private *encryptedBlocks(): IterableIterator<EncryptedSample> {
    const block = new DisaggBlock(this.run.forced.block);
    const subject = new RecordSubject(this.store);
    for (const record of this.store.records()) {
      subject.record = record;
      if (isPlainPage(record.tableId, record.pageId) || !block.set(subject) || !block.encrypted) continue;
      const { combinedHeaderSize, memSize, compressed, encrypted, bytes } = block;
      yield { bytes, shape: { combinedHeaderSize, memSize, compressed, encrypted } };
    }
  }

  /** Every checkpoint; those that can be opened are returned. */
  private verifyCheckpoints(): CheckpointSubject[] {
    const records = this.store.checkpoints();
    const readable: CheckpointSubject[] = [];
    for (const [index, record] of records.entries()) {
      this.ledger.add(record.lsn);
      this.run.checkpoints++;
      const subject = new CheckpointSubject(this.store, record, records[index - 1], this.run.forced);
      const { generation, issues } = subject.reading;
      if (generation !== undefined) this.detected.generations.add(`checkpoint record ${generation}`);
      this.run.findings.addIssues(checkpointRecordFormat, subject.place(), issues);
      this.run.findings.check(checkpointRules, subject);
      if (subject.turtleValue !== undefined) readable.push(subject);
    }
    if (readable.length === 0)
      this.run.unchecked(
        { path: this.store.path },
        "no checkpoint can be opened: records are checked one by one, not as trees",
      );
    return readable;
  }

  private verifyMetadata(checkpoint: CheckpointSubject): void {
    const { rootCookie } = checkpoint;
    if (rootCookie === undefined) return;
    const place = checkpoint.turtlePlace();
    const tableId = this.sharedMetadataId(rootCookie);
    if (tableId === undefined) {
      this.run.findings.add(metadataRoot, place, {
        message: "the turtle page names a root of the shared metadata that is not in the log",
        consequence: "no table of this checkpoint can be found",
      });
      this.run.complete = false;
      return;
    }
    const rows: MetadataRow[] = [];
    const { uri } = specialTables.sharedMetadata;
    const tree = new PageLogTree(
      this.store,
      { tableId, uri, compressor: "", encryptor: "" },
      this.run,
      this.detected,
      this.pages,
      {
        leaf: (found, leaf) => {
          for (const row of found)
            if (row.key !== undefined && !(row.window !== undefined && hasStop(row.window)))
              rows.push({ uri: textOf(row.key), value: textOf(row.data), place: leaf });
        },
      },
    );
    this.tables.add({
      uri,
      tableId,
      compressor: "",
      encryptor: "",
      cookie: undefined,
      checkpoint: checkpoint.name,
    });
    tree.verify(rootCookie, place);
    if (!tree.whole)
      this.run.unchecked(
        place,
        "not all of the shared metadata can be read: tables may be missing from this check",
      );
    this.addTables(rows, place, checkpoint);
  }

  /** Of older checkpoints, the root of the shared metadata; their trees are not walked. */
  private verifyRoots(checkpoints: readonly CheckpointSubject[]): void {
    for (const checkpoint of checkpoints) {
      const { rootCookie } = checkpoint;
      if (rootCookie === undefined) continue;
      const tableId = this.sharedMetadataId(rootCookie);
      const place = checkpoint.turtlePlace();
      if (tableId === undefined)
        this.run.findings.add(metadataRoot, place, {
          message: "the turtle page names a root of the shared metadata that is not in the log",
          consequence: "no table of this checkpoint can be found",
        });
      else
        this.run.findings.check(
          [addressRecord, addressAgreement],
          new AddressSubject(this.store, tableId, rootCookie, place),
        );
    }
  }

  /** Old stores do not say which table the shared metadata is: page id and LSN of the root tell. */
  private sharedMetadataId(cookie: Uint8Array): bigint | undefined {
    const reading = addressCookie.read(cookie, readAs(this.run.forced.cookie));
    if (!reading.ok || !("lsn" in reading.value)) return undefined;
    const { pageId, lsn } = reading.value;
    for (const id of [...specialTables.sharedMetadata.ids, OLD_SHARED_METADATA])
      if (this.store.record(id, pageId, lsn) !== undefined) return id;
    for (const record of this.store.records())
      if (record.lsn === lsn && record.pageId === pageId) return record.tableId;
    return undefined;
  }

  private addTables(rows: readonly MetadataRow[], place: FindingPlace, checkpoint: CheckpointSubject): void {
    const ids = new Map<string, bigint>();
    for (const { uri, value, place: rowPlace } of rows) {
      if (!uri.startsWith("file:")) continue;
      try {
        const { id, compressor, encryptor, checkpoints } = readTableConfig(uri, value);
        const consequence = `${uri} cannot be opened`;
        const where = { ...rowPlace, table: uri };
        const error = checkpoints.at(-1)?.error;
        if (error !== undefined)
          this.run.findings.add(addressFormat, where, {
            field: "addr",
            message: `addr= of the newest checkpoint of ${uri} is no hex text: ${error.message}`,
            consequence,
          });
        if (id === undefined)
          this.run.findings.add(metadataRowConfig, where, {
            field: "id",
            message: `${uri} has no id`,
            consequence,
          });
        if (error !== undefined || id === undefined) this.run.complete = false;
        if (id === undefined) continue;
        ids.set(uri, id);
        this.tables.add({
          uri,
          tableId: id,
          compressor,
          encryptor,
          cookie: checkpoints.at(-1)?.cookie,
          checkpoint: checkpoint.name,
        });
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    this.run.findings.check(
      [metadataRowConfig, metadataDuplicateId, metadataReferences],
      new MetadataSubject(rows, ids, place),
    );
  }

  private verifyTables(): void {
    for (const table of this.tables.all()) {
      if (table.cookie === undefined) continue;
      const holder = {
        path: this.store.path,
        table: table.uri,
        tableId: table.tableId,
        checkpoint: table.checkpoint,
      };
      const tree = new PageLogTree(this.store, table, this.run, this.detected, this.pages);
      tree.verify(table.cookie, holder);
      if (!tree.whole) this.run.complete = false;
    }
  }

  private verifyLsns(): void {
    const { globals, path } = this.store;
    for (const lsn of this.ledger.duplicates())
      this.run.findings.add(lsnUnique, { path, lsn }, { message: `LSN ${lsn} was given more than once` });
    const { lsnCounter: counter } = globals;
    const highest = this.ledger.highest;
    const limit =
      counter === undefined ? undefined : globals.lsnCounterIs === "next" ? counter - 1n : counter;
    if (limit !== undefined && highest > limit)
      this.run.findings.add(
        lsnCounter,
        { path, lsn: highest },
        {
          message: "a record has an LSN the store has not given yet",
          expected: `at most ${limit}`,
          actual: highest,
          consequence: "the next record will take an LSN that is in use",
        },
      );
    if (this.store.kind !== "palm" && this.store.kind !== "page-log-jsonl") return;
    for (const { from, to } of this.ledger.gaps(1n, limit))
      this.run.findings.add(
        lsnGap,
        { path, lsn: from },
        {
          message:
            from === to
              ? `nothing has LSN ${from}: a record or checkpoint is missing`
              : `nothing has the LSNs ${from} to ${to}: records or checkpoints are missing`,
          expected: from,
        },
      );
  }

  private reportContainer(issue: PageLog["issues"][number]): void {
    const { code, severity, message, place, path, expected, actual } = issue;
    this.run.findings.add(
      storeContainer,
      { path: place.file, ...(place.offset === undefined ? {} : { offset: place.offset }) },
      {
        severity,
        field: path,
        message: `${message} (${code}${place.line === undefined ? "" : `, line ${place.line}`})`,
        ...(expected === undefined ? {} : { expected }),
        ...(actual === undefined ? {} : { actual }),
      },
    );
  }
}

const textOf = (bytes: Uint8Array): string => decodeText(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);
