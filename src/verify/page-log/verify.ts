/** A page log: its checkpoints, the trees they lead to, and every record. */
import { namespacedId, specialTables } from "../../../formats/disagg-tables.js";
import { turtleCheckpoint } from "../../../formats/disagg-turtle.js";
import { bytesToHex } from "../../codec/json.js";
import type { EncryptedSample } from "../../page/images.js";
import type { PageLog, PageRecord } from "../../store/types.js";
import { SoundImages } from "../../tree/image-check.js";
import { PageVerifier } from "../page-verifier.js";
import { metadataCheckpoint } from "../rules/metadata/metadata-checkpoint.js";
import { metadataFileId } from "../rules/metadata/metadata-file-id.js";
import { checkpointAgreement } from "../rules/page-log/checkpoint-agreement.js";
import { checkpointCounter } from "../rules/page-log/checkpoint-counter.js";
import { checkpointKeyPage } from "../rules/page-log/checkpoint-key-page.js";
import { checkpointOrder } from "../rules/page-log/checkpoint-order.js";
import { checkpointRecordFormat } from "../rules/page-log/checkpoint-record.js";
import { checkpointSize } from "../rules/page-log/checkpoint-size.js";
import { checkpointTurtle } from "../rules/page-log/checkpoint-turtle.js";
import { lsnCounter } from "../rules/page-log/lsn-counter.js";
import { lsnGap } from "../rules/page-log/lsn-gap.js";
import { lsnUnique } from "../rules/page-log/lsn-unique.js";
import { metadataRoot } from "../rules/page-log/metadata-root.js";
import { orphanRecords } from "../rules/page-log/record-orphans.js";
import { unreachableRecords } from "../rules/page-log/record-unreachable.js";
import { storeContainer } from "../rules/page-log/store-container.js";
import type { Detected, Run } from "../run.js";
import { AddressBook } from "./address-book.js";
import { DisaggBlock } from "./block.js";
import { CheckpointSubject } from "./checkpoint.js";
import { LsnLedger } from "./lsn-ledger.js";
import { SharedMetadataReader } from "./metadata.js";
import { isKeyPage, isPlainPage, verifyPlainPage } from "./plain-pages.js";
import { RecordSubject } from "./record.js";
import { RecordPass } from "./records.js";
import { SeenAddresses } from "./seen-addresses.js";
import { TableDirectory, type TableInfo } from "./tables.js";
import { type TreeContext, TreeScan } from "./tree.js";

const checkpointRules = [checkpointTurtle, checkpointAgreement, checkpointKeyPage, checkpointOrder];
const { sharedMetadata } = specialTables;

export function verifyPageLog(store: PageLog, run: Run, detected: Detected): void {
  new PageLogVerifier(store, run, detected).verify();
}

class PageLogVerifier {
  private readonly ledger = new LsnLedger();
  private readonly tables = new TableDirectory();
  private readonly pages: PageVerifier;
  private readonly context: TreeContext;
  /** Trees that were walked for a checkpoint: most tables do not change from one to the next. */
  private readonly walked = new Set<string>();
  private walks = 0;
  /** Every page of the newest checkpoint's trees could be looked at. */
  private whole = true;
  /** LSN of the newest turtle page above the newest checkpoint. */
  private laterTurtle: bigint | undefined;

  constructor(
    private readonly store: PageLog,
    private readonly run: Run,
    private readonly detected: Detected,
  ) {
    const samples = (): Iterable<EncryptedSample> => this.encryptedBlocks();
    this.pages = new PageVerifier(run, detected, samples);
    const images = new SoundImages(run.options, samples);
    const seen = run.options.allCheckpoints === true ? new SeenAddresses() : undefined;
    this.context = { store, run, detected, images, book: new AddressBook(), unopened: new Map(), seen };
    detected.generations.add(store.generation);
  }

  verify(): void {
    const checkpoints = this.verifyCheckpoints();
    const newest = checkpoints.at(-1);
    const tables = this.walkCheckpoints(checkpoints);
    const pass = this.verifyRecords(checkpoints);
    if (newest !== undefined) this.verifyMetadata(newest, tables, pass);
    this.verifyLsns(pass);
    this.verifyCounter();
    this.reportMissingCounters();
    this.reportUnreached(pass);
    this.run.reportUncovered({ path: this.store.path });
    for (const issue of this.store.issues) this.reportContainer(issue);
  }

