// The command line as two programs of one file each, the second for its threads, with their compiled code beside them:
// it starts in half the time. Native and WebAssembly packages stay outside, since they load files of their own. Plain
// JavaScript, because the build runs it.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const outdir = `${root}dist/bin`;

/** Every `import()` becomes a call that loads on first use; one of a file that is known only then is left to the loader. */
const oneFile = {
  name: "one-file",
  setup(plugin) {
    plugin.onLoad({ filter: /\/dist\/(src|formats)\/.*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8")
        .replace(/\bimport\(("[^"]+")\)/g, "Promise.resolve(require($1))")
        .replace(/\bawait import\((?!")/g, "await __import("),
      loader: "js",
    }));
  },
};

/** `NAME.js` loads `NAME-program.js`, an expression, with the compiled code in `NAME.cache` if it is of this Node. */
const loader = (
  name,
  firstLine,
) => `${firstLine}// Loads ${name}-program.js, which is all there is to it, with its compiled code.
"use strict";
const { readFileSync } = require("node:fs");
const { pathToFileURL } = require("node:url");
const { Script } = require("node:vm");
const file = \`\${__dirname}/${name}-program.js\`;
let cachedData;
try {
  cachedData = readFileSync(\`\${__dirname}/${name}.cache\`);
} catch {
  // Without it everything is compiled when it is first called.
}
const script = new Script(readFileSync(file, "latin1"), { filename: file, cachedData });
exports.script = script;
script.runInThisContext()(require, exports, module, pathToFileURL(__filename).href, (name) => import(name));
`;

async function makeProgram(name, entryPoint, firstLine = "") {
  await build({
    absWorkingDir: root,
    outdir,
    entryPoints: { [`${name}-program`]: entryPoint },
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    charset: "ascii",
    legalComments: "external",
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: "linked",
    sourcesContent: false,
    external: ["@node-rs/crc32", "snappy", "node-sqlite3-wasm", "@bokuweb/zstd-wasm"],
    define: { "import.meta.url": "__url" },
    banner: { js: "(function(require,exports,module,__url,__import){" },
    footer: { js: "})" },
    plugins: [oneFile],
    logLevel: "warning",
  });
  writeFileSync(`${outdir}/${name}.js`, loader(name, firstLine));
}

/** Compiled code of what a run calls; without it the program works as well. */
function keepCompiled(name, ...args) {
  const run = spawnSync(
    process.execPath,
    [`${root}tools/keep-compiled.cjs`, `${outdir}/${name}.js`, ...args],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  if (run.status !== 0) process.stderr.write(`bundle: no compiled code of ${name}\n`);
}

rmSync(outdir, { recursive: true, force: true });
await makeProgram("pugmark", "dist/src/cli/main.js", "#!/usr/bin/env node\n");
// Beside the program: threads are started from a file next to the code that starts them.
await makeProgram("leaf-worker", "dist/src/verify/classic/leaf-worker.js");
writeFileSync(`${outdir}/package.json`, `${JSON.stringify({ type: "commonjs" })}\n`);
chmodSync(`${outdir}/pugmark.js`, 0o755);
const inputs = ["corpus/palm/trees", "corpus/classic-12.0/basic"]
  .map((path) => root + path)
  .filter(existsSync);
if (inputs.length > 0) keepCompiled("pugmark", "verify", ...inputs);
keepCompiled("leaf-worker");
