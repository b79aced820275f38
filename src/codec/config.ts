import { unquote } from "./config-token.js";
import { FormatError } from "./error.js";
import { textByteLength } from "./text.js";

/**
 * WiredTiger configuration text (formats: turtle and disagg metadata §5): `key=value` pairs separated by commas, where
 * a value is a bare token, a "quoted string", or a struct in (), [] or {}. The tree keeps every character, so
 * `writeConfig(parseConfig(text)) === text`.
 */

/** `key` alone (it means true) or an item of a list. */
export interface ConfigAlone {
  readonly kind: "alone";
  readonly offset: number;
}
/** `key=` with nothing behind it: the empty string. */
export interface ConfigEmpty {
  readonly kind: "empty";
  readonly offset: number;
}
export interface ConfigBare {
  readonly kind: "bare";
  readonly offset: number;
  readonly raw: string;
}
export interface ConfigQuoted {
  readonly kind: "quoted";
  readonly offset: number;
  /** As written, with the quotes and backslashes. */
  readonly raw: string;
}
export interface ConfigStruct extends ConfigBlock {
  readonly kind: "struct";
  readonly offset: number;
  readonly open: "(" | "[" | "{";
  /** Byte offset of the closing character. */
  readonly closeOffset: number;
}
export type ConfigValue = ConfigAlone | ConfigEmpty | ConfigBare | ConfigQuoted | ConfigStruct;

/** One `key=value`, one bare item, or one struct without a key (`keyRaw` is then empty). */
export interface ConfigEntry {
  /** Commas and white space in front of the key. */
  readonly leading: string;
  /** The key without quotes and escapes. */
  readonly key: string;
  /** The key as written. */
  readonly keyRaw: string;
  /** Byte offset of the key, or of the value where there is no key. */
  readonly offset: number;
  /** `=` or `:` with the white space around it; empty where nothing is assigned. */
  readonly assign: string;
  readonly value: ConfigValue;
}

export interface ConfigBlock {
  readonly entries: readonly ConfigEntry[];
  /** Commas and white space behind the last entry. */
  readonly trailing: string;
}

export interface ConfigTree extends ConfigBlock {
  readonly kind: "tree";
  readonly syntax: ConfigSyntax;
}

/**
 * `text`: commas separate. `lines`: newlines do too (the turtle page of 2025). `file`: also, and lines that begin with
 * `#` are comments (WiredTiger.basecfg, WiredTiger.config).
 */
export type ConfigSyntax = "text" | "lines" | "file";

export interface ConfigOptions {
  /** Deepest nesting of structs, 64 unless told. */
  readonly maxDepth?: number;
  readonly syntax?: ConfigSyntax;
}

/**
 * Parses in one pass, in time linear in the text.
 * @throws FormatError `config-…` with the byte offset and the path of keys that lead there.
 */
export function parseConfig(text: string, options: ConfigOptions = {}): ConfigTree {
  return new Parser(text, options).parse();
}

/** What can be read of damaged text: structs that were open at the error end there. For display only. */
export function parseConfigPrefix(text: string, options: ConfigOptions = {}): ConfigTree {
  return new Parser(text, options).parsePrefix();
}

/** The text of a tree; the very text it was parsed from, when it was. */
export function writeConfig(tree: ConfigBlock): string {
  const parts: string[] = [];
  writeBlock(tree, parts);
  return parts.join("");
}

/** The text of one value, without its key. */
export function writeConfigValue(value: ConfigValue): string {
  const parts: string[] = [];
  writeValue(value, parts);
  return parts.join("");
}

/** The character that closes a struct. */
export function closerOf(open: ConfigStruct["open"]): string {
  return open === "(" ? ")" : open === "[" ? "]" : "}";
}

/** The text of a scalar without quotes and escapes; undefined for a struct. A key alone reads as "true". */
export function configText(value: ConfigValue): string | undefined {
  switch (value.kind) {
    case "alone":
      return "true";
    case "empty":
      return "";
    case "bare":
      return value.raw;
    case "quoted":
      return unquote(value.raw);
    case "struct":
      return undefined;
  }
}

function writeBlock(block: ConfigBlock, parts: string[]): void {
  for (const entry of block.entries) {
    parts.push(entry.leading, entry.keyRaw, entry.assign);
    writeValue(entry.value, parts);
  }
  parts.push(block.trailing);
}

