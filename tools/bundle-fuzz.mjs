// What jsfuzz loads has to be CommonJS: the targets as one file, which campaigns give coverage counters, and the
// programs around it. Plain JavaScript, because the build runs it.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));

await build({
  absWorkingDir: root,
  entryPoints: {
    targets: "dist/fuzz/targets/index.js",
    "jsfuzz-target": "dist/fuzz/campaign/jsfuzz-target.js",
    "campaign-target": "dist/fuzz/campaign/campaign-target.js",
    preload: "dist/fuzz/campaign/preload.js",
    watchdog: "dist/fuzz/campaign/watchdog.js",
    "run-thread": "dist/fuzz/campaign/run-thread.js",
  },
  outdir: `${root}dist/fuzz`,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  external: ["@node-rs/crc32", "snappy", "node-sqlite3-wasm", "@bokuweb/zstd-wasm"],
  define: { "import.meta.url": "__moduleUrl" },
  banner: { js: 'const __moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  logLevel: "warning",
});
