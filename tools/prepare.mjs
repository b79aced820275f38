// npm's `prepare`: builds. Plain JavaScript, because it runs before the compiler has made anything.
//
// The first `npx pugmark` inside the checkout also runs `prepare`. If that fails, or leaves no file to link
// to, npm keeps a broken npx cache entry for this path for ever. So under `npx` it never fails, and when
// nothing can be built it leaves a program that says what to do; the next build replaces it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const main = new URL("dist/bin/pugmark.js", root);
const notBuilt = `#!/usr/bin/env node
process.stderr.write("pugmark is not built yet: run \`npm ci\` in the checkout first\\n");
process.exitCode = 2;
`;

function build() {
  const npm = spawnSync("npm", ["run", "build"], { stdio: "inherit", shell: process.platform === "win32" });
  return npm.status ?? 1;
}

if (process.env.npm_command !== "exec") {
  process.exitCode = build();
} else if (!existsSync(main)) {
  if (existsSync(new URL("node_modules/typescript", root))) build();
  if (!existsSync(main)) {
    mkdirSync(new URL(".", main), { recursive: true });
    writeFileSync(main, notBuilt, { mode: 0o755 });
  }
}
