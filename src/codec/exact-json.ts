/**
 * JSON whose integers stay exact: those JavaScript numbers cannot hold become bigints. Works on bytes, so that long
 * strings and long lists of bytes never become anything larger than they are.
 */
import { FormatError } from "./error.js";
import { decodeText } from "./text.js";

export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | LongText
  | Uint8Array
  | ExactJson[]
  | ExactObject;
export interface ExactObject {
  readonly [key: string]: ExactJson;
}

/** A long string without escapes, as the bytes it is written with. */
export class LongText {
  constructor(readonly bytes: Uint8Array) {}
  toString(): string {
    return decodeText(this.bytes);
  }
}

export interface ExactJsonOptions {
  /** Strings of more bytes than this are given as `LongText` (default: never). */
  readonly longText?: number;
  /** Lists that hold only integers from 0 to 255 are given as bytes, the empty list too. */
  readonly byteLists?: boolean;
  /** Added to the offsets of errors. */
  readonly base?: number;
}

const MAX_DEPTH = 100;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const [MINUS, ZERO, NINE] = [0x2d, 0x30, 0x39];

/**
 * The one value `bytes` hold (UTF-8). Objects have no prototype; of equal keys the last one counts.
 * @throws FormatError `json` with the byte offset of what is not JSON.
 */
export function parseExactJson(bytes: Uint8Array, options: ExactJsonOptions = {}): ExactJson {
  const parser = new Parser(bytes, options);
  const value = parser.value(0);
  parser.end();
  return value;
}

export const isExactObject = (value: ExactJson | undefined): value is ExactObject =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof LongText);

class Parser {
  private at = 0;
  private readonly longText: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly options: ExactJsonOptions,
  ) {
    this.longText = options.longText ?? Number.POSITIVE_INFINITY;
  }

  value(depth: number): ExactJson {
    const byte = this.skipSpace();
    if (depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH}`);
    if (byte === QUOTE) return this.text();
    if (byte === OPEN_OBJECT) return this.object(depth);
    if (byte === OPEN_LIST) return this.list(depth);
    if (byte === MINUS || isDigit(byte)) return this.number();
    return this.word();
  }

  end(): void {
    if (this.skipSpace() !== -1) throw this.error("something behind the value");
  }

  private object(depth: number): ExactObject {
    const object: Record<string, ExactJson> = Object.create(null) as Record<string, ExactJson>;
    this.at++;
    if (this.skipSpace() === CLOSE_OBJECT) {
      this.at++;
      return object;
    }
    for (;;) {
      if (this.skipSpace() !== QUOTE) throw this.error("a key is needed");
      const key = String(this.text());
      if (this.skipSpace() !== COLON) throw this.error("`:` is needed");
      this.at++;
      object[key] = this.value(depth + 1);
      if (this.endsWith(CLOSE_OBJECT)) return object;
    }
  }

  private list(depth: number): ExactJson[] | Uint8Array {
    const bytes = this.options.byteLists === true ? this.byteList() : undefined;
    if (bytes !== undefined) return bytes;
    this.at++;
    if (this.skipSpace() === CLOSE_LIST) {
      this.at++;
      return [];
    }
    const items: ExactJson[] = [];
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.endsWith(CLOSE_LIST)) return items;
    }
  }

  /** After a value: past `close` and true, or past a comma and false. */
  private endsWith(close: number): boolean {
    const byte = this.skipSpace();
    if (byte !== close && byte !== COMMA)
      throw this.error(`\`,\` or \`${String.fromCharCode(close)}\` is needed`);
    this.at++;
    return byte === close;
  }

  /** The list from here if it holds only bytes; else undefined, and nothing is consumed. */
  private byteList(): Uint8Array | undefined {
    const { bytes } = this;
    const start = this.at;
    let out = new Uint8Array(64);
    let count = 0;
    this.at++;
    if (this.skipSpace() === CLOSE_LIST) {
      this.at++;
      return out.subarray(0, 0);
    }
    for (;;) {
      this.skipSpace();
      const first = this.at;
      let value = 0;
      for (let byte = bytes[this.at]; isDigit(byte) && value < 256; byte = bytes[++this.at])
        value = value * 10 + byte - ZERO;
      const digits = this.at - first;
      const leadingZero = digits > 1 && bytes[first] === ZERO;
      const next = this.skipSpace();
      if (digits === 0 || value > 255 || leadingZero || (next !== COMMA && next !== CLOSE_LIST)) {
        this.at = start;
        return undefined;
      }
      if (count === out.length) out = grown(out);
      out[count++] = value;
      this.at++;
      if (next === CLOSE_LIST) return out.subarray(0, count);
    }
  }

  private number(): number | bigint {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    const digits = (): void => {
      if (!isDigit(bytes[at])) throw this.error("a digit is needed", at);
      while (isDigit(bytes[at])) at++;
    };
    if (bytes[at] === MINUS) at++;
    if (bytes[at] === ZERO) at++;
    else digits();
    const integer = at;
    if (bytes[at] === 0x2e) {
      at++;
      digits();
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === MINUS) at++;
      digits();
    }
    this.at = at;
    const text = utf8.decode(bytes.subarray(start, at));
    const value = Number(text);
    return at === integer && !Number.isSafeInteger(value) ? BigInt(text) : value;
  }

  private word(): null | boolean {
    for (const [word, value] of WORDS) {
      const end = this.at + word.length;
      if (end <= this.bytes.length && word.every((byte, i) => this.bytes[this.at + i] === byte)) {
        this.at = end;
        return value;
      }
    }
    throw this.error("a value is needed");
  }

  private text(): string | LongText {
    const start = this.at + 1;
    const quote = this.bytes.indexOf(QUOTE, start);
    const plain = this.bytes.subarray(start, quote === -1 ? undefined : quote);
    if (quote === -1 || plain.includes(BACKSLASH)) return this.escapedText();
    this.at = quote + 1;
    if (plain.length > this.longText) return new LongText(plain);
    if (plain.some(isControl)) throw this.error("a control character inside a string", start);
    return this.decode(plain, start);
  }

  private decode(bytes: Uint8Array, offset: number): string {
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.error("not UTF-8", offset);
    }
  }

  /** The rare way: the platform's own parser knows the escapes. */
  private escapedText(): string {
    const start = this.at;
    let end = start + 1;
    while (end < this.bytes.length && this.bytes[end] !== QUOTE) end += this.bytes[end] === BACKSLASH ? 2 : 1;
    if (end >= this.bytes.length) throw this.error("a string without its end");
    const literal = this.decode(this.bytes.subarray(start, end + 1), start);
    this.at = end + 1;
    try {
      return JSON.parse(literal) as string;
    } catch {
      throw this.error("a string with a wrong escape", start);
    }
  }

  /** The next byte that is not white space, −1 at the end. */
  private skipSpace(): number {
    for (; this.at < this.bytes.length; this.at++) {
      const byte = this.bytes[this.at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
    return -1;
  }

  private error(message: string, at = this.at): FormatError {
    return new FormatError({ code: "json", message, offset: (this.options.base ?? 0) + at });
  }
}

const isDigit = (byte: number | undefined): byte is number =>
  byte !== undefined && byte >= ZERO && byte <= NINE;
const isControl = (byte: number): boolean => byte < 0x20;
const WORDS: ReadonlyArray<readonly [number[], null | boolean]> = (
  [
    ["null", null],
    ["true", true],
    ["false", false],
  ] as const
).map(([word, value]) => [Array.from(word, (letter) => letter.charCodeAt(0)), value]);

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * bytes.length);
  larger.set(bytes);
  return larger;
}
