/** Whole verification of small inputs: page logs and classic homes, damaged record by record and block by block. */
import { statSync } from "node:fs";
import { CLASSIC_BLOCK, DATA_CHECKSUM } from "../../formats/block-header.js";
import { DirectoryVerifier } from "../../src/verify/classic/directory.js";
import type { Finding } from "../../src/verify/finding.js";
import { verifyPageLog } from "../../src/verify/page-log/verify.js";
import { Detected, Run } from "../../src/verify/run.js";
import type { VerifyOptions, VerifyReport } from "../../src/verify/types.js";
import { DamagedHome, HomeFolder, SoundHome } from "../damage/classic-home.js";
import { DamagedPageLog, PAGE_LOGS, soundPageLog } from "../damage/page-logs.js";
import { Tape } from "../tape.js";
import { Broken, DECIDED, type FuzzTarget, isRaw, RAW } from "../target.js";

const MAX_CHANGES = 4;

/** Damage of every kind at small inputs. */
export function* damageSeeds(inputs: number): Generator<Uint8Array> {
  for (let index = 0; index < inputs; index++) {
    yield Uint8Array.of(DECIDED, index);
    yield Uint8Array.of(RAW, index, 5 * index, 9, 1);
    for (let kind = 0; kind < 12; kind++)
      yield Uint8Array.of(DECIDED, index, kind % 3, 11 * kind, 3, kind, kind % 5, 1, kind, 2 * kind, 7, 1, 3);
  }
}

export const verifyPageLogTarget: FuzzTarget = {
  name: "verify-page-log",
  oracle:
    "verifying a page log with damaged records, sealed up to any level, never throws; places lie within it; what is " +
    "not complete says why; a flipped byte under a checksum is always found, and nothing where nothing was damaged",
  seeds: () => damageSeeds(PAGE_LOGS),
  fuzz(input) {
    const raw = isRaw(input);
    const { report, size, sound } = verifyDamagedLog(input);
    checkReport(report, () => size);
    if (sound && report.summary.errors > 0) throw new Broken("errors in a sound log");
    if (raw && report.summary.errors === 0) throw new Broken("a flipped byte under a checksum is not found");
  },
};

interface DamageReport {
  readonly report: VerifyReport;
  /** Bytes of the log. */
  readonly size: number;
  /** Nothing was damaged. */
  readonly sound: boolean;
}

/** What verification says of the log that an input of the target stands for. */
export function verifyDamagedLog(input: Uint8Array, options: VerifyOptions = {}): DamageReport {
  const tape = new Tape(input.subarray(1));
  const damaged = new DamagedPageLog(soundPageLog(tape.below(256)));
  const raw = isRaw(input);
  const sound = !raw && tape.left === 0;
  if (raw) damaged.flip(tape);
  else if (!sound) for (let left = 1 + tape.below(MAX_CHANGES); left > 0; left--) damaged.change(tape);
  const log = damaged.log();
  const run = new Run(options, 0);
  verifyPageLog(log, run, new Detected(log.path, log.kind));
  return { report: run.report(), size: log.size, sound };
}

/** The home that is damaged, its folder, and the blocks a checkpoint leads to. */
interface ClassicBase {
  readonly sound: SoundHome;
  readonly folder: HomeFolder;
  readonly reachable: readonly number[];
}
let classic: ClassicBase | undefined;

function classicBase(): ClassicBase {
  if (classic !== undefined) return classic;
  const sound = SoundHome.ofCorpus("tiny");
  const folder = new HomeFolder(sound);
  // Whether a block is in use is told by what verification says when it is damaged.
  const reachable = sound.parts.flatMap((part, index) => {
    const home = new DamagedHome(sound);
    if (part.kind === "text" || !isWhollyCovered(part)) return [];
    home.flip(new Tape(Uint8Array.of(0, LAST_HEADER_BYTE, 0)), [index]);
    folder.set(home.changed());
    return verifyHome(folder.path).findings.some(({ code }) => code === "block-checksum") ? [index] : [];
  });
  if (reachable.length === 0) throw new Broken("no damaged block is found");
  classic = { sound, folder, reachable };
  return classic;
}
/** Of compressed blocks only the beginning is under the checksum, as a rule. */
const isWhollyCovered = ({ bytes }: SoundHome["parts"][number]): boolean =>
  ((bytes[CLASSIC_BLOCK.flags] as number) & DATA_CHECKSUM) !== 0;
/** A byte of every page header that is under the checksum. */
const LAST_HEADER_BYTE = 8;

function verifyHome(home: string): VerifyReport {
  const run = new Run({ threads: 1 }, 0);
  new DirectoryVerifier(home, run, new Detected(home, "classic-directory")).verify();
  return run.report();
}

export const verifyClassicTarget: FuzzTarget = {
  name: "verify-classic",
  oracle:
    "verifying a classic home with damaged blocks, texts and files, sealed up to any level, never throws; places lie " +
    "within the files; what is not complete says why; a flipped byte of a block in use is always found",
  seeds: () => damageSeeds(1),
  fuzz(input) {
    const report = verifyDamagedHome(input);
    checkReport(report, (path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    if (isRaw(input) && report.summary.errors === 0)
      throw new Broken("a flipped byte under a checksum is not found");
  },
};

/** What verification says of the home that an input of the target stands for. */
export function verifyDamagedHome(input: Uint8Array): VerifyReport {
  const tape = new Tape(input.subarray(2));
  const { sound, folder, reachable } = classicBase();
  const damaged = new DamagedHome(sound);
  if (isRaw(input)) damaged.flip(tape, reachable);
  else for (let left = 1 + tape.below(MAX_CHANGES); left > 0; left--) damaged.change(tape);
  folder.set(damaged.changed());
  return verifyHome(folder.path);
}

/** What holds of every report. */
export function checkReport({ findings, summary }: VerifyReport, sizeOf: (path: string) => number): void {
  for (const finding of findings) checkPlace(finding, sizeOf);
  const listed = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) listed[severity]++;
  if (listed.error > summary.errors || (summary.errors > 0 && listed.error === 0))
    throw new Broken(`${summary.errors} errors, ${listed.error} of them listed`);
  if (!summary.complete && findings.length === 0) throw new Broken("not complete, and nothing says why");
}

function checkPlace(
  { code, path, offset, line, lsn, pageId, message }: Finding,
  sizeOf: (path: string) => number,
): void {
  if (message === "") throw new Broken(`${code} says nothing`);
  if (offset !== undefined && !(offset >= 0 && offset <= sizeOf(path)))
    throw new Broken(`${code} at ${offset} of ${sizeOf(path)} in ${path}`);
  if (line !== undefined && line < 1) throw new Broken(`${code} in line ${line}`);
  if ((lsn ?? 0n) < 0n || (pageId ?? 0n) < 0n) throw new Broken(`${code} at LSN ${lsn}, page ${pageId}`);
}
