/**
 * Does the fuzzing kit find defects? Each of a list of mistakes is planted in a bundle of the targets (the sources stay
 * as they are), the target is run on its seeds and on mutants of them, and the inputs until it breaks are counted.
 * `npx tsx tools/planted-defects.ts` prints the table and fails when one is not found within its budget; with `--docs`
 * the table goes to docs/fuzzing.md, with names only those are planted.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { markdownTable, replaceMarked } from "./markdown.js";

const root = fileURLToPath(new URL(import.meta.url.includes("/dist/") ? "../../" : "../", import.meta.url));
const PAGE = join(root, "docs", "fuzzing.md");

interface PlantedDefect {
  readonly name: string;
  /** The mistake, as a programmer would make it. */
  readonly mistake: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly target: string;
  /** Inputs within which it has to be found. */
  readonly budget: number;
}

const defects: readonly PlantedDefect[] = [
  {
    name: "packed-bound",
    mistake: "off by one: a packed integer may end one byte behind its input",
    file: "src/codec/packed.ts",
    from: "if (pos + length > end) throw truncated(base + pos, length, end - pos);\n  if (length === 1)",
    to: "if (pos + length > end + 1) throw truncated(base + pos, length, end - pos);\n  if (length === 1)",
    target: "format-packed-integer",
    budget: 5000,
  },
  {
    name: "packed-minimal",
    mistake: "missing check: packed integers may be longer than needed",
    file: "src/codec/packed.ts",
    from: "if (bytes[pos + 1] === 0 && count > 1) throw notMinimal(base + pos);",
    to: "",
    target: "format-packed-integer",
    budget: 5000,
  },
  {
    name: "packed-number",
    mistake: "off by one: the bias of two-byte packed integers",
    file: "src/codec/packed.ts",
    from: "value = (((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX + 1;",
    to: "value = (((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX;",
    target: "format-address-cookie",
    budget: 5000,
  },
  {
    name: "signed",
    mistake: "signed for unsigned: 32-bit fields",
    file: "src/codec/decode.ts",
    from: "cursor.view.getUint32(at, little)",
    to: "cursor.view.getInt32(at, little)",
    target: "format-page-header",
    budget: 2000,
  },
  {
    name: "checksum-range",
    mistake: "wrong range: a checksum never covers more than 64 bytes",
    file: "src/codec/crc32c.ts",
    from: "const to = Math.min(end, bytes.length);\n  const hole",
    to: "const to = Math.min(end, bytes.length, start + 64);\n  const hole",
    target: "verify-page-log",
    budget: 2000,
  },
  {
    name: "checksum-unused",
    mistake: "a block's checksum is compared with its address only",
    file: "src/verify/rules/block/classic-checksum.ts",
    from: "if (computed === checksum && checksum === addressChecksum) return;",
    to: "if (checksum === addressChecksum) return;",
    target: "verify-classic",
    budget: 2000,
  },
  {
    name: "rows-unchecked",
    mistake: "missing check: rows are read off pages whose checksum is wrong",
    file: "src/tree/page-log/source.ts",
    from: "if (!headers.checksum.valid)",
    to: "if (false as boolean)",
    target: "tree-rows",
    budget: 2000,
  },
  {
    name: "generation",
    mistake: "a forgotten generation: deltas of the first one",
    file: "src/page/block-headers.ts",
    from: "if (oldMagic === blockMagics.delta && oldSize === combinedHeaderSizes.oldDelta)",
    to: "if (oldMagic === blockMagics.base && oldSize === combinedHeaderSizes.oldDelta)",
    target: "tree-rows",
    budget: 2000,
  },
  {
    name: "unknown-bits",
    mistake: "lost bits: the highest bit of unsigned bytes is not written",
    file: "src/codec/encode.ts",
    from: "} else writer.integer(size, little, wholeNumber(value, 0n, high, node));",
    to: "} else writer.integer(size, little, wholeNumber(value, 0n, high, node) & (size === 1 ? 0x7fn : high));",
    target: "format-page-header",
    budget: 2000,
  },
  {
    name: "merge-order",
    mistake: "wrong order: of two deltas the older one counts",
    file: "src/page/rows.ts",
    from: "if (row.key !== undefined) changes.set",
    to: "if (row.key !== undefined && !changes.has(sortable(row.key))) changes.set",
    target: "merge",
    budget: 2000,
  },
  {
    name: "merge-removed",
    mistake: "a removed row whose key the image has comes back",
    file: "src/page/rows.ts",
    from: "    if (change !== undefined && change[0] === key) {\n      keep(change[1]);",
    to: "    if (change !== undefined && change[0] === key) {\n      keep(change[1].removed ? row : change[1]);",
    target: "merge",
    budget: 2000,
  },
  {
    name: "quotes",
    mistake: "a backslash is not escaped when text is quoted",
    file: "src/codec/config-token.ts",
    from: 'const toEscape = /["\\\\\\u0000',
    to: 'const toEscape = /["\\u0000',
    target: "config",
    budget: 2000,
  },
  {
    name: "json-numbers",
    mistake: "64-bit numbers go through JSON as doubles",
    file: "src/codec/json.ts",
    from: 'return typeof value === "bigint" ? value.toString() : value;',
    to: 'return typeof value === "bigint" ? String(Number(value)) : value;',
    target: "format-address-cookie",
    budget: 2000,
  },
];

