/** What verification takes and gives. */
import type { InputKind } from "../store/types.js";
import type { Finding } from "./finding.js";

export interface VerifyOptions {
  /** Forces the input kind instead of detecting it. */
  readonly kind?: InputKind;
  /** Forces a format generation where it applies, e.g. `D0` for block headers, `B` for cookies. */
  readonly generation?: string;
  /** Forces the compressor of all tables, e.g. `snappy`. */
  readonly compressor?: string;
  /** Forces the allocation size of classic files, bytes. */
  readonly allocationSize?: number;
  /** Key id of the rotn test encryptor; detected by evidence when absent. */
  readonly rotnKeyId?: number;
  /** Findings kept per code (default 1,000); more are counted and reported as one `findings-suppressed`. */
  readonly maxFindingsPerCode?: number;
  /** Follows the trees of every checkpoint, not only of the newest one. */
  readonly allCheckpoints?: boolean;
  /** Names keys in what findings mean for the data; they are user data. */
  readonly showKeys?: boolean;
  /** Threads that check large classic files (default: one a core). */
  readonly threads?: number;
  /** Called for each finding as it is made. */
  readonly onFinding?: (finding: Finding) => void;
  /** Called now and then with the bytes checked so far and the bytes of all inputs. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface InputReport {
  readonly path: string;
  /** Null for an input that could not be opened, or is nothing known. */
  readonly kind: InputKind | null;
  /** Why it could not be opened. */
  readonly reason?: string;
  /** What was detected: store layout, block headers, cookies, turtle, key page. Sorted. */
  readonly generations: readonly string[];
  readonly compressors: readonly string[];
  readonly encryptors: readonly string[];
  readonly allocationSizes: readonly number[];
}

export interface VerifySummary {
  /** Pages and page deltas checked. */
  readonly pages: number;
  /** Bytes checked. */
  readonly bytes: number;
  readonly checkpoints: number;
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  /** Inputs and files of inputs that could not be read. */
  readonly unreadable: number;
  /** Inputs of no known kind, and parts of a generation too new. */
  readonly unsupported: number;
  /** False when something that should have been checked could not be (then a finding says what and why). */
  readonly complete: boolean;
}

export interface VerifyReport {
  readonly schemaVersion: 1;
  readonly inputs: readonly InputReport[];
  readonly summary: VerifySummary;
  /** In the order of inputs, then place. */
  readonly findings: readonly Finding[];
}
