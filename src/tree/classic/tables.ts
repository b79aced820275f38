/** Tables of classic files: from a table's configuration to its trees. */
import { join } from "node:path";
import {
  blockOf,
  type ClassicCheckpointCookie,
  classicAddressCookie,
  classicCheckpointCookie,
  DEFAULT_ALLOCATION_SIZE,
} from "../../../formats/classic-cookie.js";
import {
  DESCRIPTION_WINDOW,
  descriptionBlock,
  findAllocationSize,
  isAllocationSize,
} from "../../../formats/description-block.js";
import { FileAccess, readRange } from "../../store/file.js";
import { InputError } from "../../store/input-error.js";
import type { RandomAccess } from "../../store/types.js";
import type { CatalogEntry } from "../catalog.js";
import type { SoundImages } from "../image-check.js";
import { refuseNewer } from "../newer.js";
import { TreeError } from "../problem.js";
import { type TreeRoot, TreeTable } from "../table.js";
import type { CheckpointEntry, TableConfig } from "../table-config.js";
import type { CheckpointInfo, PageSource, Table, TableInfo, TreeProblem } from "../types.js";
import { freeSpace } from "./scan.js";
import { ClassicSource } from "./source.js";

/** A root, and what was wrong on the way to it. */
interface FoundRoot extends TreeRoot {
  readonly problems: readonly TreeProblem[];
}

export class ClassicTables {
  private readonly files = new Map<string, RandomAccess>();

  constructor(
    /** The folder of the files; empty for paths as they are. */
    private readonly home: string,
    private readonly images: SoundImages,
    private readonly forcedUnit: number | undefined,
  ) {}

  close(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }

  pathOf(file: string): string {
    return join(this.home, file);
  }

  /** Undefined when there is no such file. */
  access(file: string): RandomAccess | undefined {
    const known = this.files.get(file);
    if (known !== undefined) return known;
    try {
      const access = new FileAccess(this.pathOf(file));
      this.files.set(file, access);
      return access;
    } catch (error) {
      if (error instanceof InputError && error.code === "input-missing") return undefined;
      throw error;
    }
  }

  /** Bytes of an allocation unit: as forced, as configured, or as the description block's checksum tells. */
  unitOf(config: Pick<TableConfig, "allocationSize">, access: RandomAccess): number {
    const known = this.forcedUnit ?? config.allocationSize;
    if (known !== undefined && isAllocationSize(known)) return known;
    return findAllocationSize(readRange(access, 0, DESCRIPTION_WINDOW)) ?? DEFAULT_ALLOCATION_SIZE;
  }

  info({ config, name }: CatalogEntry): TableInfo {
    const { uri, id, keyFormat, valueFormat, compressor, encryptor, collator, checkpoints } = config;
    const bytes = this.access(config.file)?.size;
    return {
      uri,
      name,
      id,
      keyFormat,
      valueFormat,
      compressor,
      encryptor,
      collator,
      size: bytes === undefined ? undefined : { bytes },
      checkpoints: checkpoints.map(checkpointInfo),
    };
  }

  /** @throws TreeError `no-checkpoint`; InputError `input-unsupported` for a file of a version too new */
  table(entry: CatalogEntry, checkpoint: string | undefined, history: () => CatalogEntry | undefined): Table {
    const chosen = chooseCheckpoint(entry.config, checkpoint);
    const found = this.root(entry.config, chosen);
    return new TreeTable({
      ...found,
      info: this.info(entry),
      checkpoint: chosen === undefined ? undefined : checkpointInfo(chosen),
      history: () => this.historyRoot(history(), chosen),
    });
  }

  /** The history store's checkpoint of the same name; of an unnamed one, its newest. */
  private historyRoot(
    history: CatalogEntry | undefined,
    checkpoint: CheckpointEntry | undefined,
  ): TreeRoot | undefined {
    if (history === undefined) return undefined;
    const { checkpoints } = history.config;
    const same = checkpoints.find(({ name }) => name === checkpoint?.name) ?? checkpoints.at(-1);
    return this.root(history.config, same);
  }

