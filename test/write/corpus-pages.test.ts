/** Every page of the real stores again from what it holds: bytes, checksums, links, addresses and time aggregates. */
import { readdirSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { addressCookie } from "../../formats/address-cookie.js";
import { blockMagics } from "../../formats/block-header.js";
import { cellTags } from "../../formats/cell.js";
import { pageTypes } from "../../formats/page-header.js";
import { COMPRESS_SKIP } from "../../formats/transforms.js";
import { type BlockHeaders, readBlockHeaders } from "../../src/page/block-headers.js";
import { pageLayout, plainImage } from "../../src/page/page.js";
import { type Row, rowsOf } from "../../src/page/rows.js";
import {
  type Compressor,
  decryptBlock,
  detectCompressor,
  rotnEncryptor,
} from "../../src/page/transform/index.js";
import { installNodeAccelerators } from "../../src/platform/node.js";
import { openPalm } from "../../src/store/palm.js";
import type { PageRecord } from "../../src/store/types.js";
import { writeGenerations } from "../../src/write/generation.js";
import { AggregateBuilder } from "../../src/write/page/aggregate.js";
import { sealBlock, transformsOf } from "../../src/write/page/block-writer.js";
import {
  type BuiltPage,
  DeltaBuilder,
  InternalBuilder,
  LeafBuilder,
} from "../../src/write/page/page-builder.js";
import { childrenOf } from "../../src/write/tree/children.js";
import { linksOf } from "../../src/write/tree/page-writer.js";
import { corpusPath } from "../support/corpus.js";
import { ROTN_KEY_ID } from "../support/corpus-blocks.js";

installNodeAccelerators();
const TURTLE = 1n;
const NO_LIMIT = Number.POSITIVE_INFINITY;
const MIN_PREFIX = 4;
const generation = writeGenerations["2025-06"];
const encryptor = rotnEncryptor(ROTN_KEY_ID);

interface RealPage {
  readonly store: string;
  readonly record: PageRecord;
  readonly headers: BlockHeaders;
  readonly image: Uint8Array;
  readonly rows: readonly Row[];
  readonly compressor: Compressor | undefined;
}

function compressorOf(data: Uint8Array, headers: BlockHeaders): Compressor | undefined {
  if (!headers.compressed) return undefined;
  const plain = headers.encrypted ? decryptBlock(data, headers.payload, { encryptor }) : data;
  const length = headers.header.memSize - COMPRESS_SKIP;
  const [name] = detectCompressor(plain.subarray(COMPRESS_SKIP), length);
  return transformsOf(name as string).compressor;
}

/** All of them, read once. */
const realPages: readonly RealPage[] = [...readPages()];

function* readPages(): Generator<RealPage> {
  for (const store of readdirSync(corpusPath("palm"))) {
    const log = openPalm(corpusPath("palm", store, "kv_home", "data.mdb"));
    for (const record of log.records()) {
      if (record.tableId === TURTLE) continue;
      const data = record.data.slice();
      const headers = readBlockHeaders(data);
      const compressor = compressorOf(data, headers);
      const image = plainImage(data, headers, { encryptor, ...(compressor && { compressor }) });
      const rows = [...rowsOf(image, pageLayout(headers))];
      yield { store, record: { ...record, data }, headers, image, rows, compressor };
    }
    log.close();
  }
}

const children = ({ rows, image, headers }: RealPage) =>
  childrenOf(
    rows.map((row) => ({ ...row, part: 0 })),
    [{ image, layout: pageLayout(headers), origin: { isDelta: headers.delta }, stored: 0 }],
  );

/** The page once more, by the encoders. */
function rebuilt(real: RealPage, minPrefix: number): BuiltPage {
  const { headers, rows } = real;
  const leaf = headers.header.type === pageTypes.rowLeaf;
  if (headers.delta) {
    const delta = new DeltaBuilder(generation);
    delta.reset(headers.header.type);
    if (!leaf) for (const child of children(real)) delta.child(child.key, child);
    else
      for (const { key, data, window, removed } of rows)
        if (removed) delta.removedRow(key as Uint8Array);
        else delta.row(key as Uint8Array, data, window);
    return delta.build();
  }
  if (!leaf) {
    const builder = new InternalBuilder("D0");
    for (const { cell, ...child } of children(real))
      builder.add(child.key, child.truncated === true && cell ? { ...child, cell } : child, NO_LIMIT);
    return builder.build();
  }
  const builder = new LeafBuilder({ headers: "D0", minPrefix });
  for (const { key, data, window } of rows) builder.add(key as Uint8Array, data, window, NO_LIMIT);
  return builder.build();
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function sealed({ headers, compressor }: RealPage, built: BuiltPage): Uint8Array {
  const { block, header, encrypted } = headers;
  const facts = {
    ...built,
    writeGen: header.writeGen,
    previousChecksum: (block as { previousChecksum: number }).previousChecksum,
  };
  return sealBlock(built.image, facts, "D0", { compressor, ...(encrypted && { encryptor }) }).data;
}

test("encoders write real pages as the engine did", () => {
  const counts = { identical: 0, compressed: 0, prefixes: 0 };
  for (const real of realPages) {
    const built = [0, MIN_PREFIX].map((minPrefix) => rebuilt(real, minPrefix).image);
    const at = real.headers.payload;
    const match = built.findIndex((image) => same(image.subarray(at), real.image.subarray(at)));
    if (match === -1) {
      // Prefixes start anew where the engine's own split points are, and a dictionary shares values.
      assert.is(real.store, "trees");
      const again = rowsOf(
        sealed({ ...real, compressor: undefined }, rebuilt(real, MIN_PREFIX)),
        pageLayout({ ...real.headers, header: { ...real.headers.header, memSize: NO_LIMIT } }),
      );
      const plain = ({ key, data, window }: Row) => ({ key, data, window });
      assert.equal([...again].map(plain), real.rows.map(plain));
      counts.prefixes++;
      continue;
    }
    const block = sealed(real, rebuilt(real, match === 0 ? 0 : MIN_PREFIX));
    if (same(block, real.record.data)) counts.identical++;
    else {
      // Other code makes other streams of the same bytes.
      assert.ok(real.compressor !== undefined);
      const headers = readBlockHeaders(block);
      const options = { encryptor, ...(headers.compressed && { compressor: real.compressor }) };
      assert.ok(headers.checksum.valid);
      assert.ok(same(plainImage(block, headers, options).subarray(at), real.image.subarray(at)));
      counts.compressed++;
    }
  }
  console.log(
    `pages identical to the engine's: ${counts.identical}; in another compressed stream: ${counts.compressed}; with other prefixes or shared values: ${counts.prefixes}`,
  );
  assert.ok(counts.identical > 5350);
  assert.is(counts.identical + counts.compressed + counts.prefixes, 5666);
});

test("links and previous checksums of every record are those the writer gives", () => {
  let links = 0;
  for (const store of readdirSync(corpusPath("palm"))) {
    const log = openPalm(corpusPath("palm", store, "kv_home", "data.mdb"));
    let chain: { image: PageRecord; newest: PageRecord; checksum: number } | undefined;
    for (const { ...record } of log.records()) {
      if (record.tableId === TURTLE) continue;
      const { tableId, pageId, isDelta } = record;
      if (chain?.newest.pageId !== pageId || chain.newest.tableId !== tableId) chain = undefined;
      const headers = readBlockHeaders(record.data);
      const expected = linksOf(
        isDelta,
        chain && {
          pageId,
          imageLsn: chain.image.lsn,
          imageCheckpointId: chain.image.checkpointId,
          newestLsn: chain.newest.lsn,
          newestCheckpointId: chain.newest.checkpointId,
          checksum: chain.checksum,
          deltas: 0,
          bytes: 0,
          onTop: "nothing",
        },
      );
      const { backlinkLsn, baseLsn, backlinkCheckpointId = 0n, baseCheckpointId = 0n } = record;
      assert.equal(
        { backlinkCheckpointId: 0n, baseCheckpointId: 0n, ...expected },
        { backlinkLsn, baseLsn, backlinkCheckpointId, baseCheckpointId },
      );
      assert.is((headers.block as { previousChecksum: number }).previousChecksum, chain?.checksum ?? 0);
      assert.is((headers.block as { magic: number }).magic, isDelta ? blockMagics.delta : blockMagics.base);
      chain = {
        image: isDelta && chain ? chain.image : record,
        newest: record,
        checksum: headers.checksum.stored,
      };
      links++;
    }
    log.close();
  }
  assert.is(links, 5666);
});

test("addresses in real parents are those the writer makes of their children, with their times", () => {
  const leaves = new Map<string, { record: PageRecord; checksum: number; rows: readonly Row[] }>();
  for (const { store, record, headers, rows } of realPages)
    leaves.set(`${store}/${record.tableId}/${record.pageId}/${record.lsn}`, {
      record,
      checksum: headers.checksum.stored,
      rows,
    });
  let addresses = 0;
  let times = 0;
  let compared = 0;
  for (const real of realPages) {
    if (real.headers.header.type !== pageTypes.rowInternal) continue;
    for (const { cookie, aggregate, type } of children(real)) {
      if (cookie.length === 0) continue;
      const { pageId, lsn } = addressCookie.parse(cookie) as { pageId: bigint; lsn: bigint };
      const child = leaves.get(`${real.store}/${real.record.tableId}/${pageId}/${lsn}`);
      if (child === undefined) continue;
      const { record, checksum } = child;
      const made = addressCookie.build({
        generation: "B",
        pageId,
        lsn,
        checkpointId: record.checkpointId as bigint,
        reconciliationId: 0,
        size: record.data.length,
        checksum,
      });
      assert.ok(same(made, cookie));
      addresses++;
      // Deltas make the engine's own aggregates unreliable in this generation.
      if (record.isDelta || type === cellTags.addressInternal - 4 || record.backlinkLsn !== 0n) continue;
      const windows = new AggregateBuilder();
      for (const { window } of child.rows) windows.addWindow(window);
      compared++;
      const found = windows.result();
      // Transactions of an earlier run of the engine are cleared when it writes a parent anew.
      const cleared = aggregate.newestTxn === 0n ? { newestTxn: 0n } : {};
      const stopped = aggregate.newestStopTxn === 0n ? { newestStopTxn: 0n } : {};
      if (JSON.stringify({ ...found, ...cleared, ...stopped }, text) === JSON.stringify(aggregate, text))
        times++;
    }
  }
  console.log(`addresses as the engine's: ${addresses}; times of first images: ${times} of ${compared}`);
  assert.ok(addresses > 5000);
  assert.is(times, compared);
});

const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

test.run();
