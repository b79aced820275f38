/** One `.wt` file: description block, checkpoints, extent lists, trees. */

import { CLASSIC_BLOCK } from "../../../formats/block-header.js";
import {
  blockOf,
  type ClassicCheckpointCookie,
  classicCheckpointCookie,
  DEFAULT_ALLOCATION_SIZE,
} from "../../../formats/classic-cookie.js";
import {
  DESCRIPTION_WINDOW,
  descriptionBlock,
  findAllocationSize,
  isAllocationSize,
} from "../../../formats/description-block.js";
import { type Extent, extentList } from "../../../formats/extent-list.js";
import { defined } from "../../codec/issue.js";
import { STANDARD_INPUT } from "../../store/input.js";
import type { RandomAccess } from "../../store/types.js";
import type { CheckpointEntry, TableConfig } from "../../tree/table-config.js";
import type { FindingPlace, Rule } from "../rule.js";
import { blockPlace } from "../rules/block/block-place.js";
import { classicChecksum } from "../rules/block/classic-checksum.js";
import { classicHeader } from "../rules/block/classic-header.js";
import { checkpointCookieFormat } from "../rules/classic/checkpoint-cookie.js";
import { extentListFormat } from "../rules/classic/extent-list.js";
import { fileDescription } from "../rules/classic/file-description.js";
import { fileSize } from "../rules/classic/file-size.js";
import { fileTail } from "../rules/classic/file-tail.js";
import { spaceUnreferenced } from "../rules/classic/space-unreferenced.js";
import { unsupportedVersion } from "../rules/run/unsupported-version.js";
import type { Detected, Run } from "../run.js";
import { type BlockAddress, ClassicBlock, keysOf } from "./block.js";
import { BlockChecker } from "./block-checker.js";
import { BlockReader } from "./block-reader.js";
import { LeafPool } from "./leaf-pool.js";
import { LeafQueue } from "./leaf-queue.js";
import { type CheckpointLists, SpaceAccounting } from "./space.js";
import { TreeWalk } from "./tree.js";
import type { UnitSet } from "./unit-set.js";
import { findUnreferenced } from "./unreferenced.js";

const blockRules: readonly Rule<ClassicBlock>[] = [classicChecksum, classicHeader];

export interface ClassicFile {
  readonly access: RandomAccess;
  /** As findings name it. */
  readonly path: string;
  readonly table: string | undefined;
  readonly config: TableConfig;
  /** Where the checkpoint list is kept, for findings about cookies. */
  readonly configPlace: FindingPlace;
}

export class FileVerifier {
  readonly allocationSize: number;
  private readonly reader: BlockReader;
  private readonly block: ClassicBlock;

  constructor(
    private readonly file: ClassicFile,
    private readonly run: Run,
    private readonly detected: Detected,
  ) {
    this.reader = new BlockReader(file.access);
    this.allocationSize = this.findAllocationSize();
    this.block = new ClassicBlock(
      file.path,
      file.table,
      this.allocationSize,
      keysOf(file.config, run.options),
    );
    detected.allocationSizes.add(this.allocationSize);
  }

  private get place(): FindingPlace {
    const { path, table } = this.file;
    return table === undefined ? { path } : { path, table };
  }

  private findAllocationSize(): number {
    const { config, access } = this.file;
    const forced = this.run.options.allocationSize ?? config.allocationSize;
    if (forced !== undefined && isAllocationSize(forced)) return forced;
    const start = this.reader.read(0, Math.min(DESCRIPTION_WINDOW, access.size));
    return findAllocationSize(start) ?? DEFAULT_ALLOCATION_SIZE;
  }

  /** False for a file of a version too new: nothing of it can be judged. */
  verify(): boolean {
    if (!this.verifyDescription()) return false;
    const pool = this.startThreads();
    try {
      const { config } = this.file;
      const checker = new BlockChecker(config, this.reader, this.block, this.run, this.detected);
      this.verifyCheckpoints(new TreeWalk(checker, new LeafQueue(checker, this.run, pool), this.run));
      return true;
    } finally {
      pool?.close();
    }
  }

