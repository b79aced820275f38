/** Every reader of a store that can be given bytes: nothing but issues comes of damage. */
import { FormatError } from "../../src/codec/index.js";
import { CorruptionLog } from "../../src/store/corruption-log.js";
import { MemoryAccess } from "../../src/store/file.js";
import { InputError } from "../../src/store/input-error.js";
import { JsonlPageLog } from "../../src/store/jsonl.js";
import { readLogFile } from "../../src/store/log-file.js";
import { PageServiceLog } from "../../src/store/page-service.js";
import { PalmStore } from "../../src/store/palm.js";
import type { PageLog } from "../../src/store/types.js";
import { corpusFile } from "../corpus.js";
import { Tape } from "../tape.js";
import { Broken, DECIDED, type FuzzTarget, isRaw, RAW } from "../target.js";

interface Reader {
  readonly name: string;
  readonly oracle: string;
  /** A real input, cut to what is quick. */
  base(): Uint8Array;
  read(bytes: Uint8Array): void;
}

/** Records whose chains are asked for. */
const MAX_CHAINS = 40;

function readPageLog(log: PageLog): void {
  let records = 0;
  let before: readonly [bigint, bigint, bigint] | undefined;
  let disorder: string | undefined;
  for (const { tableId, pageId, lsn, data } of log.records()) {
    if (data.length > log.size) throw new Broken("a record that is larger than its store");
    const key = [tableId, pageId, lsn] as const;
    if (before !== undefined && compare(before, key) > 0) disorder ??= `records out of order at ${key}`;
    before = key;
    if (records++ < MAX_CHAINS) {
      const chain = log.chain(tableId, pageId, lsn);
      if (chain.some((record) => record.pageId !== pageId || record.lsn > lsn))
        throw new Broken("a chain of another page");
    }
  }
  // A damaged store may give them so, and says that it does.
  if (disorder !== undefined && log.issues.length === 0) throw new Broken(disorder);
  log.checkpoints();
  for (const { place } of log.issues)
    if (place.offset !== undefined && !(place.offset >= 0 && Number.isSafeInteger(place.offset)))
      throw new Broken(`an issue at ${place.offset}`);
  log.close();
}

function compare(a: readonly bigint[], b: readonly bigint[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] as bigint;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

const memory = (bytes: Uint8Array): MemoryAccess => new MemoryAccess("memory", bytes);
const firstLines = (bytes: Uint8Array, length: number): Uint8Array =>
  bytes.subarray(0, bytes.lastIndexOf(0x0a, length) + 1 || length);

const readers: readonly Reader[] = [
  {
    name: "store-palm",
    oracle: "an LMDB environment gives records in key order or issues with a place",
    base: () => corpusFile("palm", "g_crash", "kv_home", "data.mdb"),
    read: (bytes) => readPageLog(new PalmStore(memory(bytes))),
  },
  {
    name: "store-jsonl",
    oracle: "lines give records in key order or issues with their line",
    base: () => firstLines(corpusFile("palm", "a_small", "export", "pages.jsonl"), 6000),
    read: (bytes) => readPageLog(new JsonlPageLog("memory", memory(bytes))),
  },
  {
    name: "store-page-service",
    oracle: "entries give records with exact LSNs or issues with their line",
    base: () => corpusFile("vectors", "page_service.jsonl"),
    read: (bytes) => readPageLog(new PageServiceLog(memory(bytes))),
  },
  {
    name: "store-corruption-log",
    oracle: "dumps give whole blocks of the announced size or issues with their line",
    base: () => corpusFile("vectors", "disagg_delta_chain.log"),
    read(bytes) {
      const log = new CorruptionLog(memory(bytes));
      for (const { bytes: block } of log.blocks())
        if (block.length > bytes.length) throw new Broken("a block that is larger than its dump");
      for (const { place } of log.issues)
        if ((place.line ?? 0) < 1) throw new Broken("an issue without a line");
    },
  },
  {
    name: "store-log-file",
    oracle: "a log file gives records and gaps that lie one behind the other",
    base: () => corpusFile("logs", "snappy", "WiredTigerLog.0000000001").subarray(0, 16 * 1024),
    read(bytes) {
      let end = 0;
      for (const entry of readLogFile(memory(bytes))) {
        if (entry.offset < end)
          throw new Broken(`an entry at ${entry.offset}, behind one that ends at ${end}`);
        end = entry.offset;
      }
    },
  },
];

export const storeTargets: readonly FuzzTarget[] = readers.map(storeTarget);

function storeTarget({ name, oracle, base, read }: Reader): FuzzTarget {
  let original: Uint8Array | undefined;
  const sound = (): Uint8Array => {
    original ??= base();
    return original;
  };
  return {
    name,
    oracle,
    *seeds() {
      const bytes = sound();
      yield Uint8Array.of(DECIDED);
      for (let at = 0; at < 8; at++) yield Uint8Array.of(DECIDED, at * 30, at, 0x80 >> at, 1);
      yield Uint8Array.of(RAW, ...bytes.subarray(0, 4000));
    },
    fuzz(input) {
      const bytes = isRaw(input) ? input.subarray(1) : patched(sound(), new Tape(input.subarray(1)));
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof InputError || error instanceof FormatError)) throw error;
      }
    },
  };
}

/** Bytes set, copied, or cut off, at the places the tape says: small inputs reach all of a large file. */
function patched(sound: Uint8Array, tape: Tape): Uint8Array {
  const bytes = sound.slice();
  while (tape.left > 0) {
    const at = tape.below(bytes.length);
    switch (tape.below(5)) {
      case 0:
        bytes[at] = tape.below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] as number) ^ (1 << tape.below(8));
        break;
      case 2:
        bytes.set(tape.bytes(8).subarray(0, bytes.length - at), at);
        break;
      case 3: {
        const from = tape.below(bytes.length);
        bytes.copyWithin(at, from, from + (1 << tape.below(14)));
        break;
      }
      default:
        if (tape.below(8) === 0) return bytes.subarray(0, at);
    }
  }
  return bytes;
}
