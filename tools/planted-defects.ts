/**
 * Does the fuzzing kit find defects? Each of a list of mistakes is planted in a bundle of the targets (the sources stay
 * as they are), and a campaign as `pugmark fuzz TARGET` runs it, jsfuzz with its mutations and coverage, goes on until
 * it has found something or its time is over. Needs the build. `npx tsx tools/planted-defects.ts` prints the table and
 * fails when one is not found within its budget; with `--docs` the table goes to docs/fuzzing.md, with names only those
 * are planted.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { instrumentedBundle } from "../fuzz/campaign/bundle.js";
import { runCampaign } from "../fuzz/campaign/campaign.js";
import type { FuzzTarget } from "../fuzz/target.js";
import { targetByName } from "../fuzz/targets/index.js";
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
  /** Within which it has to be found, seconds of a campaign over its target alone. */
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
    budget: 30,
  },
  {
    name: "packed-minimal",
    mistake: "missing check: packed integers may be longer than needed",
    file: "src/codec/packed.ts",
    from: "if (bytes[pos + 1] === 0 && count > 1) throw notMinimal(base + pos);",
    to: "",
    target: "format-packed-integer",
    budget: 30,
  },
  {
    name: "packed-number",
    mistake: "off by one: the bias of two-byte packed integers",
    file: "src/codec/packed.ts",
    from: "value = (((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX + 1;",
    to: "value = (((first & 0x1f) << 8) | (bytes[pos + 1] as number)) + ONE_BYTE_MAX;",
    target: "format-address-cookie",
    budget: 30,
  },
  {
    name: "signed",
    mistake: "signed for unsigned: 32-bit fields",
    file: "src/codec/decode.ts",
    from: "cursor.view.getUint32(at, little)",
    to: "cursor.view.getInt32(at, little)",
    target: "format-page-header",
    budget: 30,
  },
  {
    name: "checksum-range",
    mistake: "wrong range: a checksum never covers more than 64 bytes",
    file: "src/codec/crc32c.ts",
    from: "const to = Math.min(end, bytes.length);\n  const hole",
    to: "const to = Math.min(end, bytes.length, start + 64);\n  const hole",
    target: "verify-page-log",
    budget: 30,
  },
  {
    name: "checksum-unused",
    mistake: "a block's checksum is compared with its address only",
    file: "src/verify/rules/block/classic-checksum.ts",
    from: "if (computed === checksum && checksum === addressChecksum) return;",
    to: "if (checksum === addressChecksum) return;",
    target: "verify-classic",
    budget: 30,
  },
  {
    name: "rows-unchecked",
    mistake: "missing check: rows are read off pages whose checksum is wrong",
    file: "src/tree/page-log/source.ts",
    from: "if (!headers.checksum.valid)",
    to: "if (false as boolean)",
    target: "tree-rows",
    budget: 30,
  },
  {
    name: "generation",
    mistake: "a forgotten generation: deltas of the first one",
    file: "src/page/block-headers.ts",
    from: "if (oldMagic === blockMagics.delta && oldSize === combinedHeaderSizes.oldDelta)",
    to: "if (oldMagic === blockMagics.base && oldSize === combinedHeaderSizes.oldDelta)",
    target: "tree-rows",
    budget: 30,
  },
  {
    name: "unknown-bits",
    mistake: "lost bits: the highest bit of unsigned bytes is not written",
    file: "src/codec/encode.ts",
    from: "} else writer.integer(size, little, wholeNumber(value, 0n, high, node));",
    to: "} else writer.integer(size, little, wholeNumber(value, 0n, high, node) & (size === 1 ? 0x7fn : high));",
    target: "format-page-header",
    budget: 30,
  },
  {
    name: "merge-order",
    mistake: "wrong order: of two deltas the older one counts",
    file: "src/page/rows.ts",
    from: "if (row.key !== undefined) changes.set",
    to: "if (row.key !== undefined && !changes.has(sortable(row.key))) changes.set",
    target: "merge",
    budget: 30,
  },
  {
    name: "merge-removed",
    mistake: "a removed row whose key the image has comes back",
    file: "src/page/rows.ts",
    from: "    if (change !== undefined && change[0] === key) {\n      keep(change[1]);",
    to: "    if (change !== undefined && change[0] === key) {\n      keep(change[1].removed ? row : change[1]);",
    target: "merge",
    budget: 30,
  },
  {
    name: "quotes",
    mistake: "a backslash is not escaped when text is quoted",
    file: "src/codec/config-token.ts",
    from: 'const toEscape = /["\\\\\\u0000',
    to: 'const toEscape = /["\\u0000',
    target: "config",
    budget: 30,
  },
  {
    name: "json-numbers",
    mistake: "64-bit numbers go through JSON as doubles",
    file: "src/codec/json.ts",
    from: 'return typeof value === "bigint" ? value.toString() : value;',
    to: 'return typeof value === "bigint" ? String(Number(value)) : value;',
    target: "format-address-cookie",
    budget: 30,
  },
  {
    name: "bound",
    mistake: "missing bound: a length is not compared with what is left",
    file: "src/codec/cursor.ts",
    from: "if (!(count >= 0 && count <= this.end - at)) throw this.truncated(count);",
    to: "if (!(count >= 0)) throw this.truncated(count);",
    target: "format-delta-leaf-entry",
    budget: 30,
  },
  {
    name: "cell-bound",
    mistake: "off by one: a cell may end one byte behind its page",
    file: "src/page/cell-reader.ts",
    from: "return this.next <= this.end || this.truncated(this.dataStart, this.next);",
    to: "return this.next <= this.end + 1 || this.truncated(this.dataStart, this.next);",
    target: "pages",
    budget: 60,
  },
  {
    name: "cell-count",
    mistake: "missing check: a page may hold more cells than its header says",
    file: "src/page/walk.ts",
    from: 'if (this.cells !== entries)\n      this.found.add("entry-count"',
    to: 'if (this.cells < entries)\n      this.found.add("entry-count"',
    target: "pages",
    budget: 60,
  },
  {
    name: "record-order",
    mistake: "missing check: records out of order are passed over in silence",
    file: "src/store/palm.ts",
    from: 'this.environment.log.add("palm-order"',
    to: 'if (false as boolean) this.environment.log.add("palm-order"',
    target: "store-palm",
    budget: 60,
  },
  {
    name: "publication-first",
    mistake: "publication before the turtle: the checkpoint record is put first",
    file: "src/write/checkpoint/write-checkpoint.ts",
    from: `    const turtleLsn = this.putPlain(generation.tables.turtle, turtle);
    this.at("after-turtle");
    const trees = Array.from(tables.values(), ({ tree }) => tree.liveBytes);
    const databaseSize = trees.reduce((sum, bytes) => sum + bytes, metadata.tree.liveBytes);
    const facts = { checkpointId, turtleLsn, turtle, databaseSize };
    return this.context.log.completeCheckpoint({ metadata: completionRecord(generation, facts), timestamp });
`,
    to: `    const trees = Array.from(tables.values(), ({ tree }) => tree.liveBytes);
    const databaseSize = trees.reduce((sum, bytes) => sum + bytes, metadata.tree.liveBytes);
    const newest = [...this.context.log.records(), ...this.context.log.checkpoints()].map(({ lsn }) => lsn);
    const turtleLsn = newest.reduce((most, lsn) => (lsn > most ? lsn : most), 0n) + 2n;
    const facts = { checkpointId, turtleLsn, turtle, databaseSize };
    const lsn = this.context.log.completeCheckpoint({ metadata: completionRecord(generation, facts), timestamp });
    this.at("after-turtle");
    this.putPlain(generation.tables.turtle, turtle);
    return lsn;
`,
    target: "checkpoint-writer",
    budget: 60,
  },
  {
    name: "key-last",
    mistake: "a rotated key is persisted behind the checkpoint that needs it",
    file: "src/write/checkpoint/write-checkpoint.ts",
    from: `    const keyLsn = this.writeKey(state, plan.timestamp);
    // 5: what the turtle page says.
    const next = { ...written, keyLsn, timestamp: plan.timestamp };
    // 6: the turtle page, and publication.
    const lsn = this.publish(next, checkpointId);
`,
    to: `    const keyLsn = state.keyLsn ?? this.writeKey(state, plan.timestamp);
    const next = { ...written, keyLsn, timestamp: plan.timestamp };
    const lsn = this.publish(next, checkpointId);
    if (state.keyLsn !== undefined) this.writeKey(state, plan.timestamp);
`,
    target: "checkpoint-writer",
    budget: 60,
  },
  {
    name: "lost-row",
    mistake: "the last row is lost when a leaf is split",
    file: "src/write/tree/tree-editor.ts",
    from: "for (const { key, value, window } of merged) run.add(key, value, window);",
    to: "for (const { key, value, window } of merged.slice(0, -1)) run.add(key, value, window);",
    target: "checkpoint-writer",
    budget: 60,
  },
  {
    name: "delta-base",
    mistake: "a delta names the record before it as its base, where that is a delta too",
    file: "src/write/tree/page-writer.ts",
    from: "const baseLsn = delta ? imageLsn : 0n;",
    to: "const baseLsn = delta ? newestLsn : 0n;",
    target: "checkpoint-writer",
    budget: 60,
  },
  {
    name: "image-backlink",
    mistake: "a new image names the page's last delta, not its image",
    file: "src/write/tree/page-writer.ts",
    from: "const backlinkLsn = delta ? newestLsn : imageLsn;",
    to: "const backlinkLsn = newestLsn;",
    target: "checkpoint-writer",
    budget: 60,
  },
  {
    name: "no-journal",
    mistake: "the journal of a repair in place is written behind what it is to take back",
    file: "src/repair/apply.ts",
    from: `  placeFile(
    journal,
    encodeText(text),
    hook,
    { half: "journal-half", placed: "journal-written" },
    "journal-exists",
  );
  writeRepair(home, prepared, hook, () => void checkLock(home, options));
`,
    to: `  writeRepair(home, prepared, hook, () => void checkLock(home, options));
  placeFile(
    journal,
    encodeText(text),
    hook,
    { half: "journal-half", placed: "journal-written" },
    "journal-exists",
  );
`,
    target: "repair-classic",
    budget: 60,
  },
  {
    name: "undo-tail",
    mistake: "taking a repair back leaves the blocks it has written",
    file: "src/repair/undo.ts",
    from: "  if (length !== metadata.length.before) truncateMetadata(home, metadata.length.before);\n",
    to: "",
    target: "repair-classic",
    budget: 60,
  },
  {
    name: "repair-key",
    mistake: "a row of the metadata is written under its key without the byte that ends it",
    file: "src/repair/page-log/metadata-draft.ts",
    from: "key: encodeText(uri + NUL),\n          value:",
    to: "key: encodeText(uri),\n          value:",
    target: "repair-page-log",
    budget: 60,
  },
  {
    name: "repair-row",
    mistake: "a repair writes a row's text into the row before it",
    file: "src/repair/page-log/metadata-draft.ts",
    from: `      .map((uri) => {
        const value = this.rows.get(uri);
`,
    to: `      .map((uri, at, all) => {
        const value = this.rows.get(all[at + 1] ?? uri);
`,
    target: "repair-page-log",
    budget: 60,
  },
];

