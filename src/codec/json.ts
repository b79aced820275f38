/** Values to JSON and back: 64-bit integers as decimal strings, bytes as lower-case hex. */
import { sha256 } from "@noble/hashes/sha2.js";
import { FormatError } from "./error.js";
import type { BytesNode, Node, StructNode, UnionNode } from "./schema.js";

export interface JsonOptions {
  /** `reveal` gives key material as hex; it must never reach output. Default: length and fingerprint. */
  readonly secrets?: "reveal";
  /** Values from outside that computed values need, as in reading. */
  readonly params?: Readonly<Record<string, number>>;
}

export function bytesToHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += HEX[byte];
  return hex;
}
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Bytes of a hex string; white space between bytes is allowed.
 * @throws FormatError `hex-digit`, `hex-odd` with the character offset.
 */
export function hexToBytes(hex: string): Uint8Array {
  const bad = /[^0-9a-fA-F\s]/.exec(hex);
  if (bad !== null)
    throw new FormatError({
      code: "hex-digit",
      message: `not a hex digit: ${JSON.stringify(bad[0])}`,
      offset: bad.index,
    });
  const digits = hex.replace(/\s+/g, "");
  if (digits.length % 2 !== 0)
    throw new FormatError({
      code: "hex-odd",
      message: `odd number of hex digits (${digits.length})`,
      offset: hex.length,
    });
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (digitValue(digits.charCodeAt(2 * i)) << 4) | digitValue(digits.charCodeAt(2 * i + 1));
  return bytes;
}

/** The value of a character that is known to be a hex digit. */
const digitValue = (code: number): number => (code & 0xf) + (code >= 0x41 ? 9 : 0);

/** What may be shown of key material: its length and the first 8 bytes of its SHA-256. */
export function secretSummary(secret: Uint8Array): { length: number; fingerprint: string } {
  return { length: secret.length, fingerprint: `sha256:${bytesToHex(sha256(secret).subarray(0, 8))}` };
}

export function toJson(node: Node, value: unknown, options: JsonOptions = {}): unknown {
  if (value === undefined) return undefined;
  switch (node.kind) {
    case "int":
    case "packed":
    case "nibble":
      return typeof value === "bigint" ? value.toString() : value;
    case "bytes":
      return bytesJson(node, value as Uint8Array, options);
    case "text":
      return value;
    case "struct":
      return structJson(node, value as Record<string, unknown>, options);
    case "array":
      return (value as unknown[]).map((item) => toJson(node.of, item, options));
    case "optional":
    case "region":
      return toJson(node.of, value, options);
    case "union": {
      const { kind } = value as { kind: string };
      return { kind, ...(toJson(caseOf(node, kind), value, options) as object) };
    }
    case "custom":
      return node.toJson(value);
  }
}

function bytesJson(node: BytesNode, value: Uint8Array, options: JsonOptions): unknown {
  return node.secret === true && options.secrets !== "reveal" ? secretSummary(value) : bytesToHex(value);
}

function structJson(
  node: StructNode,
  value: Record<string, unknown>,
  options: JsonOptions,
): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, field] of node.fields)
    if (value[name] !== undefined) json[name] = toJson(field, value[name], options);
  for (const [name, { of }] of Object.entries(node.computed ?? {})) {
    const computed = of(value, options.params ?? {});
    if (computed !== undefined) json[name] = typeof computed === "bigint" ? computed.toString() : computed;
  }
  return json;
}

function caseOf(node: UnionNode, kind: string): Node {
  const chosen = node.cases.find((entry) => entry.name === kind)?.node;
  const found = chosen ?? (node.otherwise?.name === kind ? node.otherwise.node : undefined);
  if (found === undefined) throw typeError(`no case is called ${kind}`, "kind", kind);
  return found;
}

const typeError = (message: string, expected: string, actual: unknown): FormatError =>
  new FormatError({ code: "value-type", message, expected, actual: typeof actual });

/**
 * The inverse of {@link toJson}.
 * @throws FormatError `value-type`, `hex-digit`, `hex-odd`, with the path of the value.
 */
export function fromJson(node: Node, json: unknown): unknown {
  if (json === undefined) return undefined;
  switch (node.kind) {
    case "int":
      return integer(json, node.size === 8);
    case "packed":
      return integer(json, !node.small);
    case "nibble":
      return integer(json, false);
    case "bytes":
      if (typeof json !== "string") throw typeError("bytes are given as a hex string", "hex string", json);
      return hexToBytes(json);
    case "text":
      if (typeof json !== "string") throw typeError("text is given as a string", "string", json);
      return json;
    case "struct":
      return structFromJson(node, json);
    case "array":
      if (!Array.isArray(json)) throw typeError("a list is needed", "array", json);
      return json.map((item, index) => step(index, () => fromJson(node.of, item)));
    case "optional":
    case "region":
      return fromJson(node.of, json);
    case "union": {
      const kind = (json as { kind?: unknown } | null)?.kind;
      if (typeof kind !== "string") throw typeError("the name of the case is needed", "kind", kind);
      return { kind, ...(fromJson(caseOf(node, kind), json) as object) };
    }
    case "custom":
      return node.fromJson(json);
  }
}

function integer(json: unknown, big: boolean): number | bigint {
  if (typeof json === "string" && /^-?\d{1,20}$/.test(json)) return big ? BigInt(json) : Number(json);
  if (typeof json === "number" && Number.isSafeInteger(json)) return big ? BigInt(json) : json;
  throw typeError("an integer is needed (64-bit ones as decimal strings)", "integer", json);
}

function structFromJson(node: StructNode, json: unknown): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw typeError("an object is needed", "object", json);
  const fields = new Map(node.fields);
  const value: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(json)) {
    const field = fields.get(name);
    if (field !== undefined) value[name] = step(name, () => fromJson(field, item));
    else if (name !== "kind" && name !== "generation" && !Object.hasOwn(node.computed ?? {}, name))
      throw new FormatError({ code: "unknown-field", message: `no field is called ${name}`, path: name });
  }
  return value;
}

function step<T>(name: string | number, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    throw error instanceof FormatError ? error.within(name) : error;
  }
}
