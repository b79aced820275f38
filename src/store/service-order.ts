/** What entries of a page-service dump say of their place in the log (formats: page-log stores §4). */
import { serviceEntryKeys as KEYS, SERVICE_ENTRY_TYPE } from "../../formats/page-service.js";
import { type ExactObject, isExactObject } from "../codec/exact-json.js";
import type { Severity } from "../codec/schema.js";
import { asU64, u64Field } from "./json-fields.js";

/** Where an entry is. */
export interface EntryPlace {
  readonly offset: number;
  /** Line number. */
  readonly number: number;
  readonly path: string;
}

export type Report = (place: EntryPlace, field: string, problem: string, severity?: Severity) => void;

interface Entry {
  readonly lsn: bigint;
  readonly domain: bigint | undefined;
  /** The log's record before it. */
  readonly previous: bigint | undefined;
  readonly place: EntryPlace;
}

const NUMBER = "not a 64-bit number";
const DOMAIN = `${KEYS.lsn}.${KEYS.domainId}`;

export class ServiceOrder {
  private entries: Entry[] = [];

  constructor(private readonly report: Report) {}

  /** `newer`: LSN of the entry of the page in front of it, where there is one. */
  note(entry: ExactObject, lsn: bigint, newer: bigint | undefined, place: EntryPlace): void {
    if (newer !== undefined && lsn > newer)
      this.report(place, KEYS.lsn, `newer than the entry before it; entries are newest first`, "warning");
    this.checkType(entry, place);
    const domain = this.domainOf(entry, place);
    const previous = u64Field(entry, KEYS.previousLsn);
    if (previous === undefined && entry[KEYS.previousLsn] !== undefined)
      this.report(place, KEYS.previousLsn, NUMBER);
    if (previous !== undefined && previous >= lsn)
      this.report(place, KEYS.previousLsn, `LSN ${previous} is not before the entry's own, ${lsn}`);
    this.entries.push({ lsn, domain, previous, place });
  }

  /** Between an entry and the one it follows in the log there can be no other. */
  finish(): void {
    const entries = this.ofOneDomain().sort((a, b) => (a.lsn < b.lsn ? -1 : a.lsn > b.lsn ? 1 : 0));
    this.entries = [];
    let before: bigint | undefined;
    for (const [at, { lsn, previous, place }] of entries.entries()) {
      const earlier = entries[at - 1]?.lsn;
      if (earlier !== undefined && earlier !== lsn) before = earlier;
      if (before === undefined || previous === undefined || previous >= before) continue;
      const problem = `the entry follows LSN ${previous} in the log, and there is one of LSN ${before} between`;
      this.report(place, KEYS.previousLsn, problem, "warning");
    }
  }

  /** Logs of different domains have LSNs of their own; the one most entries are of is that of the dump. */
  private ofOneDomain(): Entry[] {
    const counts = new Map<bigint, number>();
    for (const { domain } of this.entries)
      if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + 1);
    const [common] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
    return this.entries.filter(({ domain, place }) => {
      if (domain === undefined || domain === common) return true;
      const problem = `domain ${domain} among entries of domain ${common}`;
      this.report(place, DOMAIN, problem, "warning");
      return false;
    });
  }

  private checkType(entry: ExactObject, place: EntryPlace): void {
    const given = entry[KEYS.type];
    const type = asU64(given);
    if (given === undefined || type === SERVICE_ENTRY_TYPE) return;
    if (type === undefined) this.report(place, KEYS.type, NUMBER);
    else this.report(place, KEYS.type, `${type} was not met so far; known is ${SERVICE_ENTRY_TYPE}`, "info");
  }

  private domainOf(entry: ExactObject, place: EntryPlace): bigint | undefined {
    const lsn = entry[KEYS.lsn];
    if (!isExactObject(lsn) || lsn[KEYS.domainId] === undefined) return undefined;
    const domain = u64Field(lsn, KEYS.domainId);
    if (domain === undefined) this.report(place, DOMAIN, NUMBER);
    return domain;
  }
}
