/** The part of binary-parser 2 used here; the package has no types for ES modules. */
declare module "binary-parser" {
  type Scope = Record<string, unknown>;
  type Length = number | ((this: Scope) => number);
  type Formatter = (this: Scope, value: never) => unknown;

  export class Parser {
    uint8(name: string): this;
    uint16le(name: string): this;
    uint16be(name: string): this;
    uint32le(name: string): this;
    uint32be(name: string): this;
    uint64le(name: string): this;
    uint64be(name: string): this;
    buffer(name: string, options: { length?: Length; readUntil?: "eof"; formatter?: Formatter }): this;
    array(
      name: string,
      options: {
        type: string | Parser;
        length?: Length;
        readUntil?: "eof" | ((this: Scope, item: never, rest: Uint8Array) => boolean);
        formatter?: Formatter;
      },
    ): this;
    nest(name: string, options: { type: Parser; formatter?: Formatter }): this;
    choice(options: { tag: (this: Scope) => number; choices: Record<number, Parser> }): this;
    saveOffset(name: string, options?: { formatter?: Formatter }): this;
    seek(length: Length): this;
    useContextVars(use?: boolean): this;
    parse(bytes: Uint8Array): Scope;
    getCode(): string;
    sizeOf(): number;
  }
}
