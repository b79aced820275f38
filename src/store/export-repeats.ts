/** What lines of an export say twice: text beside its bytes, numbers beside the key they are in. */
import {
  exportCheckpointKeys as CHECKPOINT,
  exportGlobalNames,
  exportGlobalKeys as GLOBAL,
} from "../../formats/page-log-export.js";
import { palmCheckpointKey, palmGlobal } from "../../formats/palm.js";
import { type ExactJson, type ExactObject, LongText } from "../codec/exact-json.js";
import { encodeText } from "../codec/text.js";
import { hexField, u64Field } from "./json-fields.js";

/** A field that is wrong, and why. */
export interface WrongField {
  readonly path: string;
  readonly problem: string;
}

/** The bytes of a text, however long; undefined when it is none. */
export const textBytes = (value: ExactJson | undefined): Uint8Array | undefined =>
  typeof value === "string" || value instanceof LongText ? encodeText(String(value)) : undefined;

/** `metadata`: the bytes given in hex, where they could be read. */
export function* checkpointRepeats(
  object: ExactObject,
  metadata: Uint8Array | undefined,
): Generator<WrongField> {
  const text = textBytes(object[CHECKPOINT.metadataText]);
  if (object[CHECKPOINT.metadataText] !== undefined && text === undefined)
    yield { path: CHECKPOINT.metadataText, problem: "not a text" };
  if (text !== undefined && metadata !== undefined && !isEqual(text, metadata))
    yield { path: CHECKPOINT.metadataText, problem: `another text than ${CHECKPOINT.metadata}` };
  if (object[CHECKPOINT.keyBytes] === undefined) return;
  const bytes = hexField(object[CHECKPOINT.keyBytes]);
  const reading = typeof bytes === "string" ? undefined : palmCheckpointKey.read(bytes);
  if (typeof bytes === "string") yield { path: CHECKPOINT.keyBytes, problem: bytes };
  else if (reading?.ok !== true) yield { path: CHECKPOINT.keyBytes, problem: "no key of a checkpoint" };
  else {
    const { value } = reading;
    const { lsn, checkpointId, timestamp } = CHECKPOINT;
    yield* different(object, CHECKPOINT.keyBytes, { [lsn]: value.lsn, [timestamp]: value.timestamp });
    if (value.generation === "L24")
      yield* different(object, CHECKPOINT.keyBytes, { [checkpointId]: value.checkpointId });
  }
}

export function* globalRepeats(object: ExactObject): Generator<WrongField> {
  const name = exportGlobalNames[Number(u64Field(object, GLOBAL.key))];
  const given = object[GLOBAL.name];
  if (given !== undefined && name !== undefined && given !== name)
    yield { path: GLOBAL.name, problem: `not the name of counter ${object[GLOBAL.key]}, which is ${name}` };
  const [key, value] = [hexField(object[GLOBAL.keyBytes]), hexField(object[GLOBAL.valueBytes])];
  if (typeof key === "string" && object[GLOBAL.keyBytes] !== undefined)
    yield { path: GLOBAL.keyBytes, problem: key };
  if (typeof value === "string" && object[GLOBAL.valueBytes] !== undefined)
    yield { path: GLOBAL.valueBytes, problem: value };
  if (typeof key === "string" || typeof value === "string") return;
  const reading = palmGlobal.read(Buffer.concat([key, value]));
  if (!reading.ok) yield { path: GLOBAL.valueBytes, problem: "key and value are no counter" };
  else {
    yield* different(object, GLOBAL.keyBytes, { [GLOBAL.key]: BigInt(reading.value.key) });
    yield* different(object, GLOBAL.valueBytes, { [GLOBAL.value]: reading.value.value });
  }
}

/** Fields that are given and differ from what the bytes at `path` hold. */
function* different(
  object: ExactObject,
  path: string,
  held: Readonly<Record<string, bigint>>,
): Generator<WrongField> {
  for (const [field, value] of Object.entries(held)) {
    const given = u64Field(object, field);
    if (given !== undefined && given !== value)
      yield { path, problem: `it holds ${value}, and ${field} is ${given}` };
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);
