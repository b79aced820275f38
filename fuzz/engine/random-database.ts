/** Databases of random shape, made by the real engine's program alone; the same for the same seed. */
import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type PackedValue, packStruct } from "../../formats/packed-struct.js";
import { bytesToHex, type RandomSource, randomU64 } from "../../src/codec/index.js";

/** Where Debian puts the engine. */
export const LIBRARIES = "/usr/lib/x86_64-linux-gnu";
const libraries = ["snappy", "zlib"].map((name) => `${LIBRARIES}/libwiredtiger_${name}.so`);

/** Why no database can be made here. */
export function missingEngine(): string | undefined {
  if (spawnSync("wt", ["-V"]).error !== undefined) return "the real engine (wt) is not installed";
  const library = libraries.find((path) => !existsSync(path));
  return library === undefined ? undefined : `no ${library}`;
}

const FORMATS = [
  ["S", "S"],
  ["u", "u"],
  ["i", "S"],
  ["Q", "u"],
  ["r", "S"],
  ["r", "u"],
  ["r", "8t"],
  ["r", "3t"],
  ["Si", "S"],
  ["Su", "Sqi"],
  ["qS", "8sB"],
  ["HS", "Su"],
] as const;
const WORDS = ["", "a", "quake", "dor", "isexti", "torwiex", "wielshamo", "x".repeat(60)];

export interface RandomTable {
  readonly uri: string;
  readonly config: string;
  readonly keyFormat: string;
  readonly valueFormat: string;
  /** Of most values, bytes. */
  readonly usual: number;
  /** Of a few. */
  readonly longest: number;
}

const MAX_ROWS = 4000;

export interface RandomDatabaseOptions {
  /** Rows a step adds to a table at most (default 4,000). */
  readonly maxRows?: number;
  /** Size of a log file, as the engine has it (default 1MB). */
  readonly logFile?: string;
  /** The environment the engine is run in (default: this process's). */
  readonly env?: NodeJS.ProcessEnv;
}

export class RandomDatabase {
  readonly tables: readonly RandomTable[];
  /** The configuration every command opens it with. */
  readonly open: string;

  constructor(
    readonly home: string,
    private readonly random: RandomSource,
    private readonly options: RandomDatabaseOptions = {},
  ) {
    const { logFile = "1MB" } = options;
    this.open = `log=(enabled=${random.below(2) === 0},file_max=${logFile}),checkpoint_sync=false,extensions=[${libraries.join(",")}]`;
    this.tables = Array.from({ length: 1 + random.below(3) }, (_, i) => randomTable(random, i));
  }

  /** The engine's program on this database, or on a copy of it. */
  wt(args: readonly string[], { home = this.home, input = "" } = {}): SpawnSyncReturns<Buffer> {
    const options = { input, maxBuffer: 1 << 28, env: this.options.env };
    return spawnSync("wt", ["-h", home, "-C", this.open, ...args], options);
  }

  /** Each step opens the database, and leaves a checkpoint when it closes it. */
  make(): void {
    execFileSync("wt", ["-h", this.home, "-C", `create,${this.open}`, "list"], { env: this.options.env });
    for (const table of this.tables) {
      this.run(["create", "-c", table.config, table.uri]);
      for (let steps = this.random.below(4); steps > 0; steps--) this.step(table);
    }
  }

  private step(table: RandomTable): void {
    const { uri, keyFormat, valueFormat } = table;
    const chance = this.random.below(12);
    if (chance === 0) this.run(["truncate", uri]);
    else if (chance === 1) {
      this.run(["drop", uri]);
      this.run(["create", "-c", table.config, uri]);
    } else if (chance < 4 && valueFormat === "S" && /^[Sr]$/.test(keyFormat))
      this.run(["write", uri, "1", "written", "7", "x".repeat(this.random.below(table.longest))]);
    else this.run(["load"], this.dumpOf(table));
  }

  private run(args: readonly string[], input = ""): void {
    const { status, stderr } = this.wt(args, { input });
    if (status !== 0) throw new Error(`wt ${args.join(" ")}: ${status} ${stderr}`);
  }