  /** Notes the addresses of the newest checkpoint's trees, or of all; returns the tables of the newest. */
  private walkCheckpoints(checkpoints: readonly CheckpointSubject[]): readonly TableInfo[] {
    const roots = checkpoints.flatMap(({ rootCookie }) => rootCookie ?? []);
    const reader = new SharedMetadataReader(this.context, roots);
    const newest = checkpoints.at(-1);
    if (newest === undefined) return [];
    const tables = this.walkCheckpoint(newest, reader);
    // Newest first: the facts of a table that is gone are those of the last checkpoint that had it.
    for (const checkpoint of checkpoints.slice(0, -1).reverse())
      if (this.run.options.allCheckpoints === true) this.walkCheckpoint(checkpoint, reader);
      else this.noteRoot(checkpoint, reader);
    this.context.book.sort();
    return tables;
  }

  private walkCheckpoint(checkpoint: CheckpointSubject, reader: SharedMetadataReader): readonly TableInfo[] {
    const own = this.metadataTable(checkpoint, reader);
    const root = own?.cookie;
    if (own === undefined || root === undefined) return [];
    const isNew = this.walkTree(own, root, checkpoint, "the turtle page");
    if (!isNew) return [];
    const { tables, whole } = reader.read(own.tableId, root, own.place);
    if (!whole) this.whole = false;
    this.tables.add(own);
    for (const table of tables) {
      this.tables.add(table);
      if (table.cookie !== undefined)
        this.walkTree(table, table.cookie, checkpoint, `the metadata row of ${table.uri}`);
    }
    return tables;
  }

  /** False when the same tree was walked before. */
  private walkTree(table: TableInfo, root: Uint8Array, { name }: CheckpointSubject, holder: string): boolean {
    const key = `${table.tableId} ${bytesToHex(root)}`;
    if (this.walked.has(key)) return false;
    this.walked.add(key);
    const scan = new TreeScan(this.context, table, this.walks++, name);
    scan.scan(root, table.place, holder);
    if (!scan.whole) this.whole = this.run.complete = false;
    return true;
  }

  /** Of older checkpoints, the root of the shared metadata; their trees are not walked. */
  private noteRoot(checkpoint: CheckpointSubject, reader: SharedMetadataReader): void {
    const own = this.metadataTable(checkpoint, reader);
    if (own?.cookie !== undefined)
      new TreeScan(this.context, own, this.walks++, checkpoint.name).note(
        own.cookie,
        own.place,
        "the turtle page",
      );
  }

  /** The shared metadata as a table; undefined when there is none, or its root is not in the log. */
  private metadataTable(checkpoint: CheckpointSubject, reader: SharedMetadataReader): TableInfo | undefined {
    const { rootCookie: cookie, turtleValue } = checkpoint;
    if (cookie === undefined || turtleValue === undefined) return undefined;
    const place = checkpoint.turtlePlace();
    const tableId = reader.tableOf(cookie);
    if (tableId === undefined) {
      this.run.findings.add(metadataRoot, place, {
        message: "the turtle page names a root of the shared metadata that is not in the log",
        consequence: "no table of this checkpoint can be found",
      });
      this.run.complete = false;
      return undefined;
    }
    const { uri } = sharedMetadata;
    const nextPageId = turtleCheckpoint(turtleValue)?.nextPageId;
    const plain = { compressor: "", encryptor: "", collator: "" };
    return { uri, tableId, ...plain, place, cookie, hasCheckpoint: true, nextPageId };
  }

  private verifyRecords(checkpoints: readonly CheckpointSubject[]): RecordPass {
    const { store, run, detected, tables, pages, ledger } = this;
    const newest = checkpoints.at(-1)?.turtleLsn;
    const named = new Set(
      checkpoints.flatMap(({ turtle, keyPage }) => [turtle?.lsn ?? [], keyPage?.lsn ?? []].flat()),
    );
    const plain = {
      has: isPlainPage,
      verify: (record: PageRecord): void => {
        if (newest !== undefined && record.lsn > newest && !isKeyPage(record)) this.noteTurtle(record);
        verifyPlainPage(record, run, detected);
      },
      isNamed: (lsn: bigint): boolean => named.has(lsn),
    };
    const { book, images, unopened } = this.context;
    const pass = new RecordPass({
      store,
      run,
      detected,
      tables,
      pages,
      plain,
      ledger,
      book,
      images,
      unopened,
    });
    pass.verify(newest);
    return pass;
  }

