/** The generation a caller forces, by what it is of. */
import { addressCookie } from "../../formats/address-cookie.js";
import { type BlockHeaderValue, blockHeader } from "../../formats/block-header.js";
import { checkpointRecord } from "../../formats/checkpoint-record.js";
import { cryptPage } from "../../formats/crypt-page.js";
import { disaggTurtle } from "../../formats/disagg-turtle.js";
import type { DeltaForm } from "../page/walk-types.js";

/** What is not forced is detected. */
export interface ForcedGenerations {
  readonly block?: BlockHeaderValue["generation"];
  readonly cookie?: string;
  readonly turtle?: string;
  readonly keyPage?: string;
  readonly checkpointRecord?: string;
  readonly delta?: DeltaForm;
}

/** The payload of deltas: by form, and by the names of formats `delta-value`. */
const deltaForms: Readonly<Record<string, DeltaForm>> = { P0: "P0", P1: "P1", P2: "P2", uB: "P1", Bu: "P2" };

const named = {
  block: blockHeader.generations,
  cookie: addressCookie.generations,
  turtle: disaggTurtle.generations,
  keyPage: cryptPage.generations,
  checkpointRecord: checkpointRecord.generations,
  delta: Object.keys(deltaForms),
} satisfies Record<keyof ForcedGenerations, readonly string[]>;

/** What each part of a dump may be forced to be. */
export const forcibleGenerations: Readonly<Record<keyof ForcedGenerations, readonly string[]>> = named;

/** Undefined for a name that no format has. */
export function forcedGenerations(name: string): ForcedGenerations | undefined {
  const part = (Object.keys(named) as Array<keyof ForcedGenerations>).find((key) =>
    named[key].includes(name),
  );
  return part === undefined ? undefined : { [part]: part === "delta" ? deltaForms[name] : name };
}

/** Why a name cannot be forced: one line with those that can. */
export function unknownGeneration(name: string): string {
  const known = [
    `block headers ${named.block.join(", ")}`,
    `cookies ${named.cookie.join(", ")}`,
    `turtle pages ${named.turtle.join(", ")}`,
    `key pages ${named.keyPage.join(", ")}`,
    `checkpoint records ${named.checkpointRecord.join(", ")}`,
    `deltas ${named.delta.join(", ")}`,
  ];
  return `no generation is called ${JSON.stringify(name)}; there are ${known.join("; ")}`;
}

/** Read options of a format whose generation may be forced. */
export const readAs = (generation: string | undefined): { generation?: string } =>
  generation === undefined ? {} : { generation };
