/**
 * What jsfuzz loads: one target, with coverage counted its own way. Inputs that break the target are kept with a note;
 * the campaign decides what is new. Built to one CommonJS file, since jsfuzz loads targets with `require`.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { FuzzTarget } from "../target.js";
import { loadTargets } from "./bundle.js";
import { takeCounters } from "./coverage-counters.js";
import { type FindingNote, SETTINGS_VARIABLE, type TargetSettings } from "./settings.js";
import { messageOf, signatureOf, stackOf } from "./signature.js";
import type { WatchdogData } from "./watchdog.js";

/** What one input may print before that is a finding of its own, bytes. */
const MAX_OUTPUT = 1 << 20;

const settings = JSON.parse(process.env[SETTINGS_VARIABLE] ?? "{}") as TargetSettings;
const target = loadTargets(settings.bundle)(settings.target) as FuzzTarget;
const counters = takeCounters(settings.bundle);
const known = new Set(settings.known);
/** One entry for each input that reached something new: what jsfuzz adds up. */
const discoveries: number[] = [];
globalThis.__coverage__ = { [settings.target]: { s: {}, f: {}, b: { 0: discoveries } } };

let printed = 0;
let inside = false;
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]): boolean => {
  printed += chunk.length;
  if (inside && printed > MAX_OUTPUT) throw new Error("prints without end");
  return write(chunk, ...rest);
}) as typeof process.stdout.write;
const exit = process.exit.bind(process);
process.exit = ((code?: number): never => {
  if (inside) throw new Error("ends its process");
  return exit(code);
}) as typeof process.exit;

/** Inputs begun, for the watchdog; odd while one is running. */
const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const watched: WatchdogData = { begun, seconds: settings.inputSeconds, pid: process.pid };
new Worker(join(__dirname, "watchdog.cjs"), { workerData: watched }).unref();

export function fuzz(input: Buffer): void {
  printed = 0;
  inside = true;
  Atomics.add(begun, 0, 1);
  try {
    target.fuzz(new Uint8Array(input.buffer, input.byteOffset, input.length));
  } catch (error) {
    inside = false;
    report(input, error);
  } finally {
    inside = false;
    Atomics.add(begun, 0, 1);
  }
  if (counters.note()) discoveries.push(1);
}

function report(input: Buffer, error: unknown): void {
  const signature = signatureOf(error);
  if (known.has(signature)) return;
  known.add(signature);
  const name = createHash("sha256").update(input).digest("hex").slice(0, 16);
  const note: FindingNote = {
    target: target.name,
    signature,
    message: messageOf(error),
    stack: stackOf(error),
  };
  writeFileSync(join(settings.findings, `${target.name}-${name}`), input);
  writeFileSync(join(settings.findings, `${target.name}-${name}.json`), JSON.stringify(note));
  if (!settings.keepGoing) throw error;
}
