/** The children of an internal page with their cells as they stand, image and deltas merged. */
import { cellTags } from "../../../formats/cell.js";
import { addressAggregate } from "../../../formats/time-window.js";
import { type MergedRow, readerOf } from "../../page/rows.js";
import type { PagePart } from "../../tree/types.js";
import { childTypes } from "../page/cell-writer.js";
import type { KeyedChild } from "./tree-builder.js";

/** `rows`: the merged rows of `parts`, none of them with an overflow key. */
export function childrenOf(rows: readonly MergedRow[], parts: readonly PagePart[]): KeyedChild[] {
  return rows.map((row) => {
    const { image, layout, origin } = parts[row.part] as PagePart;
    const reader = readerOf(image, layout);
    // An entry of a P0 delta has its flags, 0, in front of its key cell; no key cell begins so.
    const flags = origin.isDelta && image[row.offset] === 0 ? 1 : 0;
    reader.read(row.offset + flags);
    reader.read(reader.next);
    return {
      key: row.key as Uint8Array,
      type: row.tag === cellTags.addressInternal ? childTypes.internal : childTypes.leaf,
      aggregate: addressAggregate(reader.window()),
      cookie: row.data,
      cell: image.subarray(reader.start, reader.next),
      truncated: row.tag === cellTags.addressDeleted,
    };
  });
}
