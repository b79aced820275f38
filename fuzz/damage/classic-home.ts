/** A small classic home whose blocks and texts are damaged as a tape says, in a private temporary folder. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLASSIC_BLOCK } from "../../formats/block-header.js";
import { descriptionBlock, findAllocationSize } from "../../formats/description-block.js";
import { page } from "../../formats/page.js";
import { PAGE_HEADER, pageTypes } from "../../formats/page-header.js";
import { turtleFile } from "../../formats/turtle-file.js";
import { FormatError, type RandomSource } from "../../src/codec/index.js";
import { readBlockHeaders } from "../../src/page/block-headers.js";
import { corpusFile, corpusPath } from "../corpus.js";
import { mutate } from "../mutate/mutate.js";
import { seals } from "../mutate/seal.js";

import { checksumOf, type SealedPart, sealUpwards } from "./reseal.js";

const TURTLE = "WiredTiger.turtle";
/** 0: nothing is sealed; 1: the block; 2, 3: its parents; 4: everything up to the turtle file. */
const SEAL_LEVELS = 5;
const MAX_LEVELS = 16;

/** A block of a file, or a file that is text. */
export interface HomePart extends SealedPart {
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

/** A home as it was before anything is damaged. */
export class SoundHome {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Every sound block, also of older checkpoints; `reachable` tells those that are in use. */
  readonly parts: readonly HomePart[];

  constructor(read: Iterable<readonly [name: string, bytes: Uint8Array]>) {
    this.files = new Map(read);
    this.parts = [...this.files].flatMap(([file, bytes]) => [...partsOf(file, bytes)]);
  }

