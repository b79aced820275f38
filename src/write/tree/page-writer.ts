/** Puts pages of one tree into the page log and makes the addresses parents hold of them. */

import type { AddressCookie } from "../../../formats/address-cookie.js";
import { addressCookie, addressFlags } from "../../../formats/address-cookie.js";
import type { WritablePageLog } from "../../store/writable.js";
import { sealBlock } from "../page/block-writer.js";
import type { BuiltPage } from "../page/page-builder.js";
import type { TreeSettings } from "./settings.js";

const MAX_LSN = (1n << 64n) - 1n;

/** What a page's records so far mean for the next one. */
export interface PageChain {
  readonly pageId: bigint;
  /** The newest full image. */
  readonly imageLsn: bigint;
  readonly imageCheckpointId: bigint | undefined;
  readonly newestLsn: bigint;
  readonly newestCheckpointId: bigint | undefined;
  /** What the next record names as previous checksum. */
  readonly checksum: number;
  readonly deltas: number;
  /** Bytes of the image and its deltas as stored. */
  readonly bytes: number;
  /**
   * Records of a checkpoint that was never completed stand on top of the one the tree names: a delta would be read
   * together with them. Behind a discard the page id is dead.
   */
  readonly onTop: "nothing" | "records" | "discard";
}

export class PageWriter {
  constructor(
    private readonly log: WritablePageLog,
    private readonly settings: TreeSettings,
    /** The next page id to be given out. */
    private nextId: bigint,
    private generation: bigint,
    private live: bigint,
  ) {}

  get nextPageId(): bigint {
    return this.nextId;
  }
  /** Write generation of the newest page. */
  get writeGen(): bigint {
    return this.generation;
  }
  /** A state may have come without them: they are never below 0. */
  get liveBytes(): bigint {
    return this.live < 0n ? 0n : this.live;
  }

  /** Puts the first image of a new page; returns its address. */
  newPage(page: BuiltPage): Uint8Array {
    return this.put(page, this.freshId(), undefined);
  }

  /** Puts a full image in place of a page's image and deltas. */
  image(page: BuiltPage, chain: PageChain): Uint8Array {
    this.live -= BigInt(chain.bytes);
    return this.put(page, chain.pageId, chain);
  }

  delta(page: BuiltPage, chain: PageChain): Uint8Array {
    return this.put(page, chain.pageId, chain);
  }

  /** Puts a full image under a new page id in place of a page whose id is dead. */
  moved(page: BuiltPage, { bytes }: PageChain): Uint8Array {
    this.live -= BigInt(bytes);
    return this.newPage(page);
  }

  /** A page that is no longer part of the tree. */
  drop({ pageId, newestLsn, imageLsn, bytes, onTop }: PageChain): void {
    this.live -= BigInt(bytes);
    if (!this.settings.generation.discards || onTop === "discard") return;
    this.log.discard({
      tableId: this.settings.tableId,
      pageId,
      backlinkLsn: newestLsn,
      baseLsn: imageLsn,
    });
  }

  /** Page ids that a checkpoint which was never completed has used are left alone. */
  private freshId(): bigint {
    const { tableId } = this.settings;
    while (this.log.chain(tableId, this.nextId, MAX_LSN).length > 0) this.nextId++;
    return this.nextId++;
  }

  private put(page: BuiltPage, pageId: bigint, chain: PageChain | undefined): Uint8Array {
    const { tableId, generation, transforms } = this.settings;
    const { image, delta } = page;
    const facts = { ...page, writeGen: ++this.generation, previousChecksum: chain?.checksum ?? 0 };
    const block = sealBlock(image, facts, generation.blockHeader, transforms);
    const lsn = this.log.put({
      tableId,
      pageId,
      isDelta: delta,
      flags: block.flags,
      ...linksOf(delta, chain),
      data: block.data,
    });
    this.live += BigInt(block.data.length);
    const bytes = block.data.length + (delta ? (chain?.bytes ?? 0) : 0);
    return this.cookie({
      pageId,
      lsn,
      baseLsn: delta ? (chain?.imageLsn ?? 0n) : 0n,
      newest: block.data.length,
      bytes,
      checksum: block.checksum,
    });
  }

  private cookie(at: {
    pageId: bigint;
    lsn: bigint;
    baseLsn: bigint;
    newest: number;
    bytes: number;
    checksum: number;
  }): Uint8Array {
    const { generation, checkpointId } = this.settings;
    const { pageId, lsn, baseLsn, checksum } = at;
    const old = { pageId, checkpointId, reconciliationId: 0, size: at.newest, checksum };
    if (generation.cookie === "A") return addressCookie.build({ generation: "A", ...old });
    if (generation.cookie === "B") return addressCookie.build({ generation: "B", ...old, lsn });
    const value: AddressCookie = {
      generation: generation.cookie,
      version: 0,
      minVersion: 0,
      pageId,
      flags: baseLsn === 0n ? 0 : addressFlags.delta,
      lsn,
      baseLsn,
      size: generation.cookie === "D'" ? at.bytes : at.newest,
      checksum,
    } as AddressCookie;
    return addressCookie.build(value);
  }
}

/** A delta names the record before it and its image; an image the page's previous image alone. */
export function linksOf(delta: boolean, chain: PageChain | undefined) {
  if (chain === undefined) return { backlinkLsn: 0n, baseLsn: 0n };
  const { imageLsn, imageCheckpointId, newestLsn, newestCheckpointId } = chain;
  const backlinkLsn = delta ? newestLsn : imageLsn;
  const backlinkCheckpointId = delta ? newestCheckpointId : imageCheckpointId;
  const baseLsn = delta ? imageLsn : 0n;
  if (backlinkCheckpointId === undefined || imageCheckpointId === undefined) return { backlinkLsn, baseLsn };
  return { backlinkLsn, baseLsn, backlinkCheckpointId, baseCheckpointId: delta ? imageCheckpointId : 0n };
}
