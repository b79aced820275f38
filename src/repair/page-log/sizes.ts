/** Sizes of trees. */
import { addressCookie } from "../../../formats/address-cookie.js";
import type { WritablePageLog } from "../../store/writable.js";
import { sizeIsPageId } from "../../write/checkpoint/entry.js";
import { PageReader } from "../../write/tree/page-reader.js";
import { treeSettings } from "../../write/tree/settings.js";
import type { TreeOptions } from "../../write/types.js";
import { childCookies } from "./trees.js";

/**
 * What a checkpoint's `size=` has to be: the bytes of its tree; while addresses had checkpoint ids, the root's page id.
 * @throws TreeWriteError `tree-damaged`, `tree-unsupported`
 */
export function checkpointSizeOf(log: WritablePageLog, options: TreeOptions, root: Uint8Array): bigint {
  if (root.length > 0 && sizeIsPageId(options.generation)) return addressCookie.parse(root).pageId;
  return treeBytes(log, options, root);
}

/**
 * Bytes of the records that serve reads of a tree's pages, as addresses say them; 0 without rows.
 * @throws TreeWriteError `tree-damaged`, `tree-unsupported`
 */
export function treeBytes(log: WritablePageLog, options: TreeOptions, root: Uint8Array): bigint {
  return root.length === 0 ? 0n : bytesBelow(new PageReader(log, treeSettings(log, options)), root);
}

function bytesBelow(reader: PageReader, cookie: Uint8Array): bigint {
  const open = reader.open(cookie);
  let bytes = BigInt(open.chain.bytes);
  for (const child of childCookies(open)) bytes += bytesBelow(reader, child);
  return bytes;
}
