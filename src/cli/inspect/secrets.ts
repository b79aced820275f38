/** Key material stays hidden where damage or a forced generation would put it into other fields. */
import type { Span } from "../../codec/annotate.js";
import type { FieldDescription } from "../../codec/describe.js";
import type { AnyFormat } from "../convert.js";

/** Offset from which a format may hold key material, whatever the generation; undefined when it holds none. */
export function secretsStart(format: AnyFormat): number | undefined {
  const fields = format.describe().generations.flatMap((generation) => generation.fields.filter(isSecret));
  return fields.length === 0 ? undefined : Math.max(...fields.map(({ offset }) => offset ?? 0));
}

const isSecret = ({ type }: FieldDescription): boolean => type.includes(", secret");

/** Marks every field from an offset of the span's own bytes on as secret. */
export function hideFrom(root: Span, offset: number): void {
  const start = root.start + offset;
  const visit = (span: Span): void => {
    for (const child of span.children) {
      if (child.start >= start) child.secret = true;
      visit(child);
    }
  };
  visit(root);
}