  private noteTurtle({ lsn }: PageRecord): void {
    if (this.laterTurtle === undefined || lsn > this.laterTurtle) this.laterTurtle = lsn;
  }

  /** What the newest checkpoint's metadata and the records say of each other. */
  private verifyMetadata(newest: CheckpointSubject, tables: readonly TableInfo[], pass: RecordPass): void {
    const { findings } = this.run;
    const { turtleValue, value } = newest;
    const largest =
      turtleValue !== undefined && "largestFileId" in turtleValue ? turtleValue.largestFileId : undefined;
    for (const { uri, tableId, place, hasCheckpoint } of tables) {
      if (!hasCheckpoint && pass.met.has(tableId))
        findings.add(
          metadataCheckpoint,
          { ...place, table: uri },
          {
            field: "checkpoint",
            message: `${uri} has pages in the log, and its metadata names no checkpoint`,
            consequence: `${uri}: all keys are out of reach`,
          },
        );
      if (largest !== undefined && namespacedId(tableId).number > largest)
        findings.add(
          metadataFileId,
          { ...place, table: uri },
          {
            field: "id",
            message: `the number of ${uri} is above the largest one given out`,
            expected: `at most ${largest}`,
            actual: namespacedId(tableId).number,
            consequence: "the next table may take the same id",
          },
        );
    }
    const size = value?.databaseSize;
    const live = BigInt(pass.liveBytes.get(newest.name) ?? 0);
    if (size !== undefined && this.whole && size !== live)
      findings.add(checkpointSize, newest.place(), {
        field: "databaseSize",
        message: "database_size is not the sum of the pages the checkpoint leads to",
        expected: live,
        actual: size,
      });
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

  /** Every checkpoint; those that can be opened are returned, in the order of their turtle pages. */
  private verifyCheckpoints(): CheckpointSubject[] {
    const readable: CheckpointSubject[] = [];
    const subjects = this.orderedCheckpoints();
    for (const subject of subjects) {
      // Only PALM gives checkpoints LSNs of their own.
      if (subject.isPalm) this.ledger.add(subject.record.lsn);
      this.run.checkpoints++;
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
    // An older checkpoint stands in for a newest one that cannot be opened.
    if (readable.at(-1) !== subjects.at(-1)) this.run.complete = false;
    return readable;
  }

  /** A checkpoint's own LSN may be what is damaged: its turtle page is a record with links and neighbours. */
  private orderedCheckpoints(): CheckpointSubject[] {
    const { store, run } = this;
    const subjects = store.checkpoints().map((record) => new CheckpointSubject(store, record, run.forced));
    const orderOf = ({ turtleLsn, record }: CheckpointSubject): bigint => turtleLsn ?? record.lsn;
    subjects.sort((a, b) => compareLsns(orderOf(a), orderOf(b)) || compareLsns(a.record.lsn, b.record.lsn));
    for (const [index, subject] of subjects.entries()) {
      subject.before = subjects[index - 1];
      subject.after = subjects[index + 1];
    }
    return subjects;
  }

  private verifyLsns(pass: RecordPass): void {
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
    this.verifyCheckpointLsns(limit);
    this.verifyGaps(pass, limit);
  }

  /** Those of checkpoints that are not among the LSNs of the records. */
  private verifyCheckpointLsns(limit: bigint | undefined): void {
    if (limit === undefined) return;
    for (const { lsn, checkpointId, place } of this.store.checkpoints())
      if (checkpointId === undefined && lsn > limit)
        this.run.findings.add(
          lsnCounter,
          { path: place.file, lsn },
          {
            message: "a checkpoint record has an LSN the store has not given yet",
            expected: `at most ${limit}`,
            actual: lsn,
            consequence: "it is taken for the newest checkpoint",
          },
        );
  }

  /** An export without checkpoints lacks their LSNs as well, unless its counters say that there were some. */
  private verifyGaps({ keepsCheckpointIds }: RecordPass, limit: bigint | undefined): void {
    const { store, run } = this;
    const { kind, path } = store;
    if (kind !== "palm" && (kind !== "page-log-jsonl" || !keepsCheckpointIds)) return;
    const completed = store.globals.checkpointCompleted ?? 0n;
    if (kind === "page-log-jsonl" && completed === 0n && store.checkpoints().length === 0) {
      const gaps = [...this.ledger.gaps(1n, limit)];
      if (gaps.length > 0)
        run.findings.add(
          lsnGap,
          { path },
          {
            severity: "info",
            message: `nothing has an LSN at ${gaps.length} places in the sequence: checkpoints take LSNs, and there are none in this input`,
            actual: gaps.length,
          },
        );
      return;
    }
    for (const { from, to } of this.ledger.gaps(1n, limit))
      run.findings.add(
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

  private verifyCounter(): void {
    const { checkpointCompleted: completed } = this.store.globals;
    const newest = this.store.checkpoints().at(-1);
    if (completed === undefined) return;
    const id = newest === undefined ? 0n : newest.checkpointId;
    if (id === undefined || id === completed) return;
    this.run.findings.add(
      checkpointCounter,
      { path: this.store.path, ...(newest === undefined ? {} : { lsn: newest.lsn }) },
      {
        message:
          newest === undefined
            ? `the store completed checkpoint ${completed}, and there is no checkpoint record`
            : `the store completed checkpoint ${completed}, and the newest record is of ${id}`,
        expected: completed,
        actual: id,
        consequence:
          id < completed ? "newer checkpoints are lost" : "the next checkpoint may take an id that is in use",
      },
    );
  }

  /**
   * Without its counters a log can end anywhere: what was lost at its end cannot be told, and the report is not
   * complete. An export may have been made without them; a store always has them.
   */
  private reportMissingCounters(): void {
    const { kind, globals, path } = this.store;
    if (kind === "memory" || kind === "page-service-jsonl" || globals.lsnCounter !== undefined) return;
    const [counters, lost] =
      globals.checkpointCompleted === undefined
        ? ["LSN and checkpoint counters", "records and checkpoints"]
        : ["LSN counter", "records"];
    this.run.unchecked(
      { path },
      `the input has no ${counters}: ${lost} lost at its end cannot be told`,
      kind === "page-log-jsonl" ? "info" : "warning",
    );
  }

  private reportUnreached({ orphans, unreached }: RecordPass): void {
    const { path } = this.store;
    const { findings, options } = this.run;
    const lost = this.lostCheckpoint();
    const orphaned = `${orphans.records} records (${orphans.bytes} bytes) belong to no completed checkpoint`;
    if (orphans.records > 0 && lost !== undefined)
      findings.add(
        orphanRecords,
        { path, lsn: lost },
        {
          severity: "warning",
          message: `${orphaned}: the turtle page before LSN ${lost} is whole, that LSN was given, and no checkpoint record has it`,
          actual: orphans.records,
          consequence:
            "the newest checkpoint may be lost, if its completion was not under way when the store was left",
        },
      );
    else if (orphans.records > 0)
      findings.add(orphanRecords, { path }, { message: orphaned, actual: orphans.records });
    if (options.allCheckpoints === true && this.whole && unreached.records > 0)
      findings.add(
        unreachableRecords,
        { path },
        {
          message: `no checkpoint leads to ${unreached.records} records (${unreached.bytes} bytes)`,
          actual: unreached.records,
        },
      );
  }

  /** LSN a checkpoint record would have behind a turtle page no checkpoint names, when it was given to nothing that is there. */
  private lostCheckpoint(): bigint | undefined {
    const { lsnCounter, lsnCounterIs } = this.store.globals;
    if (this.laterTurtle === undefined || lsnCounter === undefined) return undefined;
    const lsn = this.laterTurtle + 1n;
    if (lsn > (lsnCounterIs === "next" ? lsnCounter - 1n : lsnCounter)) return undefined;
    const isThere = this.ledger.has(lsn) || this.store.checkpoints().some((record) => record.lsn === lsn);
    return isThere ? undefined : lsn;
  }

  private reportContainer(issue: PageLog["issues"][number]): void {
    const { code, severity, message, place, path, expected, actual } = issue;
    if (UNREAD.has(code) && severity === "error") this.run.complete = false;
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

/** Issues that mean that a whole file, or a column of one, could not be looked at. */
const UNREAD: ReadonlySet<string> = new Set(["palite-file", "palite-columns"]);

const compareLsns = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
