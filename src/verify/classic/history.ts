/** Older versions of rows in WiredTigerHS.wt: whose they are, that each ends after it began, and before the next begins. */
import {
  blockOf,
  classicAddressCookie,
  classicCheckpointCookie,
  DEFAULT_ALLOCATION_SIZE,
} from "../../../formats/classic-cookie.js";
import { FileAccess } from "../../store/file.js";
import { ClassicSource } from "../../tree/classic/source.js";
import { SoundImages } from "../../tree/image-check.js";
import type { TableConfig } from "../../tree/table-config.js";
import { TreeWalk } from "../../tree/walk.js";
import { HistoryCheck } from "../page-log/history-check.js";
import type { Run } from "../run.js";

/** Checks the newest checkpoint; its pages have been verified before, so damaged ones are passed over. */
export function verifyHistory(path: string, config: TableConfig, ids: ReadonlySet<bigint>, run: Run): void {
  const root = rootCookie(config);
  if (root === undefined) return;
  const access = new FileAccess(path);
  try {
    const check = new HistoryCheck(run, { get: (id) => (ids.has(id) ? config : undefined) }, true);
    const unit = run.options.allocationSize ?? config.allocationSize ?? DEFAULT_ALLOCATION_SIZE;
    const source = new ClassicSource(access, path, unit, config, new SoundImages(run.options), () => false);
    const walk = new TreeWalk(source, { table: config.uri, report: () => {} });
    for (const { page } of walk.leaves(root))
      for (const { image, layout } of page.parts)
        check.add(image, layout, () => ({ ...page.place, table: config.uri }));
    check.finish();
  } finally {
    access.close();
  }
}

function rootCookie({ checkpoints }: TableConfig): Uint8Array | undefined {
  const cookie = checkpoints.at(-1)?.cookie;
  const reading = cookie === undefined ? undefined : classicCheckpointCookie.read(cookie);
  if (reading?.ok !== true || blockOf(reading.value.root) === undefined) return undefined;
  const { offsetUnits, sizeUnits, checksum } = reading.value.root;
  return classicAddressCookie.build({ offsetUnits, sizeUnits, checksum });
}
