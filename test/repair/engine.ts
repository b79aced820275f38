/** The real engine's program on homes under test. It takes most of a second to start: calls side by side are cheaper. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";

export const missingEngine: string | undefined =
  spawnSync("wt", ["-V"]).error === undefined ? undefined : "the real engine (wt) is not installed";

export interface EngineResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface EngineOptions {
  readonly config?: string;
  readonly input?: string;
}

export function wt(
  home: string,
  args: readonly string[],
  { config, input = "" }: EngineOptions = {},
): Promise<EngineResult> {
  return new Promise((resolve, reject) => {
    const child = spawn("wt", [...(config === undefined ? [] : ["-C", config]), "-h", home, ...args]);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (status) =>
      resolve({
        status,
        stdout: Buffer.concat(out).toString("latin1"),
        stderr: Buffer.concat(err).toString("latin1"),
      }),
    );
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Exit code 0, and no line of an error. */
export async function wtOk(
  home: string,
  args: readonly string[],
  options: EngineOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await wt(home, args, options);
  assert.is(`${status} ${stderr}`, "0 ", `wt ${args.join(" ")}`);
  return stdout;
}

/** Files of homes by their tables, as the engine left them: made once a process. */
const made = new Map<string, ReadonlyMap<string, Uint8Array>>();

/** A new home with tables `table:NAME` of strings. */
export async function newHome(home: string, names: readonly string[]): Promise<void> {
  const known = made.get(names.join());
  mkdirSync(home);
  if (known !== undefined) {
    for (const [name, bytes] of known) writeFileSync(join(home, name), bytes);
    return;
  }
  for (const name of names)
    await wtOk(home, ["create", "-c", "key_format=S,value_format=S", `table:${name}`]);
  const files = readdirSync(home).map((name) => [name, readFileSync(join(home, name))] as const);
  made.set(names.join(), new Map(files));
}

export const hexRow = (key: string, value: string): string =>
  `${Buffer.from(`${key}\0`, "latin1").toString("hex")}\n${Buffer.from(`${value}\0`, "latin1").toString("hex")}\n`;

/** What `wt load` takes. */
export const dumpText = (uri: string, rows: string, config = "key_format=S,value_format=S"): string =>
  `WiredTiger Dump (WiredTiger Version 3.2.1)\nFormat=hex\nHeader\n${uri}\n${config}\nData\n${rows}`;

/** The rows of `wt dump -x`. */
export async function rowsOf(home: string, uri: string): Promise<string> {
  const text = await wtOk(home, ["dump", "-x", uri]);
  return text.slice(text.indexOf("\nData\n") + 6);
}
