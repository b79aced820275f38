/** Where and why bytes (or a value to be written) do not fit a format. */
export interface FormatErrorInit {
  /** Stable kebab-case code, e.g. `truncated`, `packed-illegal`, `checksum`. */
  code: string;
  message: string;
  /** Path of the failing leaf, e.g. `cells[17].length`. */
  path?: string;
  /** Byte offset from the first byte given to the codec (plus the caller's `base`). */
  offset?: number;
  generation?: string;
  expected?: unknown;
  actual?: unknown;
  hint?: string;
}

/**
 * The only error a codec throws on malformed input. `path` grows while the error travels outwards, so no path is
 * ever built for input that is fine.
 */
export class FormatError extends Error {
  override readonly name = "FormatError";
  readonly code: string;
  path: string;
  offset: number | undefined;
  generation: string | undefined;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly hint: string | undefined;

  constructor(init: FormatErrorInit) {
    super(init.message);
    this.code = init.code;
    this.path = init.path ?? "";
    this.offset = init.offset;
    this.generation = init.generation;
    this.expected = init.expected;
    this.actual = init.actual;
    this.hint = init.hint;
  }

  /** Puts a field name or `[index]` in front of the path. */
  within(step: string | number): this {
    this.path = joinPath(step, this.path);
    return this;
  }

  toJSON(): Record<string, unknown> {
    return dropUndefined({
      code: this.code,
      path: this.path,
      offset: this.offset,
      generation: this.generation,
      message: this.message,
      expected: plain(this.expected),
      actual: plain(this.actual),
      hint: this.hint,
    });
  }
}

/** `step` in front of `rest`: `cells` + `[3].length` = `cells[3].length`. */
export function joinPath(step: string | number, rest: string): string {
  const head = typeof step === "number" ? `[${step}]` : step;
  if (rest === "" || head === "") return head + rest;
  return rest.startsWith("[") ? head + rest : `${head}.${rest}`;
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

function dropUndefined(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
