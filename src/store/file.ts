/** Positioned reads of files and of memory. Files are opened read-only, and only so many at a time. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { InputError, systemError } from "./input-error.js";
import type { RandomAccess } from "./types.js";

/** Page logs of many tables are many files; systems allow a process about a thousand. */
const MAX_OPEN_FILES = 200;
const openFiles = new Set<FileAccess>();

/** A file on disk. Its descriptor may be closed between reads and opened again when needed. */
export class FileAccess implements RandomAccess {
  readonly size: number;
  private descriptor: number | undefined;
  private readonly identity: string;

  /** @throws InputError `input-missing`, `input-unreadable`; also for directories and devices. */
  constructor(readonly path: string) {
    const { size, identity } = this.open();
    this.size = size;
    this.identity = identity;
  }

  readInto(target: Uint8Array, offset: number): number {
    if (offset >= this.size) return 0;
    const descriptor = this.ready();
    let done = 0;
    while (done < target.length) {
      const count = this.readSome(descriptor, target, done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  close(): void {
    if (this.descriptor === undefined) return;
    openFiles.delete(this);
    closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private readSome(descriptor: number, target: Uint8Array, done: number, position: number): number {
    try {
      return readSync(descriptor, target, done, target.length - done, position);
    } catch (error) {
      throw systemError(this.path, error);
    }
  }

  private ready(): number {
    if (this.descriptor === undefined) {
      const { identity } = this.open();
      if (identity !== this.identity)
        throw new InputError("input-unreadable", this.path, "replaced by another file while it was read");
    }
    return this.descriptor as number;
  }

  private open(): { size: number; identity: string } {
    try {
      // Without O_NONBLOCK, opening a named pipe would wait for a writer.
      this.descriptor = openSync(this.path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw systemError(this.path, error);
    }
    openFiles.add(this);
    const stat = fstatSync(this.descriptor, { bigint: true });
    if (!stat.isFile()) {
      this.close();
      throw new InputError(
        "input-unreadable",
        this.path,
        stat.isDirectory() ? "is a directory" : "not a regular file",
      );
    }
    if (openFiles.size > MAX_OPEN_FILES) oldest(openFiles).close();
    return { size: Number(stat.size), identity: `${stat.dev}:${stat.ino}` };
  }
}

const oldest = (files: Set<FileAccess>): FileAccess => files.values().next().value as FileAccess;

/** Bytes already in memory, such as what came from standard input. */
export class MemoryAccess implements RandomAccess {
  readonly size: number;

  constructor(
    readonly path: string,
    private readonly bytes: Uint8Array,
  ) {
    this.size = bytes.length;
  }

  readInto(target: Uint8Array, offset: number): number {
    const part = this.bytes.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  close(): void {}
}

/** Bytes of the file from `offset`; fewer at its end. The caller bounds `length`. */
export function readRange(file: RandomAccess, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(Math.max(0, Math.min(length, file.size - offset)));
  return target.subarray(0, file.readInto(target, offset));
}