interface Hunted {
  /** Inputs until it broke; undefined = never. */
  readonly inputs?: number;
  readonly seconds: number;
  readonly message?: string;
}

/** Runs in a process of its own: `node -e HUNT bundle target budget seed`. */
const HUNT = `
const [bundle, name, budget, seed] = process.argv.slice(1);
const target = require(bundle).targetByName(name);
let state = Number(seed);
const below = (bound) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
};
const seeds = [...target.seeds()];
const mutant = (n) => {
  if (n < seeds.length) return seeds[n];
  if (n % 3 === 0) return Uint8Array.from({ length: 2 + below(60) }, () => below(256));
  const copy = seeds[n % seeds.length].slice();
  for (let left = 1 + below(5); left > 0; left--) copy[below(copy.length)] = below(256);
  return copy;
};
const started = performance.now();
const told = (rest) => console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, ...rest }));
for (let n = 0; n < Number(budget); n++) {
  try {
    target.fuzz(mutant(n));
  } catch (error) {
    told({ inputs: n + 1, message: String(error && error.message).split("\\n")[0].slice(0, 80) });
    process.exit(0);
  }
}
told({});
process.exit(0);
`;

/** The bundle of the targets; with a defect planted, or as it is. */
async function bundleWith(folder: string, defect?: PlantedDefect): Promise<string> {
  const outfile = join(folder, `${defect?.name ?? "sound"}.cjs`);
  await build({
    absWorkingDir: root,
    entryPoints: ["fuzz/targets/index.ts"],
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["@node-rs/crc32", "snappy", "node-sqlite3-wasm", "@bokuweb/zstd-wasm"],
    define: { "import.meta.url": "__moduleUrl" },
    banner: {
      js: `const __moduleUrl = require("node:url").pathToFileURL(${JSON.stringify(join(root, "fuzz", "targets.cjs"))}).href;`,
    },
    logLevel: "error",
    plugins: defect === undefined ? [] : [planting(defect)],
  });
  return outfile;
}

function planting({ name, file, from, to }: PlantedDefect): Plugin {
  const path = join(root, file);
  return {
    name: "planting",
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined;
        const text = readFileSync(path, "utf8");
        if (text.split(from).length !== 2) throw new Error(`${name}: ${file} does not hold its text once`);
        return { contents: text.replace(from, () => to), loader: "ts" as const };
      });
    },
  };
}

function hunt(bundle: string, target: string, budget: number): Hunted {
  const run = spawnSync(process.execPath, ["-e", HUNT, "--", bundle, target, String(budget), "7"], {
    encoding: "utf8",
    cwd: root,
  });
  const line = run.stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(`${target}: ${run.stderr.slice(0, 400)}`);
  return JSON.parse(line) as Hunted;
}

async function main(args: readonly string[]): Promise<boolean> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const chosen = defects.filter(({ name }) => names.length === 0 || names.includes(name));
  const folder = mkdtempSync(join(tmpdir(), "pugmark-planted-"));
  const rows: string[][] = [];
  let whole = true;
  try {
    for (const defect of chosen) {
      const { inputs, message } = hunt(await bundleWith(folder, defect), defect.target, defect.budget);
      if (inputs === undefined) whole = false;
      const found = inputs === undefined ? "**not found**" : String(inputs);
      rows.push([
        defect.mistake,
        `\`${defect.file}\``,
        `\`${defect.target}\``,
        String(defect.budget),
        found,
        message ?? "",
      ]);
      process.stderr.write(`${defect.name}: ${found} of ${defect.budget} ${message ?? ""}\n`);
    }
    const sound = await bundleWith(folder);
    for (const target of new Set(chosen.map((defect) => defect.target))) {
      const { inputs, message } = hunt(sound, target, SOUND_BUDGET);
      if (inputs === undefined) continue;
      whole = false;
      process.stderr.write(`${target}: breaks without a defect: ${message}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const table = markdownTable(
    ["mistake", "planted in", "target", "budget, inputs", "found after", "what the target said"],
    rows,
  );
  if (args.includes("--docs"))
    writeFileSync(PAGE, replaceMarked(readFileSync(PAGE, "utf8"), "planted defects", table));
  else process.stdout.write(table);
  return whole;
}

/** Inputs that a target without a planted defect has to bear. */
const SOUND_BUDGET = 600;

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
