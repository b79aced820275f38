/** Page logs with a damaged root: the leaves are found by looking at every page. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openPageLog } from "../../src/store/open.js";
import type { PageLog, PageRecord } from "../../src/store/types.js";
import { PageLogDatabase } from "../../src/tree/page-log/database.js";
import type { TreeProblem, TreeRow } from "../../src/tree/types.js";
import { corpusPath } from "../support/corpus.js";

/** A byte of the payload of pages that are not encrypted. */
const FLIPPED = 60;

/** The store with a bit of every record of a page flipped. */
function damaged(store: PageLog, tableId: bigint, pageId: bigint): PageLog {
  const flip = (record: PageRecord): PageRecord => {
    if (record.tableId !== tableId || record.pageId !== pageId) return record;
    const data = record.data.slice();
    data[FLIPPED] = (data[FLIPPED] as number) ^ 1;
    return { ...record, data };
  };
  return {
    kind: store.kind,
    path: store.path,
    generation: store.generation,
    size: store.size,
    globals: store.globals,
    issues: store.issues,
    records: function* () {
      for (const record of store.records()) yield flip(record);
    },
    chain: (...place) => store.chain(...place).map(flip),
    record: (...place) => {
      const record = store.record(...place);
      return record && flip(record);
    },
    checkpoints: () => store.checkpoints(),
    close: () => store.close(),
  };
}

interface Read {
  readonly healthy: readonly string[];
  readonly rescued: readonly string[];
  readonly problems: readonly TreeProblem[];
}

const line = ({ key, value }: TreeRow): string =>
  `${Buffer.from(key as Uint8Array).toString("hex")} ${Buffer.from(value).toString("hex")}`;

function readWithoutRoot(name: string, table: string): Read {
  const store = openPageLog(corpusPath("palm", name));
  try {
    const sound = new PageLogDatabase(store, name, {}).table(table);
    const root = sound.pages().next().value as { page: { place: { pageId?: bigint } } };
    const log = damaged(store, sound.info.id as bigint, root.page.place.pageId as bigint);
    const problems: TreeProblem[] = [];
    const onProblem = (problem: TreeProblem): void => void problems.push(problem);
    return {
      healthy: Array.from(sound.rows(), line),
      rescued: Array.from(
        new PageLogDatabase(log, name, {}).table(table).rows({ rescue: true, onProblem }),
        line,
      ),
      problems,
    };
  } finally {
    store.close();
  }
}

const test = suite("leaves of page logs without their root");

for (const [name, table] of [
  ["trees", "m1"],
  ["trees", "m2"],
  ["trees", "m3"],
  ["a_chain", "chain"],
  ["c_compress", "c_zstd"],
  ["e_ts", "t1"],
  ["f_switch", "sw"],
] as const)
  test(`${name}, ${table}: every row`, () => {
    const { healthy, rescued, problems } = readWithoutRoot(name, table);
    assert.equal(rescued, healthy);
    assert.equal(
      problems.map(({ code, lost }) => ({ code, lost })),
      [{ code: "page-damaged", lost: {} }],
    );
  });

test("e_ts, t2: only the lost root knew which pages were truncated, so their rows come back", () => {
  const { healthy, rescued } = readWithoutRoot("e_ts", "t2");
  const all = new Set(rescued);
  assert.ok(healthy.every((row) => all.has(row)));
  assert.is(rescued.length - healthy.length, 1303);
});

test.run();
