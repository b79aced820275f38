/** Pages of one classic file. */
import { addressOf, blockOf, classicAddressCookie } from "../../../formats/classic-cookie.js";
import { pageTypes } from "../../../formats/page-header.js";
import type { TransformHint } from "../../page/images.js";
import type { RandomAccess } from "../../store/types.js";
import type { SoundImages } from "../image-check.js";
import { PageFault } from "../problem.js";
import type { LeafCandidate, PagePart, PageSource, TreePage } from "../types.js";
import { readClassicBlock } from "./block.js";
import { soundLeaves } from "./scan.js";

export interface ClassicTable extends TransformHint {
  readonly collator: string;
  readonly valueFormat: string;
}

export class ClassicSource implements PageSource {
  private readonly bitsPerRecord: number | undefined;

  constructor(
    private readonly file: RandomAccess,
    /** As findings name the file. */
    private readonly path: string,
    private readonly unit: number,
    private readonly table: ClassicTable,
    private readonly images: SoundImages,
    /** Whether a block lies in free space. */
    private readonly isFree: (offset: number) => boolean,
  ) {
    const bits = /^(\d*)t$/.exec(table.valueFormat);
    this.bitsPerRecord = bits === null ? undefined : Number(bits[1] || 1);
  }

  page(cookie: Uint8Array): TreePage {
    const reading = classicAddressCookie.read(cookie);
    const address = reading.ok ? blockOf(reading.value, this.unit) : undefined;
    if (!reading.ok || address === undefined) {
      const why = reading.ok ? "it names no block" : reading.error.message;
      throw new PageFault("address", `no address: ${why}`, { path: this.path });
    }
    if ((reading.value.objectId ?? 0) !== 0)
      throw new PageFault("page-missing", `the block is in object ${reading.value.objectId} of the table`, {
        path: this.path,
      });
    const place = { path: this.path, offset: address.offset };
    const { bytes, headers } = readClassicBlock(this.file, this.path, this.unit, address);
    const image = this.images.open(bytes, headers.shape, this.table, place);
    const layout =
      headers.layout.type === pageTypes.columnFixed && this.bitsPerRecord !== undefined
        ? { ...headers.layout, bitsPerRecord: this.bitsPerRecord }
        : headers.layout;
    this.images.check(image, layout, this.table.collator !== "", place);
    const origin = { isDelta: false, blockOffset: address.offset };
    const part: PagePart = { image, layout, origin, stored: bytes.length };
    return { type: layout.type, parts: [part], place, identity: String(address.offset) };
  }

  /** Every sound block that is a leaf, but for those in the space the newest checkpoint calls free. */
  *candidates(): Generator<LeafCandidate> {
    for (const { offset, size, checksum, writeGen } of soundLeaves(this.file, this.unit)) {
      if (this.isFree(offset)) continue;
      const cookie = classicAddressCookie.build(addressOf({ offset, size, checksum }, this.unit));
      yield { cookie, written: writeGen };
    }
  }

  overflow(cookie: Uint8Array): Uint8Array {
    const { type, parts, place } = this.page(cookie);
    if (type !== pageTypes.overflow)
      throw new PageFault("page-type", `a page of type ${type}, not an overflow page`, place);
    const { image, layout } = parts[0] as PagePart;
    return image.subarray(layout.payload, layout.payload + layout.entries);
  }
}