  private startThreads(): LeafPool | undefined {
    // Threads open the file for themselves.
    if (this.file.path === STANDARD_INPUT) return undefined;
    const { path, table, config, access } = this.file;
    const { threads, compressor, rotnKeyId, maxFindingsPerCode, showKeys } = this.run.options;
    const options = defined({ compressor, rotnKeyId, maxFindingsPerCode, showKeys });
    const { kind } = this.detected;
    const file = { path, table, allocationSize: this.allocationSize, config, kind, options };
    return LeafPool.for(file, access.size, threads, this.detected);
  }

  private verifyCheckpoints(walk: TreeWalk): void {
    const { checkpoints } = this.file.config;
    const cookies = checkpoints.map((entry) => this.readCookie(entry));
    const newest = cookies.at(-1);
    this.verifySize(newest);
    const space = new SpaceAccounting(this.file.access.size, this.allocationSize, walk.referenced);
    const unread = this.run.unreadPages;
    checkpoints.forEach((entry, i) => {
      this.run.checkpoints++;
      const cookie = cookies[i];
      if (cookie !== undefined) space.add(this.readLists(entry, cookie), cookie);
      else if (entry.cookie !== undefined || entry.error !== undefined) space.unknown();
    });
    // Newest first: what earlier checkpoints share with it is checked once.
    for (let i = checkpoints.length - 1; i >= 0; i--) {
      this.verifyTree(checkpoints[i] as CheckpointEntry, cookies[i], walk);
      if (i === checkpoints.length - 1) space.setNewestTree(walk.referenced);
    }
    space.claimLists(this.run.findings, this.place);
    const seenWhole = this.run.unreadPages === unread;
    this.scanUnreferenced(walk.referenced, seenWhole);
    if (newest !== undefined) this.reportSpace(space, Number(newest.fileSize), seenWhole);
    this.run.reportUncovered(this.place);
  }

  private reportSpace(space: SpaceAccounting, fileSize: number, seenWhole: boolean): void {
    const open = space.report(this.run.findings, this.place, fileSize, seenWhole);
    if (open !== undefined) this.run.unchecked(this.place, open, "info");
  }

  /** Without a readable checkpoint every block is unreferenced, and worth knowing of all the same. */
  private scanUnreferenced(referenced: UnitSet, seenWhole: boolean): void {
    const { blocks, bytes, first } = findUnreferenced(this.file.access, this.allocationSize, referenced);
    if (blocks === 0) return;
    this.run.findings.add(
      spaceUnreferenced,
      { ...this.place, ...(first === undefined ? {} : { offset: first }) },
      {
        message: `${blocks} sound blocks (${bytes} bytes) lie in space no ${seenWhole ? "checkpoint" : "page that can be read"} refers to`,
        actual: blocks,
      },
    );
  }

  private verifyDescription(): boolean {
    const before = this.run.findings.count(unsupportedVersion.code);
    const { access } = this.file;
    const bytes = this.reader.read(0, Math.min(this.allocationSize, access.size));
    const { issues } = descriptionBlock.read(bytes, { params: { allocationSize: this.allocationSize } });
    this.run.findings.addIssues(fileDescription, { ...this.place, offset: 0 }, issues, {
      consequence: "the engine refuses to open the file",
      offsets: "file",
    });
    this.run.checked(0, bytes.length);
    return this.run.findings.count(unsupportedVersion.code) === before;
  }

