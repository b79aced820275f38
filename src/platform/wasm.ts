/**
 * The few WebAssembly instructions a hot loop needs, as functions that give their code: operands come first, as the
 * machine wants them. One function a module, 32-bit parameters and locals, one memory.
 */

export type Code = readonly number[];

const I32 = 0x7f;
const EMPTY_BLOCK = 0x40;
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const PAGE = 64 * 1024;
const SECTION = { type: 1, function: 3, memory: 5, export: 7, code: 10 } as const;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

const binary =
  (opcode: number) =>
  (left: Code, right: Code): Code => [...left, ...right, opcode];
/** Addresses need not be aligned; the byte that says so is only a hint. */
const load =
  (...opcode: number[]) =>
  (address: Code): Code => [...address, ...opcode, 0, 0];
const store =
  (...opcode: number[]) =>
  (address: Code, value: Code): Code => [...address, ...value, ...opcode, 0, 0];

export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];
export const number = (value: number): Code => [0x41, ...signed(value)];
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const and = binary(0x71);
export const or = binary(0x72);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);
export const equal = binary(0x46);
export const differ = binary(0x47);
/** Of 64 bits; the result has 32. */
export const differ64 = binary(0x52);
export const exclusive64 = binary(0x85);
export const or64 = binary(0x84);
export const isZero = (value: Code): Code => [...value, 0x45];
/** Of 64 bits; the result has 32. */
export const isZero64 = (value: Code): Code => [...value, 0x50];
/** Number of the lowest bit of 64 that is set, as 32 bits. */
export const lowestBit64 = (value: Code): Code => [...value, 0x7a, 0xa7];
export const below = binary(0x49);
export const above = binary(0x4b);
export const atLeast = binary(0x4f);
export const load8 = load(0x2d);
export const load16 = load(0x2f);
export const load32 = load(0x28);
export const load64 = load(0x29);
/** A floating-point number of 64 bits. */
export const loadFloat = load(0x2b);
export const subtractFloat = binary(0xa1);
/** To 32 bits, without a sign; what does not fit becomes the nearest that does. */
export const toInteger = (value: Code): Code => [...value, 0xfc, 3];
export const load128 = load(0xfd, 0);
export const store8 = store(0x3a);
export const store32 = store(0x36);
export const store64 = store(0x37);
export const store128 = store(0xfd, 11);

export const sequence = (...parts: Code[]): Code => parts.flat();
export const block = (...body: Code[]): Code => [0x02, EMPTY_BLOCK, ...body.flat(), 0x0b];
export const loop = (...body: Code[]): Code => [0x03, EMPTY_BLOCK, ...body.flat(), 0x0b];
export const when = (condition: Code, then: Code, otherwise?: Code): Code => [
  ...condition,
  0x04,
  EMPTY_BLOCK,
  ...then,
  ...(otherwise === undefined ? [] : [0x05, ...otherwise]),
  0x0b,
];
/** To the end of the enclosing block, or the start of the enclosing loop, `depth` levels out. */
export const branchIf = (depth: number, condition: Code): Code => [...condition, 0x0d, depth];
export const branch = (depth: number): Code => [0x0c, depth];
export const giveBack = (value: Code): Code => [...value, 0x0f];

/** The part of WebAssembly used here; the type library for servers leaves it out. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => WasmInstance;
}

interface WasmInstance {
  readonly exports: {
    readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
    readonly run: unknown;
  };
}

/** A function of WebAssembly, compiled once for any number of memories. */
export class WasmModule {
  private readonly wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  private readonly module: object;

  /** @throws whatever the runtime throws where there is no WebAssembly. */
  constructor(parameters: number, locals: number, body: Code) {
    this.module = new this.wasm.Module(moduleOf(parameters, locals, body));
  }

  /** The function with a memory of its own. */
  instance(): WasmFunction {
    return new WasmFunction(new this.wasm.Instance(this.module));
  }
}

/** A function of WebAssembly and its memory, which grows. */
export class WasmFunction {
  readonly run: (...parameters: number[]) => number;
  private readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  private view: Uint8Array;

  constructor({ exports }: WasmInstance) {
    this.memory = exports.memory;
    this.run = exports.run as (...parameters: number[]) => number;
    this.view = new Uint8Array(this.memory.buffer);
  }

  /** The memory, at least `size` bytes of it. */
  bytes(size: number): Uint8Array {
    if (this.view.length < size) {
      this.memory.grow(Math.ceil((size - this.view.length) / PAGE));
      this.view = new Uint8Array(this.memory.buffer);
    }
    return this.view;
  }
}

function moduleOf(parameters: number, locals: number, body: Code): Uint8Array {
  const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content];
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const code = [1, ...unsigned(locals), I32, ...body, 0x0b];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(SECTION.type, [1, 0x60, parameters, ...new Array<number>(parameters).fill(I32), 1, I32]),
    ...section(SECTION.function, [1, 0]),
    ...section(SECTION.memory, [1, 0, 1]),
    ...section(SECTION.export, [2, ...name("run"), 0, 0, ...name("memory"), 2, 0]),
    ...section(SECTION.code, [1, ...unsigned(code.length), ...code]),
  ]);
}