  private root(config: TableConfig, checkpoint: CheckpointEntry | undefined): FoundRoot {
    const path = this.pathOf(config.file);
    const problems: TreeProblem[] = [];
    const report = (problem: Omit<TreeProblem, "table" | "place"> & Partial<TreeProblem>): void =>
      void problems.push({ table: config.uri, place: { path }, ...problem });
    const access = this.access(config.file);
    if (access === undefined) {
      report({ code: "page-missing", message: "there is no such file", lost: {} });
      return { source: NO_PAGES, root: undefined, problems };
    }
    const unit = this.unitOf(config, access);
    const damaged = descriptionProblem(access, unit);
    if (damaged !== undefined) report({ code: "description", message: damaged, place: { path, offset: 0 } });
    const cookie = checkpoint === undefined ? undefined : readCookie(checkpoint, unit, report);
    const newest = config.checkpoints.at(-1);
    const isFree = lazy(() => {
      const last = newest === undefined ? undefined : readCookie(newest, unit, () => {});
      return last === undefined ? () => false : freeSpace(access, path, unit, last);
    });
    const source = new ClassicSource(access, path, unit, config, this.images, (offset) => isFree()(offset));
    return { source, root: cookie && addressOfRoot(cookie, unit), problems };
  }
}

const NO_PAGES: PageSource = {
  page: () => {
    throw new TreeError("no-table", "there is no file");
  },
  overflow: () => {
    throw new TreeError("no-table", "there is no file");
  },
};

const checkpointInfo = ({ name, order }: CheckpointEntry): CheckpointInfo => ({ name, number: order });

/** A checkpoint by its name, or an unnamed one by its number; the newest when none is asked for. */
function chooseCheckpoint(
  { uri, checkpoints }: TableConfig,
  name: string | undefined,
): CheckpointEntry | undefined {
  if (name === undefined) return checkpoints.at(-1);
  const found =
    checkpoints.find((entry) => entry.name === name) ??
    checkpoints.find((entry) => /^\d+$/.test(name) && entry.order === BigInt(name));
  if (found !== undefined) return found;
  const known = checkpoints.map((entry) => entry.name).join(", ");
  throw new TreeError("no-checkpoint", `${uri} has no checkpoint ${name}; there are ${known || "none"}`);
}

function readCookie(
  { cookie, error, name }: CheckpointEntry,
  allocationSize: number,
  report: (problem: Pick<TreeProblem, "code" | "message" | "lost">) => void,
): ClassicCheckpointCookie | undefined {
  if (error !== undefined)
    report({ code: "address", message: `addr= of ${name} is no hex text: ${error.message}`, lost: {} });
  if (cookie === undefined) return undefined;
  const reading = classicCheckpointCookie.read(cookie, { params: { allocationSize } });
  if (reading.ok) return reading.value;
  report({ code: "address", message: `the cookie of ${name}: ${reading.error.message}`, lost: {} });
  return undefined;
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The object id of a checkpoint's cookie holds for its root as well. */
function addressOfRoot(
  { root, flags, objectId }: ClassicCheckpointCookie,
  allocationSize: number,
): Uint8Array | undefined {
  if (blockOf(root, allocationSize) === undefined) return undefined;
  const { offsetUnits, sizeUnits, checksum } = root;
  return classicAddressCookie.build({
    offsetUnits,
    sizeUnits,
    checksum,
    ...(flags === undefined || objectId === undefined ? {} : { flags, objectId }),
  });
}

/**
 * What is wrong with a file's first block; its rows can be read all the same.
 * @throws InputError `input-unsupported`
 */
export function descriptionProblem(access: RandomAccess, allocationSize: number): string | undefined {
  const bytes = readRange(access, 0, allocationSize);
  const { issues } = descriptionBlock.read(bytes, { params: { allocationSize } });
  refuseNewer(issues, access.path, "the file");
  const issue = issues.find(({ severity }) => severity === "error");
  return issue && `the description block is damaged: ${issue.message} (${issue.code})`;
}