  private readCookie(entry: CheckpointEntry): ClassicCheckpointCookie | undefined {
    const place = this.entryPlace(entry);
    const consequence = "the checkpoint cannot be read";
    if (entry.lacks !== undefined)
      this.run.findings.add(checkpointCookieFormat, place, {
        message: `the checkpoint ${entry.name} has no ${entry.lacks.map((key) => `${key}=`).join(", ")}`,
        consequence: "the engine refuses to open the file",
      });
    if (entry.error !== undefined) {
      this.run.findings.add(checkpointCookieFormat, place, {
        message: `no cookie: ${entry.error.message}`,
        consequence,
      });
      return undefined;
    }
    if (entry.cookie === undefined) return undefined;
    const reading = classicCheckpointCookie.read(entry.cookie, {
      params: { allocationSize: this.allocationSize },
    });
    this.run.findings.addIssues(checkpointCookieFormat, place, reading.issues, { consequence });
    return reading.ok ? reading.value : undefined;
  }

  private entryPlace(entry: CheckpointEntry): FindingPlace {
    const { configPlace, table } = this.file;
    const offset = configPlace.offset === undefined ? undefined : configPlace.offset + entry.addressOffset;
    return {
      ...configPlace,
      ...(offset === undefined || configPlace.table !== undefined ? {} : { offset }),
      ...(table === undefined ? {} : { table }),
      checkpoint: entry.name,
    };
  }

  private verifySize(newest: ClassicCheckpointCookie | undefined): void {
    if (newest === undefined) return;
    const subject = {
      size: this.file.access.size,
      expected: Number(newest.fileSize),
      place: () => this.place,
    };
    this.run.findings.check([fileSize, fileTail], subject);
  }

  private verifyTree(
    entry: CheckpointEntry,
    cookie: ClassicCheckpointCookie | undefined,
    walk: TreeWalk,
  ): void {
    const root = cookie === undefined ? undefined : blockOf(cookie.root, this.allocationSize);
    this.block.checkpoint = entry.name;
    if (root !== undefined) walk.verify(root, this.entryPlace(entry));
  }

  private readLists(entry: CheckpointEntry, cookie: ClassicCheckpointCookie): CheckpointLists {
    const place = this.entryPlace(entry);
    this.block.checkpoint = entry.name;
    return {
      alloc: this.readExtents("alloc", cookie, place),
      avail: this.readExtents("avail", cookie, place),
      discard: this.readExtents("discard", cookie, place),
    };
  }

  /** The ranges of a list; none where there is no list, undefined where it cannot be read. */
  private readExtents(
    name: keyof CheckpointLists,
    cookie: ClassicCheckpointCookie,
    holder: FindingPlace,
  ): readonly Extent[] | undefined {
    const location = blockOf(cookie[name], this.allocationSize);
    if (location === undefined) return [];
    const block = this.readBlock(location, holder);
    if (block === undefined) return undefined;
    const sound = this.run.findings.counts.error;
    this.run.findings.check(
      blockRules,
      this.block.set(block, location.offset, location.size, location.checksum, "extent list"),
    );
    this.run.checked(1, block.length);
    // Fields of a block that is damaged anyway would only repeat that.
    if (this.run.findings.counts.error !== sound) return undefined;
    const payload = block.subarray(CLASSIC_BLOCK.payload);
    const reading = extentList.read(payload, {
      base: location.offset + CLASSIC_BLOCK.payload,
      params: {
        allocationSize: this.allocationSize,
        runs: name === "avail" ? 2 : 1,
        fileSize: Number(cookie.fileSize),
      },
    });
    this.run.findings.addIssues(extentListFormat, this.block.place(), reading.issues, {
      consequence: `the ${name} list of the checkpoint cannot be used`,
      offsets: "file",
    });
    const damaged = reading.issues.some(({ severity }) => severity === "error");
    return reading.ok && !damaged ? reading.value.extents : undefined;
  }

  private readBlock(address: BlockAddress, holder: FindingPlace): Uint8Array | undefined {
    const subject = {
      address,
      allocationSize: this.allocationSize,
      fileSize: this.reader.fileSize,
      place: () => holder,
    };
    const before = this.run.findings.counts.error;
    this.run.findings.check([blockPlace], subject);
    return this.run.findings.counts.error === before
      ? this.reader.read(address.offset, address.size)
      : undefined;
  }
}