/** The bundle of the targets with a defect planted. */
async function bundleWith(folder: string, defect: PlantedDefect): Promise<string> {
  const outfile = join(folder, `${defect.name}.cjs`);
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
    banner: { js: 'const __moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "error",
    plugins: [planting(defect)],
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

interface Hunted {
  /** Inputs until it broke, where that is known. */
  readonly inputs: number | undefined;
  readonly seconds: number;
  readonly message: string;
}

/** Undefined when the campaign has found nothing. */
async function hunt(folder: string, defect: PlantedDefect): Promise<Hunted | undefined> {
  const { name, target, budget } = defect;
  const bundle = instrumentedBundle(await bundleWith(folder, defect));
  try {
    const { findings, targets } = await runCampaign(
      {
        targets: [targetByName(target) as FuzzTarget],
        bundle,
        folder: join(folder, name),
        seconds: budget,
        seed: SEED,
        jobs: 1,
        keepGoing: false,
        known: [],
      },
      new AbortController().signal,
    );
    const [finding] = findings;
    if (finding === undefined && targets.every(({ executions }) => executions === 0))
      throw new Error(`${name}: no input was run; is the build of these sources?`);
    if (finding === undefined) return undefined;
    return { inputs: finding.inputs, seconds: targets[0]?.seconds ?? 0, message: finding.message };
  } finally {
    rmSync(bundle, { force: true });
  }
}

const SEED = 7;
const MOST_SAID = 80;

function rowOf(defect: PlantedDefect, hunted: Hunted | undefined): string[] {
  const { mistake, file, target, budget } = defect;
  const inputs = hunted === undefined ? "**not found**" : String(hunted.inputs ?? "?");
  const seconds = hunted === undefined ? "" : hunted.seconds.toFixed(1);
  const said = (hunted?.message ?? "").split("\n")[0]?.slice(0, MOST_SAID) ?? "";
  return [mistake, `\`${file}\``, `\`${target}\``, String(budget), inputs, seconds, said];
}

async function main(args: readonly string[]): Promise<boolean> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const chosen = defects.filter(({ name }) => names.length === 0 || names.includes(name));
  const folder = mkdtempSync(join(tmpdir(), "pugmark-planted-"));
  const rows: string[][] = [];
  let whole = true;
  try {
    for (const defect of chosen) {
      const hunted = await hunt(folder, defect);
      if (hunted === undefined) whole = false;
      const row = rowOf(defect, hunted);
      rows.push(row);
      process.stderr.write(`${defect.name}: ${row.slice(2).join("  ")}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const heads = ["mistake", "planted in", "target", "budget, seconds", "found after inputs", "seconds"];
  const table = markdownTable([...heads, "what the target said"], rows);
  if (args.includes("--docs"))
    writeFileSync(PAGE, replaceMarked(readFileSync(PAGE, "utf8"), "planted defects", table));
  else process.stdout.write(table);
  return whole;
}

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
