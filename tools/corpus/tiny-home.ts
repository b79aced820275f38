/**
 * Makes corpus/tiny, the classic home that fuzz targets damage, with the engine's own program (`wt` 3.2.1):
 * `npx tsx tools/corpus/tiny-home.ts`. As small as a tree of two levels, overflow items, record numbers and a
 * compressor allow.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(
  new URL(import.meta.url.includes("/dist/") ? "../../../corpus/tiny" : "../../corpus/tiny", import.meta.url),
);
const OPEN = "create,checkpoint_sync=false,extensions=[/usr/lib/x86_64-linux-gnu/libwiredtiger_snappy.so]";
const SMALL = "allocation_size=512B,leaf_page_max=1KB,internal_page_max=512B";

interface TinyTable {
  readonly name: string;
  readonly config: string;
  readonly rows: ReadonlyArray<readonly [key: string, value: string]>;
}

const hex = (text: string): string => Buffer.from(`${text}\0`).toString("hex");
const key = (n: number): string => `key${String(n).padStart(4, "0")}`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const tables: readonly TinyTable[] = [
  {
    name: "row",
    config: `key_format=S,value_format=S,prefix_compression=true,leaf_value_max=200,${SMALL}`,
    rows: numbers(90).map((n) => [hex(key(n)), hex(n % 40 === 7 ? "long".repeat(100) : `value ${n}`)]),
  },
  {
    name: "column",
    config: `key_format=r,value_format=S,dictionary=20,${SMALL}`,
    rows: numbers(60).map((n) => [String(1 + 2 * n), hex(n % 3 === 0 ? "same" : `v${n}`)]),
  },
  {
    name: "packed",
    config: `key_format=S,value_format=S,block_compressor=snappy,leaf_page_max=4KB,allocation_size=512B`,
    rows: numbers(70).map((n) => [hex(key(n)), hex("abc".repeat(8) + n)]),
  },
];

function wt(args: readonly string[], input = ""): void {
  execFileSync("wt", ["-h", home, "-C", OPEN, ...args], { input });
}

rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });
for (const { name, config, rows } of tables) {
  const uri = `table:${name}`;
  wt(["create", "-c", config, uri]);
  const head = `WiredTiger Dump (WiredTiger Version 3.2.1)\nFormat=hex\nHeader\n${uri}\n${config}\nData\n`;
  wt(["load"], head + rows.map(([k, v]) => `${k}\n${v}\n`).join(""));
}
