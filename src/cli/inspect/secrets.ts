/** Key material stays hidden where damage or a forced generation would put it into other fields. */
import type { Span } from "../../codec/annotate.js";
import type { FieldDescription } from "../../codec/describe.js";
import type { AnyFormat } from "../convert.js";

/** Offset from which a format may hold key material, whatever the generation; undefined when it holds none. */
export function secretsStart(format: AnyFormat): number | undefined {
  const fields = format.describe().generations.flatMap((generation) => generation.fields.filter(isSecret));
  const offsets = fields.flatMap(({ offset }) => (offset === undefined ? [] : [offset]));
  if (fields.length === 0) return undefined;
  return offsets.length === 0 ? 0 : Math.min(...offsets);
}

const isSecret = ({ type }: FieldDescription): boolean => type.includes(", secret");

/**
 * Marks every field from an offset of the span's own bytes on as secret; with `whole` also one that only reaches
 * beyond it, for bytes of which it is not sure that they are laid out so.
 */
export function hideFrom(root: Span, offset: number, whole = false): void {
  const start = root.start + offset;
  const visit = (span: Span): void => {
    for (const child of span.children) {
      const isLeaf = child.children.length === 0;
      if (child.start >= start || (whole && isLeaf && child.end > start)) child.secret = true;
      visit(child);
    }
  };
  visit(root);
}
