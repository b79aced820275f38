/**
 * One target for jsfuzz, with coverage counted its own way. Inputs that break the target are kept with a note; the
 * campaign decides what is new. Built to one CommonJS file, since jsfuzz loads targets with `require`.
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

const STACK_FRAMES = Error.stackTraceLimit;
/** Of inputs that reach nothing new, so many are glanced at for each that is run whole. */
const GLANCES = 31;
let glances = 0;
let inputs = 0;

export function fuzz(input: Buffer): void {
  inputs++;
  // Codecs refuse most inputs with an error each: looking through the stack for it would take longer than reading.
  Error.stackTraceLimit = 0;
  const broken = isWhole(input) && run(target.fuzz, input);
  Error.stackTraceLimit = STACK_FRAMES;
  if (counters.note()) discoveries.push(1);
  if (broken) report(input, (run(target.fuzz, input) ?? broken).error);
}

/** Whether the input is to be run whole: by its turn, by what a glance at it reached, or because that broke it. */
function isWhole(input: Buffer): boolean {
  const { glance } = target;
  if (glance === undefined || ++glances > GLANCES) {
    glances = 0;
    return true;
  }
  const broken = run(glance, input);
  if (!counters.note()) return broken !== undefined;
  discoveries.push(1);
  return true;
}

/** What the input breaks. */
function run(fuzzed: FuzzTarget["fuzz"], input: Buffer): { readonly error: unknown } | undefined {
  printed = 0;
  inside = true;
  Atomics.add(begun, 0, 1);
  try {
    fuzzed(new Uint8Array(input.buffer, input.byteOffset, input.length));
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    inside = false;
    Atomics.add(begun, 0, 1);
  }
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
    inputs,
  };
  writeFileSync(join(settings.findings, `${target.name}-${name}`), input);
  writeFileSync(join(settings.findings, `${target.name}-${name}.json`), JSON.stringify(note));
  if (!settings.keepGoing) throw error;
}
