/** Which spans of a page hold user data, so that shareable reports can mask them. */
import type { Span } from "../../codec/annotate.js";
import type { InspectedPart } from "../../report/inspection.js";
import type { Hide } from "../../report/span-text.js";

export interface Reveal {
  readonly keys: boolean;
  readonly values: boolean;
}

/** The spans to be masked; undefined when everything may be shown. */
export function userDataHider(parts: readonly InspectedPart[], reveal: Reveal): Hide | undefined {
  if (reveal.keys && reveal.values) return undefined;
  const hidden = new Set<Span>();
  for (const { format, span } of parts)
    if (format === "page") markPage(span, reveal, hidden);
    else markBytes(span, hidden);
  return (span) => hidden.has(span);
}

/** Fields of a page that are user data as a whole: values, or bytes nobody looked into. */
const WHOLE = new Set(["stored", "overflow", "bitmap"]);

function markPage(span: Span, reveal: Reveal, hidden: Set<Span>, holder = ""): void {
  for (const child of span.children) {
    const kind = userDataKind(child, holder);
    if (kind === undefined) markPage(child, reveal, hidden, child.symbol ?? holder);
    else if (!reveal[kind]) hidden.add(child);
  }
}

/** `holder` is the kind of the cell around the span. */
function userDataKind({ name, kind }: Span, holder: string): keyof Reveal | undefined {
  if (WHOLE.has(name) || kind === "gap") return "values";
  if (name === "data") return holder.startsWith("key") ? "keys" : "values";
  if (kind !== "bytes") return undefined;
  if (name === "key") return "keys";
  return name === "value" ? "values" : undefined;
}

/** Of other formats every byte string is masked: nobody knows what it holds. */
function markBytes(span: Span, hidden: Set<Span>): void {
  if (span.children.length === 0 && (span.kind === "bytes" || span.kind === "gap")) hidden.add(span);
  for (const child of span.children) markBytes(child, hidden);
}
