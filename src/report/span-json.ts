/** A span tree as JSON: what `inspect --json` shows. */
import type { Span } from "../codec/annotate.js";
import { secretSummary } from "../codec/json.js";
import { plainValue } from "./json.js";
import { type Hide, isHidden, spanBytes } from "./span-text.js";

export interface SpanJsonOptions {
  readonly hide?: Hide;
  /** The `base` given to `annotate`. */
  readonly base?: number;
}

/**
 * Keys: name, path, start, end, bits, kind, value, symbol, description, derived, checksum, issues, children; absent
 * where they say nothing. Hidden spans have `hidden` (or `secret`, with length and fingerprint) in place of a value.
 */
export function spanJson(
  span: Span,
  bytes: Uint8Array,
  options: SpanJsonOptions = {},
): Record<string, unknown> {
  const { name, path, start, end, bits, kind, symbol, description, derived, checksum, issues, children } =
    span;
  const hidden = isHidden(span, options.hide);
  const shown = hidden
    ? hiddenJson(span, bytes, options.base ?? 0)
    : { value: plainValue(span.value), symbol };
  const below =
    hidden || children.length === 0 ? undefined : children.map((child) => spanJson(child, bytes, options));
  return plainValue({
    ...{ name, path, start, end, bits, kind, ...shown, description, derived, checksum },
    issues: issues.length === 0 ? undefined : issues,
    children: below,
  }) as Record<string, unknown>;
}

function hiddenJson(span: Span, bytes: Uint8Array, base: number): Record<string, unknown> {
  const own = spanBytes(span, bytes, base);
  return span.secret === true ? { secret: secretSummary(own) } : { hidden: { length: own.length } };
}
