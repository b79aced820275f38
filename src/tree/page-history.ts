/** A page of a page log through time: its records, and what each of them changed. */

import { pageTypes } from "../../formats/page-header.js";
import { hasStop } from "../../formats/time-window.js";
import { type Row, rowsOf } from "../page/rows.js";
import type { PageRecord } from "../store/types.js";
import { PageFault } from "./problem.js";
import type { PagePart, PagePlace, ProblemCode, TreeKey } from "./types.js";

export interface PageChange {
  /** Undefined for a key on a page of its own. */
  readonly key: TreeKey | undefined;
  /** `stop`: the value is there still, and nobody of a later timestamp sees it. */
  readonly action: "put" | "stop" | "remove" | "child";
  /** Bytes of the value, or of the child's address. */
  readonly length: number;
  readonly startTs?: bigint;
  readonly stopTs?: bigint;
}

export interface PageVersion {
  readonly lsn: bigint;
  readonly kind: "image" | "delta" | "discard";
  readonly baseLsn: bigint;
  readonly backlinkLsn: bigint;
  readonly checkpointId: bigint | undefined;
  /** Bytes as stored. */
  readonly stored: number;
  readonly place: PagePlace;
  /** Rows or children of an image; changes of a delta. */
  readonly entries: number | undefined;
  /** Of a delta, in the order of keys; of an image nothing. */
  readonly changes: readonly PageChange[];
  /** Why the record cannot be read. */
  readonly problem?: string;
  readonly problemCode?: ProblemCode;
}

/** The record with what it says; damage is said, not thrown. `open` gives the plain image, undefined for a page that is no block. */
export function versionOf(
  record: PageRecord,
  open: (record: PageRecord) => PagePart | undefined,
): PageVersion {
  const { lsn, baseLsn, backlinkLsn, checkpointId, tableId, pageId, isDelta, discarded, place } = record;
  const version = {
    lsn,
    kind: discarded ? ("discard" as const) : isDelta ? ("delta" as const) : ("image" as const),
    baseLsn,
    backlinkLsn,
    checkpointId,
    stored: record.data.length,
    place: { path: place.file, tableId, pageId, lsn },
    entries: undefined,
    changes: [],
  };
  if (discarded) return version;
  try {
    const part = open(record);
    return part === undefined ? version : { ...version, ...contentOf(part, isDelta) };
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
    const { code, message } = error;
    return { ...version, problem: message, problemCode: code };
  }
}

function contentOf({ image, layout }: PagePart, isDelta: boolean): Pick<PageVersion, "entries" | "changes"> {
  const rows = [...rowsOf(image, layout)];
  const ofLeaf = layout.type === pageTypes.rowLeaf;
  return { entries: rows.length, changes: isDelta ? rows.map((row) => changeOf(row, ofLeaf)) : [] };
}

function changeOf({ key, removed, data, window }: Row, ofLeaf: boolean): PageChange {
  const stopped = window !== undefined && hasStop(window);
  const action = removed ? "remove" : !ofLeaf ? "child" : stopped ? "stop" : "put";
  return {
    key: key?.slice(),
    action,
    length: data.length,
    ...(window === undefined ? {} : { startTs: window.startTs }),
    ...(stopped ? { stopTs: window.stopTs } : {}),
  };
}
