/** Classic homes to repair, and what is in them. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readMetadata } from "../../src/repair/classic/home.js";
import { type RefusalCode, RepairRefusal } from "../../src/repair/index.js";
import type { RepairPoint } from "../../src/repair/points.js";
import { corpusPath } from "../support/corpus.js";

export const CORPUS = corpusPath();

/** A copy of a home of the corpus, removed afterwards. */
export async function withHome<T>(
  name: string,
  work: (home: string, folder: string) => T | Promise<T>,
): Promise<T> {
  return withFolder((folder) => {
    const home = join(folder, "home");
    cpSync(join(CORPUS, name), home, { recursive: true });
    return work(home, folder);
  });
}

export async function withFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "pugmark-repair-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every file with its bytes. */
export function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name)).toString("latin1")]),
  );
}

export const rowsIn = (home: string): Map<string, string> =>
  new Map([...readMetadata(home).rows].map(([uri, { value }]) => [uri, value]));

/** The refusal a piece of work ends with. */
export function refusalOf(work: () => unknown): RepairRefusal {
  try {
    work();
  } catch (error) {
    if (error instanceof RepairRefusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

export function assertRefused(code: RefusalCode, work: () => unknown): void {
  const refusal = refusalOf(work);
  assert.is(refusal.code, code, refusal.message);
  assert.ok(refusal.message.length > 10 && !refusal.message.includes("undefined"), refusal.message);
}

/** Thrown where a process is to have died. */
export class Stopped extends Error {}

/** Stops at the nth point that is passed. */
export function stopAt(nth: number): { hook: (point: RepairPoint) => void; passed: RepairPoint[] } {
  const passed: RepairPoint[] = [];
  const hook = (point: RepairPoint): void => {
    passed.push(point);
    if (passed.length === nth) throw new Stopped(point);
  };
  return { hook, passed };
}

/** The points a piece of work passes. */
export function pointsOf(work: (hook: (point: RepairPoint) => void) => void): RepairPoint[] {
  const { hook, passed } = stopAt(0);
  work(hook);
  return passed;
}

export function stops(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof Stopped) return true;
    throw error;
  }
}
