// The command line as a few files instead of hundreds: it starts in half the time. `verify` has a file of its own and
// does not load what the other commands need; what both need is in shared files. Native and WebAssembly packages stay
// outside, since they load files of their own. Plain JavaScript, because the build runs it.
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const outdir = `${root}dist/bin`;
const commands = `${root}dist/src/cli/commands`;
const OTHERS = "other-commands";

const options = {
  absWorkingDir: root,
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
};

/** Every `import()` would become a file: they stay calls that load on first use, but for those of commands. */
const fewFiles = {
  name: "few-files",
  setup(plugin) {
    const found = new Set();
    plugin.onLoad({ filter: /\/dist\/(src|formats)\/.*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(/\bimport\("([^"]+)"\)/g, (call, name) => {
        if (!name.includes("/commands/")) return `Promise.resolve(require("${name}"))`;
        const command = basename(name, ".js");
        if (command === "verify") return call;
        found.add(command);
        return `import("${OTHERS}").then((others) => others.${command}())`;
      }),
      loader: "js",
    }));
    plugin.onResolve({ filter: new RegExp(`^${OTHERS}$`) }, () => ({ path: OTHERS, namespace: OTHERS }));
    plugin.onLoad({ filter: /.*/, namespace: OTHERS }, () => ({
      contents: [...found].map((name) => `export const ${name} = () => require("./${name}.js");`).join("\n"),
      resolveDir: commands,
      loader: "js",
    }));
  },
};

rmSync(outdir, { recursive: true, force: true });
await build({
  ...options,
  entryPoints: { pugmark: "dist/src/cli/main.js" },
  splitting: true,
  // Beside the program: threads are started from a file next to the code that starts them.
  chunkNames: "[name]-[hash]",
  plugins: [fewFiles],
});
await build({ ...options, entryPoints: { "leaf-worker": "dist/src/verify/classic/leaf-worker.js" } });
chmodSync(`${outdir}/pugmark.js`, 0o755);
