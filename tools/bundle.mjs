// The command line as one file instead of hundreds: it starts in half the time. Native and WebAssembly packages stay
// outside, since they load files of their own. Plain JavaScript, because the build runs it.
import { chmodSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const outdir = `${root}dist/bin`;

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    pugmark: "dist/src/cli/main.js",
    // Programs of threads lie beside the code that starts them.
    "leaf-worker": "dist/src/verify/classic/leaf-worker.js",
  },
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: "linked",
  sourcesContent: false,
  external: ["@node-rs/crc32", "snappy", "node-sqlite3-wasm", "@bokuweb/zstd-wasm"],
  // Packages that are not modules ask for `require`.
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
chmodSync(`${outdir}/pugmark.js`, 0o755);
