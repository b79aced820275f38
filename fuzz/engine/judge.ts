/** What we say of a classic home: the verifier's findings and one table's rows. */
import { createHash } from "node:crypto";
import { HexDump } from "../../src/report/rows/hex.js";
import { openDatabase, TreeError } from "../../src/tree/index.js";
import { verify } from "../../src/verify/index.js";

export interface Judgement {
  /** Errors, and what could not be read or is too new. */
  readonly rejects: number;
  readonly codes: readonly string[];
  readonly findings: readonly string[];
  /** SHA-256 of the rows as the engine dumps them; undefined where they cannot be read whole. */
  readonly rows: string | undefined;
  /** Thrown, which nothing may be. */
  readonly thrown?: string;
}

export interface JudgeRequest {
  readonly home: string;
  readonly uri: string;
}

const MAX_FINDINGS = 12;

export async function judge({ home, uri }: JudgeRequest): Promise<Judgement> {
  try {
    const { summary, findings } = await verify([home], { threads: 1 });
    const told = findings.filter(({ severity }) => severity !== "info");
    const rejects = summary.errors + summary.unreadable + summary.unsupported;
    return {
      rejects,
      codes: [...new Set(told.map(({ code }) => code))],
      findings: told
        .slice(0, MAX_FINDINGS)
        .map(({ code, path, offset, message }) => `${code}: ${path} at ${offset ?? "-"}: ${message}`),
      rows: rejects > 0 ? undefined : rowsOf(home, uri),
    };
  } catch (error) {
    const thrown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { rejects: 0, codes: [], findings: [], rows: undefined, thrown };
  }
}

/** Undefined where the table cannot be found, or not be read whole. */
function rowsOf(home: string, uri: string): string | undefined {
  const database = openDatabase(home);
  try {
    const hash = createHash("sha256");
    for (const chunk of new HexDump(database.table(uri).reader()).chunks()) hash.update(chunk);
    return hash.digest("hex");
  } catch (error) {
    if (error instanceof TreeError) return undefined;
    throw error;
  } finally {
    database.close();
  }
}