  static ofCorpus(name: string): SoundHome {
    const files = readdirSync(corpusPath(name)).sort();
    return new SoundHome(files.map((file) => [file, new Uint8Array(corpusFile(name, file))] as const));
  }
}

function* partsOf(file: string, bytes: Uint8Array): Generator<HomePart> {
  if (file === TURTLE) yield { kind: "text", file, bytes, offset: 0, size: bytes.length };
  const unit = file.endsWith(".wt") ? findAllocationSize(bytes) : undefined;
  if (unit === undefined) return;
  for (let offset = unit; offset + unit <= bytes.length; offset += unit) {
    const block = blockAt(bytes, offset, unit);
    if (block !== undefined) yield { kind: "block", file, bytes: block, offset, size: block.length };
  }
}

function blockAt(file: Uint8Array, offset: number, unit: number): Uint8Array | undefined {
  const type = file[offset + PAGE_HEADER.at.type] as number;
  if (type < 1 || type > pageTypes.rowLeaf) return undefined;
  const view = new DataView(file.buffer, file.byteOffset + offset, unit);
  const size = view.getUint32(CLASSIC_BLOCK.diskSize, true);
  if (size === 0 || size % unit !== 0 || offset + size > file.length) return undefined;
  const block = file.subarray(offset, offset + size);
  try {
    const { generation, checksum } = readBlockHeaders(block, { generation: "classic" });
    return generation === "classic" && checksum.valid ? block : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** A copy that is being damaged. */
export class DamagedHome {
  private readonly parts: HomePart[];
  /** Files of which more than a block is changed. */
  private readonly whole = new Map<string, Uint8Array | undefined>();

  constructor(private readonly sound: SoundHome) {
    this.parts = sound.parts.map((part) => ({ ...part }));
  }

  /** A bit pattern over one byte of one of the parts; nothing is put right. */
  flip(tape: RandomSource, among: readonly number[]): string {
    const part = this.parts[among[tape.below(among.length)] as number] as HomePart;
    part.bytes = part.bytes.slice();
    const at = tape.below(part.bytes.length);
    part.bytes[at] = (part.bytes[at] as number) ^ (1 + tape.below(255));
    return `${part.file} byte ${part.offset + at}`;
  }

  /** One change of any kind; what it was, for reports. */
  change(tape: RandomSource): string {
    const kind = tape.below(12);
    if (kind === 0) return this.changeDescription(tape);
    if (kind === 1) return this.changeFile(tape);
    const part = this.parts[tape.below(this.parts.length)] as HomePart;
    const other = this.parts[tape.below(this.parts.length)] as HomePart;
    const levels = tape.below(SEAL_LEVELS);
    const before = checksumOf(part);
    const where = `${part.file} at ${part.offset}`;
    if (kind === 2 && part.kind === other.kind) part.bytes = sized(other.bytes, part);
    else if (kind < 6) part.bytes = pokedCopy(part.bytes, tape);
    else part.bytes = sized(declared(part, other, levels, tape), part);
    if (levels === 0 || before === undefined) return `${where}, not sealed`;
    if (part.kind === "text") return where;
    const up = levels === SEAL_LEVELS - 1 ? MAX_LEVELS : levels - 1;
    sealUpwards(this.parts, part, before, up);
    return `${where}, sealed ${up} levels up`;
  }

  /** The block at the beginning of a file. */
  private changeDescription(tape: RandomSource): string {
    const names = [...this.sound.files.keys()].filter((name) => name.endsWith(".wt"));
    const name = names[tape.below(names.length)] as string;
    const bytes = (this.sound.files.get(name) as Uint8Array).slice();
    const unit = findAllocationSize(bytes) ?? bytes.length;
    const start = bytes.subarray(0, unit);
    const seal = seals[tape.below(seals.length)] ?? "none";
    start.set(mutate(descriptionBlock, start, tape, { seal }).subarray(0, unit));
    this.whole.set(name, bytes);
    return `${name}, description block`;
  }

  /** Cut, grown, emptied, removed. */
  private changeFile(tape: RandomSource): string {
    const names = [...this.sound.files.keys()].filter((name) => name === TURTLE || name.endsWith(".wt"));
    const name = names[tape.below(names.length)] as string;
    const bytes = this.sound.files.get(name) as Uint8Array;
    const at = tape.below(bytes.length + 1);
    const forms = [
      () => bytes.subarray(0, at),
      () => new Uint8Array(Buffer.concat([bytes, bytes.subarray(at, at + 512)])),
      () => new Uint8Array(),
      () => undefined,
    ];
    const form = tape.below(forms.length);
    this.whole.set(name, forms[form]?.());
    return `${name}, ${["cut", "grown", "emptied", "removed"][form]}`;
  }

  /** Files that are not what they were; undefined for those that are gone. */
  changed(): Map<string, Uint8Array | undefined> {
    const changed = new Map<string, Uint8Array | undefined>();
    this.parts.forEach((part, index) => {
      const sound = this.sound.parts[index] as HomePart;
      if (part.bytes === sound.bytes) return;
      if (part.kind === "text") {
        changed.set(part.file, part.bytes);
        return;
      }
      const file = changed.get(part.file) ?? (this.sound.files.get(part.file) as Uint8Array).slice();
      file.set(part.bytes, part.offset);
      changed.set(part.file, file);
    });
    for (const [name, bytes] of this.whole) changed.set(name, bytes);
    return changed;
  }
}

/** A few bytes set without knowing what they are. */
function pokedCopy(bytes: Uint8Array, tape: RandomSource): Uint8Array {
  const copy = bytes.slice();
  for (let left = 1 + tape.below(3); left > 0 && copy.length > 0; left--)
    copy[tape.below(copy.length)] = tape.below(256);
  return copy;
}

function declared(part: HomePart, other: HomePart, levels: number, tape: RandomSource): Uint8Array {
  if (part.kind === "text") return mutate(turtleFile, part.bytes, tape);
  const seal = levels === 0 ? "none" : (seals[tape.below(seals.length)] ?? "none");
  return mutate(page, part.bytes, tape, { seal, other: other.bytes, generation: "classic" });
}

/** A block keeps its size; text has any. */
function sized(bytes: Uint8Array, { kind, size }: HomePart): Uint8Array {
  if (kind === "text") return bytes.slice();
  const block = new Uint8Array(size);
  block.set(bytes.subarray(0, size));
  return block;
}

/** A folder that holds a home, and is brought from one damaged state to the next by writing what differs. */
export class HomeFolder {
  readonly path: string;
  private different: Iterable<string>;

  constructor(
    private readonly sound: SoundHome,
    root = tmpdir(),
  ) {
    this.path = mkdtempSync(join(root, "pugmark-home-"));
    this.different = sound.files.keys();
    process.once("exit", () => this.remove());
  }

  /** The sound home but for these files. */
  set(changed: ReadonlyMap<string, Uint8Array | undefined>): void {
    for (const name of this.different) if (!changed.has(name)) this.write(name, this.sound.files.get(name));
    for (const [name, bytes] of changed) this.write(name, bytes);
    this.different = [...changed.keys()];
  }

  /** As `set`, whatever was written into the folder since. */
  reset(changed: ReadonlyMap<string, Uint8Array | undefined>): void {
    for (const name of readdirSync(this.path)) rmSync(join(this.path, name), { recursive: true });
    this.different = this.sound.files.keys();
    this.set(changed);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  private write(name: string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) rmSync(join(this.path, name), { force: true });
    else writeFileSync(join(this.path, name), bytes);
  }
}