function writeValue(value: ConfigValue, parts: string[]): void {
  if (value.kind === "bare" || value.kind === "quoted") parts.push(value.raw);
  else if (value.kind === "struct") {
    parts.push(value.open);
    writeBlock(value, parts);
    parts.push(closerOf(value.open));
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** What a character is to the parser; everything from U+0080 on is text. */
const TEXT = 0;
const SPACE = 1;
const COMMA = 2;
const ASSIGN = 3;
const OPEN = 4;
const CLOSE = 5;
const STRING = 6;
const ILLEGAL = 7;

const classes = classTable();

function classTable(): Uint8Array {
  const table = new Uint8Array(128);
  table.fill(ILLEGAL, 0, 0x20);
  table[0x7f] = ILLEGAL;
  const set = (chars: string, kind: number) => {
    for (const char of chars) table[char.charCodeAt(0)] = kind;
  };
  set(" \t\r\n", SPACE);
  set(",", COMMA);
  set("=:", ASSIGN);
  set("([{", OPEN);
  set(")]}", CLOSE);
  set('"', STRING);
  return table;
}

/** A struct whose closing character has not come yet. */
interface Frame {
  entries: ConfigEntry[];
  open: ConfigStruct["open"] | undefined;
  /** Of the entry whose value this struct is. */
  leading: string;
  key: string;
  keyRaw: string;
  offset: number;
  assign: string;
  valueOffset: number;
}

class Parser {
  private at = 0;
  private readonly frames: Frame[];
  private readonly ascii: boolean;
  private readonly maxDepth: number;
  private readonly syntax: ConfigSyntax;
  private readonly lines: boolean;
  /** Last character turned into a byte offset, so that offsets cost linear time in all. */
  private mark = 0;
  private markByte = 0;
  /** Whether the separators just skipped had a comma. */
  private separated = true;

  constructor(
    private readonly text: string,
    options: ConfigOptions,
  ) {
    this.maxDepth = options.maxDepth ?? 64;
    this.syntax = options.syntax ?? "text";
    this.lines = this.syntax !== "text";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is the ASCII range
    this.ascii = /^[\u0000-\u007f]*$/.test(text);
    this.frames = [emptyFrame()];
  }

  parse(): ConfigTree {
    for (;;) {
      const leading = this.separators();
      const frame = this.frames[this.frames.length - 1]!;
      if (this.at >= this.text.length) return this.end(leading, frame);
      const kind = this.classAt(this.at);
      if (kind === CLOSE) this.close(leading, frame);
      else if (frame.entries.length > 0 && !this.separated) throw this.unexpected("a comma");
      else if (kind === OPEN) this.openStruct(leading, "", "", this.at, "");
      else this.entry(leading, frame, kind);
    }
  }

  parsePrefix(): ConfigTree {
    try {
      return this.parse();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      while (this.frames.length > 1) this.endStruct("", this.byteAt(this.at) - 1);
      return { kind: "tree", syntax: this.syntax, entries: this.frames[0]!.entries, trailing: "" };
    }
  }

  private end(trailing: string, frame: Frame): ConfigTree {
    if (frame.open !== undefined) {
      throw this.error(
        "config-unclosed",
        `the text ends inside a struct opened with ${frame.open}`,
        frame.valueOffset,
        { expected: closerOf(frame.open), actual: "end of text" },
      );
    }
    return { kind: "tree", syntax: this.syntax, entries: frame.entries, trailing };
  }

  /** A key, and what is assigned to it. */
  private entry(leading: string, frame: Frame, kind: number): void {
    const start = this.at;
    const keyRaw = this.token(kind, "a key");
    const key = kind === STRING ? unquote(keyRaw) : keyRaw;
    const offset = this.byteAt(start);
    const assign = this.assignment();
    if (assign === "") {
      frame.entries.push({
        leading,
        key,
        keyRaw,
        offset,
        assign,
        value: { kind: "alone", offset: this.byteAt(this.at) },
      });
      return;
    }
    const next = this.at < this.text.length ? this.classAt(this.at) : COMMA;
    if (next === OPEN) {
      this.openStruct(leading, key, keyRaw, start, assign);
      return;
    }
    frame.entries.push({ leading, key, keyRaw, offset, assign, value: this.scalar(key, next) });
  }

  private scalar(key: string, kind: number): ConfigValue {
    const offset = this.byteAt(this.at);
    // Where newlines separate, one the entry: nothing can follow the white space skipped before.
    if (kind === COMMA || kind === CLOSE || kind === SPACE) return { kind: "empty", offset };
    const raw = this.token(kind, "a value", key);
    return { kind: kind === STRING ? "quoted" : "bare", offset, raw };
  }

  private openStruct(leading: string, key: string, keyRaw: string, keyAt: number, assign: string): void {
    if (this.frames.length > this.maxDepth) {
      throw this.error("config-depth", `structs nest deeper than ${this.maxDepth}`, this.byteAt(this.at), {
        expected: this.maxDepth,
      });
    }
    const offset = this.byteAt(keyAt);
    const valueOffset = this.byteAt(this.at);
    const open = this.text[this.at] as ConfigStruct["open"];
    this.frames.push({ entries: [], open, leading, key, keyRaw, offset, assign, valueOffset });
    this.at += 1;
    this.separated = true;
  }

  private close(trailing: string, frame: Frame): void {
    const expected = frame.open === undefined ? "no closing character" : closerOf(frame.open);
    if (frame.open === undefined || this.text[this.at] !== expected) throw this.unexpected(expected);
    this.endStruct(trailing, this.byteAt(this.at));
    this.at += 1;
    this.separated = false;
  }

  private endStruct(trailing: string, closeOffset: number): void {
    const frame = this.frames.pop() as Frame & { open: ConfigStruct["open"] };
    const { entries, open, leading, key, keyRaw, offset, assign, valueOffset } = frame;
    const value: ConfigStruct = {
      kind: "struct",
      offset: valueOffset,
      open,
      entries,
      trailing,
      closeOffset,
    };
    this.frames[this.frames.length - 1]!.entries.push({ leading, key, keyRaw, offset, assign, value });
  }

  /** Skips commas and white space (in files also comments); says in `separated` whether an entry may follow. */
  private separators(): string {
    const start = this.at;
    let lineStart = start === 0;
    while (this.at < this.text.length) {
      const kind = this.classAt(this.at);
      if (kind === COMMA) this.separated = true;
      else if (kind !== SPACE) {
        if (!(this.syntax === "file" && lineStart && this.text[this.at] === "#")) break;
        this.skipComment();
        continue;
      }
      if (this.lines && this.text.charCodeAt(this.at) === NEWLINE) lineStart = this.separated = true;
      else if (kind === COMMA) lineStart = false;
      this.at += 1;
    }
    return this.text.slice(start, this.at);
  }

  private skipComment(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  /** `=` or `:` with the space around it, or nothing. */
  private assignment(): string {
    const start = this.at;
    const at = this.skipSpace(start);
    this.separated = false;
    if (at >= this.text.length || this.classAt(at) !== ASSIGN) return "";
    this.at = this.skipSpace(at + 1);
    return this.text.slice(start, this.at);
  }

  private skipSpace(from: number): number {
    let at = from;
    while (at < this.text.length && this.classAt(at) === SPACE) {
      if (this.lines && this.text.charCodeAt(at) === NEWLINE) break;
      at += 1;
    }
    return at;
  }

  private token(kind: number, wanted: string, key?: string): string {
    if (kind === STRING) return this.quoted(key);
    if (kind !== TEXT) throw this.unexpected(wanted, key);
    const start = this.at;
    let at = start + 1;
    while (at < this.text.length) {
      const code = this.text.charCodeAt(at);
      if (code < 128 && classes[code] !== TEXT) break;
      at += 1;
    }
    this.at = at;
    return this.text.slice(start, at);
  }

  private quoted(key: string | undefined): string {
    const start = this.at;
    for (let at = start + 1; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) {
        this.at = at + 1;
        return this.text.slice(start, this.at);
      } else if (code === 0) {
        this.at = at;
        throw this.unexpected("text without NUL", key);
      }
    }
    throw this.error(
      "config-unclosed",
      "the text ends inside a quoted string",
      this.byteAt(start),
      { expected: '"', actual: "end of text" },
      key,
    );
  }

  private classAt(at: number): number {
    const code = this.text.charCodeAt(at);
    return code < 128 ? classes[code]! : TEXT;
  }

  private byteAt(at: number): number {
    if (this.ascii) return at;
    if (at < this.mark) return textByteLength(this.text, at);
    this.markByte += textByteLength(this.text.slice(this.mark, at));
    this.mark = at;
    return this.markByte;
  }

  private unexpected(expected: string, key?: string): FormatError {
    const code = this.text.charCodeAt(this.at);
    const actual =
      code < 0x20 || code === 0x7f ? `byte 0x${code.toString(16).padStart(2, "0")}` : this.text[this.at];
    return this.error(
      "config-syntax",
      `expected ${expected}, found ${actual}`,
      this.byteAt(this.at),
      { expected, actual, hint: code === 0 ? "the text may be cut at its NUL first" : undefined },
      key,
    );
  }

  private error(
    code: string,
    message: string,
    offset: number,
    more: { expected?: unknown; actual?: unknown; hint?: string | undefined },
    key?: string,
  ): FormatError {
    const { hint, ...rest } = more;
    const path = this.path(key);
    return new FormatError({ code, message, path, offset, ...rest, ...(hint === undefined ? {} : { hint }) });
  }

  /** The keys on the way to here; `[i]` for a struct without a key. */
  private path(key: string | undefined): string {
    const steps: string[] = [];
    for (let depth = 1; depth < this.frames.length; depth++) {
      const frame = this.frames[depth]!;
      const index = this.frames[depth - 1]!.entries.length;
      steps.push(frame.keyRaw === "" ? `[${index}]` : frame.key);
    }
    if (key !== undefined) steps.push(key);
    return steps.join(".").replaceAll(".[", "[");
  }
}

function emptyFrame(): Frame {
  return {
    entries: [],
    open: undefined,
    leading: "",
    key: "",
    keyRaw: "",
    offset: 0,
    assign: "",
    valueOffset: 0,
  };
}
