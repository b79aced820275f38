/** The core in a real browser, under a content security policy that forbids code generation. */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildResult, build } from "esbuild";
import { chromium } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { skipped } from "../support/skip.js";
import { type BrowserReport, decodeAll, fixedImplementation } from "./core.js";
import { realInputs } from "./inputs.js";

const CHROMIUM = "/usr/bin/chromium";
const POLICY = "default-src 'none'; script-src 'self'";
const PAGE =
  '<!doctype html><meta charset="utf-8"><body><script src="/inputs.js"></script><script src="/core.js"></script>';
/** So that it asks nothing of a network that is not there; as root it has no sandbox. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** One script for the browser; fails when the core imports anything of Node. */
function bundle(): Promise<BuildResult<{ write: false; metafile: true }>> {
  const entry = fileURLToPath(new URL(`./in-page${extname(import.meta.url)}`, import.meta.url));
  return build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "iife",
    target: "es2022",
    logLevel: "silent",
  });
}

function serve(script: string, inputs: unknown): Promise<Server> {
  const files: Record<string, [type: string, body: string]> = {
    "/": ["text/html", PAGE],
    "/core.js": ["text/javascript", script],
    "/inputs.js": ["text/javascript", `globalThis.inputs = ${JSON.stringify(inputs)};`],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[request.url ?? ""] ?? [];
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": `${type ?? "text/plain"}; charset=utf-8`,
      "content-security-policy": POLICY,
    });
    response.end(body);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function reportOf(url: string): Promise<BrowserReport> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(url);
    const report = page.locator("#report");
    await report.waitFor({ state: "attached", timeout: 20_000 }).catch((error: unknown) => {
      throw new Error(`the page wrote no report: ${problems.join("; ") || String(error)}`);
    });
    const result = JSON.parse((await report.textContent()) as string) as BrowserReport & { failure?: string };
    if (result.failure !== undefined) throw new Error(result.failure);
    return result;
  } finally {
    await browser.close();
  }
}

const test = suite("the core in a browser");

test("the bundle holds nothing of Node", async () => {
  const { outputFiles, metafile } = await bundle();
  const imports = Object.values(metafile.inputs).flatMap(({ imports }) => imports);
  assert.equal(
    imports.filter(({ path, external }) => external === true || path.startsWith("node:")),
    [],
  );
  const script = outputFiles[0]!.text;
  assert.not.match(script, /["']node:/);
  assert.not.match(script, /\brequire\s*\(/);
});

test("a node: import would be noticed", async () => {
  const failure = await build({
    stdin: { contents: 'import { readFileSync } from "node:fs"; readFileSync("x");' },
    bundle: true,
    write: false,
    platform: "browser",
    logLevel: "silent",
  }).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  assert.match(String(failure), /node:fs/);
});

test("real pages and cookies decode to the same without unsafe-eval", async () => {
  if (!existsSync(CHROMIUM)) return skipped(`no ${CHROMIUM}: the core was not run in a browser`, "browser");
  const { outputFiles } = await bundle();
  const inputs = realInputs();
  const server = await serve(outputFiles[0]!.text, inputs);
  try {
    const report = await reportOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    assert.match(report.userAgent, /Chrome/);
    assert.is(report.newFunction, "EvalError", "the policy forbids new Function");
    assert.is(report.fixedImplementation, "closures");
    assert.is(fixedImplementation(), "generated", "here the other path is taken");
    assert.equal(report.results, decodeAll(inputs));
  } finally {
    server.close();
  }
});

test.run();
