/** One verification: its findings, its counters and what was detected on the way. */
import { PARTIAL_CHECKSUM_LENGTH } from "../../formats/block-header.js";
import type { InputError } from "../store/input-error.js";
import type { InputKind } from "../store/types.js";
import type { ForcedGenerations } from "./generation.js";
import { type FindingPlace, Findings } from "./rule.js";
import { checksumPartial } from "./rules/block/checksum-partial.js";
import { findingsSuppressed } from "./rules/run/findings-suppressed.js";
import { inputUnknown } from "./rules/run/input-unknown.js";
import { inputUnreadable } from "./rules/run/input-unreadable.js";
import { unchecked } from "./rules/run/unchecked.js";
import { unsupportedVersion } from "./rules/run/unsupported-version.js";
import type { InputReport, VerifyOptions, VerifyReport } from "./types.js";

/** A part of a run, found by another thread. */
export interface Taken extends ReturnType<Findings["take"]> {
  readonly pages: number;
  readonly bytes: number;
  readonly complete: boolean;
  readonly unreadPages: number;
  readonly uncoveredBlocks: number;
  readonly uncoveredBytes: number;
}

export class Run {
  readonly findings: Findings;
  pages = 0;
  bytes = 0;
  checkpoints = 0;
  complete = true;
  /** Pages whose addresses could not be read, all or some: what hangs below them is not known. */
  unreadPages = 0;
  /** Blocks whose checksum is of their first 64 bytes only, and the bytes behind these. */
  uncoveredBlocks = 0;
  uncoveredBytes = 0;
  private readonly inputs: Array<Detected | UnopenedInput> = [];
  private progressAt = 0;

  constructor(
    readonly options: VerifyOptions,
    /** Bytes of all inputs, for progress. */
    private readonly totalBytes: number,
    /** Generations that are not to be detected. */
    readonly forced: ForcedGenerations = {},
  ) {
    this.findings = new Findings(options.maxFindingsPerCode, options.onFinding);
  }

  /** Counts checked bytes. */
  checked(pages: number, bytes: number): void {
    this.pages += pages;
    this.bytes += bytes;
    if (this.bytes < this.progressAt) return;
    this.progressAt = this.bytes + 16 * 1024 * 1024;
    this.options.onProgress?.(this.bytes, this.totalBytes);
  }

  /** Notes the bytes of a sound block that its checksum does not cover. */
  countUncovered(bytes: number): void {
    if (bytes === 0) return;
    this.uncoveredBlocks++;
    this.uncoveredBytes += bytes;
  }

  /** Says, as information, how much of an input or file no checksum covers; counts anew from there. */
  reportUncovered(place: FindingPlace): void {
    const { uncoveredBlocks: blocks, uncoveredBytes: bytes } = this;
    this.uncoveredBlocks = this.uncoveredBytes = 0;
    if (blocks === 0) return;
    this.findings.add(checksumPartial, place, {
      message: `${blocks} blocks have a checksum of their first ${PARTIAL_CHECKSUM_LENGTH} bytes only: ${bytes} bytes are checked by their form alone`,
      actual: blocks,
    });
  }

  /** The verdict is not complete: says what could not be checked. */
  unchecked(place: FindingPlace, message: string, severity?: "info" | "warning"): void {
    this.complete = false;
    this.findings.add(unchecked, place, severity === undefined ? { message } : { message, severity });
  }

  /** An input, or a file of one, that could not be opened. */
  refused(place: FindingPlace, { code, reason }: InputError): void {
    const rule =
      code === "input-unsupported"
        ? unsupportedVersion
        : code === "input-unknown"
          ? inputUnknown
          : inputUnreadable;
    this.findings.add(rule, place, { message: reason });
  }

  /** What has been found since the last time this was asked, for another run to merge. */
  take(): Taken {
    const { pages, bytes, complete, unreadPages, uncoveredBlocks, uncoveredBytes } = this;
    this.pages = this.bytes = this.unreadPages = this.uncoveredBlocks = this.uncoveredBytes = 0;
    this.complete = true;
    const counters = { pages, bytes, complete, unreadPages, uncoveredBlocks, uncoveredBytes };
    return { ...counters, ...this.findings.take() };
  }

  /** Adds what a part leaves open; its pages, bytes and findings are added apart. */
  addOpen({ complete, unreadPages, uncoveredBlocks, uncoveredBytes }: Taken): void {
    if (!complete) this.complete = false;
    this.unreadPages += unreadPages;
    this.uncoveredBlocks += uncoveredBlocks;
    this.uncoveredBytes += uncoveredBytes;
  }

  addInput(input: Detected): void {
    this.inputs.push(input);
  }

  /** Every input has its entry; one whose kind was found before it failed has it already. */
  addUnopened(path: string, error: InputError): void {
    const last = this.inputs.at(-1);
    if (last instanceof Detected && last.path === path && last.reason === undefined)
      last.reason = error.reason;
    else this.inputs.push(new UnopenedInput(path, error.reason));
    this.refused({ path }, error);
  }

  report(): VerifyReport {
    for (const { code, count } of this.findings.suppressed())
      this.findings.add(
        findingsSuppressed,
        { path: "" },
        { message: `${count} more findings ${code} are not listed` },
      );
    const { error, warning, info } = this.findings.counts;
    const unreadable = this.findings.count(inputUnreadable.code);
    const unsupported = this.findings.count(inputUnknown.code) + this.findings.count(unsupportedVersion.code);
    return {
      schemaVersion: 1,
      inputs: this.inputs.map((input) => input.report()),
      summary: {
        pages: this.pages,
        bytes: this.bytes,
        checkpoints: this.checkpoints,
        errors: error,
        warnings: warning,
        infos: info,
        unreadable,
        unsupported,
        complete: this.complete && unreadable === 0 && unsupported === 0,
      },
      findings: this.findings.list,
    };
  }
}

/** An input that could not be opened. */
class UnopenedInput {
  constructor(
    readonly path: string,
    private readonly reason: string,
  ) {}

  report(): InputReport {
    const none: readonly string[] = [];
    return {
      path: this.path,
      kind: null,
      reason: this.reason,
      generations: none,
      compressors: none,
      encryptors: none,
      allocationSizes: [],
    };
  }
}

/** What one input turned out to hold. */
export class Detected {
  readonly generations = new Set<string>();
  readonly compressors = new Set<string>();
  readonly encryptors = new Set<string>();
  readonly allocationSizes = new Set<number>();
  /** Why it could not be opened after all. */
  reason: string | undefined;

  constructor(
    readonly path: string,
    readonly kind: InputKind,
  ) {}

  report(): InputReport {
    return {
      path: this.path,
      kind: this.kind,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      generations: [...this.generations].sort(),
      compressors: [...this.compressors].sort(),
      encryptors: [...this.encryptors].sort(),
      allocationSizes: [...this.allocationSizes].sort((a, b) => a - b),
    };
  }
}