  private dumpOf(table: RandomTable): string {
    const { random } = this;
    const head = `WiredTiger Dump (WiredTiger Version 3.2.1)\nFormat=hex\nHeader\n${table.uri}\n${table.config}\nData\n`;
    const { maxRows = MAX_ROWS } = this.options;
    const rows = 1 + random.below(random.below(4) === 0 ? maxRows : Math.ceil(maxRows / 10));
    const first = random.below(1000);
    return head + Array.from({ length: rows }, (_, i) => randomRow(random, table, first + i)).join("");
  }
}

function randomTable(random: RandomSource, number: number): RandomTable {
  const [keyFormat, valueFormat] = oneOf(random, FORMATS);
  const unit = oneOf(random, [512, 1024, 4096, 4096, 16384]);
  const size = (): number => unit << random.below(4);
  const config = [
    `key_format=${keyFormat},value_format=${valueFormat}`,
    `allocation_size=${unit}B,leaf_page_max=${size()}B,internal_page_max=${size()}B`,
    `checksum=${oneOf(random, ["on", "off", "uncompressed"])}`,
    `block_compressor=${oneOf(random, ["", "snappy", "zlib"])}`,
    `prefix_compression=${random.below(2) === 0},prefix_compression_min=${random.below(6)}`,
    `dictionary=${oneOf(random, [0, 20, 100])}`,
    `leaf_key_max=${oneOf(random, [0, 20, 100])},leaf_value_max=${oneOf(random, [0, 40, 300])}`,
    `internal_key_max=${oneOf(random, [0, 0, 30])},internal_key_truncate=${random.below(2) === 0}`,
  ].join(",");
  const uri = random.below(4) === 0 ? `file:t${number}.wt` : `table:t${number}`;
  const usual = 1 + random.below(100);
  return { uri, config, keyFormat, valueFormat, usual, longest: oneOf(random, [100, 1000, 20_000]) };
}

/** Two lines. Record numbers have gaps, and so do other keys; many values are equal, some are long. */
function randomRow(random: RandomSource, table: RandomTable, number: number): string {
  const gapped = number * 3 + random.below(2);
  const key =
    table.keyFormat === "r" ? String(1 + gapped) : packedHex(random, table, table.keyFormat, gapped);
  return `${key}\n${packedHex(random, table, table.valueFormat)}\n`;
}

/** `number` makes keys differ. */
function packedHex(random: RandomSource, table: RandomTable, format: string, number?: number): string {
  if (/^\dt$/.test(format)) return bytesToHex(Uint8Array.of(random.below(1 << Number.parseInt(format, 10))));
  const types = [...format.matchAll(/\d*([a-zA-Z])/g)].map((match) => match[1] as string);
  return bytesToHex(
    packStruct(
      format,
      types.map((type) => randomColumn(random, table, type, number)),
    ),
  );
}

function randomColumn(random: RandomSource, table: RandomTable, type: string, number?: number): PackedValue {
  switch (type) {
    case "S":
    case "u": {
      const text = randomText(random, table, number);
      return type === "S" ? text : new TextEncoder().encode(text);
    }
    case "s":
      return "8 bytes!";
    case "Q":
      return number === undefined ? randomU64(random) : BigInt(number) ** 3n;
    case "q":
      return BigInt(number ?? random.below(1 << 20)) - 1500n;
    case "B":
    case "H":
      return random.below(256);
    default:
      return (number ?? random.below(1 << 20)) - 1500;
  }
}

function randomText(random: RandomSource, { usual, longest }: RandomTable, number?: number): string {
  if (number === undefined && random.below(3) === 0) return oneOf(random, WORDS);
  const length = random.below(random.below(25) === 0 ? longest : usual);
  const filler = bytesToHex(random.bytes(length >> 1));
  return number === undefined ? filler : `key${String(number).padStart(8, "0")}${filler}`;
}

const oneOf = <T>(random: RandomSource, choices: readonly T[]): T =>
  choices[random.below(choices.length)] as T;
