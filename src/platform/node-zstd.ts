import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { refused } from "../page/transform/faults.js";
import type { StreamCodec } from "../page/transform/types.js";
import { checkZstdLength } from "../page/transform/zstd/decode.js";
import { zstdStream } from "../page/transform/zstd-stream.js";

/** libzstd as WebAssembly, instantiated without waiting, with one context and one pair of buffers kept. */

const NAME = "zstd";
const PACKAGE = "@bokuweb/zstd-wasm";
/** The engine's default. */
const LEVEL = 6;
/** Larger buffers are given back after use. In bytes. */
const KEPT = 1 << 20;

/** What the package's own loader offers; pointers are addresses in `HEAPU8`. */
interface ZstdModule {
  HEAPU8: Uint8Array;
  instantiateWasm?: (imports: object, ready: (instance: object) => unknown) => object;
  init(wasm: Uint8Array): void;
  _malloc(size: number): number;
  _free(pointer: number): void;
  _ZSTD_isError(code: number): number;
  _ZSTD_createDCtx(): number;
  _ZSTD_decompress_usingDict(
    context: number,
    to: number,
    toSize: number,
    from: number,
    fromSize: number,
    dictionary: number,
    dictionarySize: number,
  ): number;
  _ZSTD_compressBound(size: number): number;
  _ZSTD_compress(to: number, toSize: number, from: number, fromSize: number, level: number): number;
}

/** The part of WebAssembly used here; the type library for servers leaves it out. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => object;
}

/** libzstd. Throws whatever the runtime throws where there is no WebAssembly or no package. */
export function loadNodeZstd(): StreamCodec {
  return new WasmZstd(loadModule());
}

function loadModule(): ZstdModule {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve(PACKAGE));
  const module = privateCopy(require, join(folder, "zstd.js"));
  const bytes = readFileSync(join(folder, "zstd.wasm"));
  const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  module.instantiateWasm = (imports, ready) => {
    ready(new wasm.Instance(new wasm.Module(bytes), imports));
    return {};
  };
  module.init(bytes);
  return module;
}

/** Somebody else of this process may start the package's own copy anew at any time, which would empty our memory. */
function privateCopy(require: NodeJS.Require, path: string): ZstdModule {
  const shared = require.cache[path];
  delete require.cache[path];
  const { Module } = require(path) as { Module: ZstdModule };
  delete require.cache[path];
  if (shared) require.cache[path] = shared;
  return Module;
}

class WasmZstd implements StreamCodec {
  readonly implementation = PACKAGE;
  private readonly context: number;
  private readonly input: Scratch;
  private readonly output: Scratch;

  constructor(private readonly module: ZstdModule) {
    this.context = module._ZSTD_createDCtx();
    this.input = new Scratch(module);
    this.output = new Scratch(module);
  }

  decode(stream: Uint8Array, expectedLength: number, headroom: number): Uint8Array {
    checkZstdLength(stream, expectedLength);
    const { module, input, output, context } = this;
    const from = input.of(stream.length);
    const to = output.of(expectedLength);
    module.HEAPU8.set(stream, from);
    const size = module._ZSTD_decompress_usingDict(context, to, expectedLength, from, stream.length, 0, 0);
    if (module._ZSTD_isError(size) || size !== expectedLength) {
      throw refused(NAME, zstdStream, stream, expectedLength, "libzstd cannot inflate this");
    }
    const out = new Uint8Array(headroom + expectedLength);
    out.set(module.HEAPU8.subarray(to, to + size), headroom);
    this.giveBack();
    return out;
  }

  encode(plain: Uint8Array): Uint8Array {
    const { module, input, output } = this;
    const bound = module._ZSTD_compressBound(plain.length);
    const from = input.of(plain.length);
    const to = output.of(bound);
    module.HEAPU8.set(plain, from);
    const size = module._ZSTD_compress(to, bound, from, plain.length, LEVEL);
    if (module._ZSTD_isError(size)) throw new Error("libzstd cannot compress");
    const out = module.HEAPU8.slice(to, to + size);
    this.giveBack();
    return out;
  }

  private giveBack(): void {
    this.input.trim();
    this.output.trim();
  }
}

/** A piece of the library's memory that is kept from call to call. */
class Scratch {
  private pointer = 0;
  private size = 0;

  constructor(private readonly module: ZstdModule) {}

  /** The address of at least `size` bytes. */
  of(size: number): number {
    if (this.pointer !== 0 && this.size >= size) return this.pointer;
    this.free();
    this.pointer = this.module._malloc(Math.max(size, 1));
    if (this.pointer === 0) throw new Error(`libzstd has no memory for ${size} bytes`);
    this.size = size;
    return this.pointer;
  }

  trim(): void {
    if (this.size > KEPT) this.free();
  }

  private free(): void {
    if (this.pointer !== 0) this.module._free(this.pointer);
    this.pointer = this.size = 0;
  }
}
