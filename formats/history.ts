/** Rows of the history store, and the change lists in them. Formats: history and log §1. */
import {
  array,
  bytes,
  countOf,
  format,
  type Infer,
  lengthOf,
  packed,
  packed32,
  type RandomSource,
  ref,
  struct,
  symbolValues,
  u64le,
} from "../src/codec/index.js";

const SOURCE = "formats: history and log §1";

/** Format texts of the history store's keys and values. */
export const HISTORY_KEY_FORMAT = "IuQQ";
export const HISTORY_VALUE_FORMAT = "QQQu";

export const updateTypeSymbols = {
  modify: [1, "a list of changes to the next newer version"],
  reserve: [2, "a place kept in memory; never stored"],
  standard: [3, "the full value"],
  tombstone: [4, "a removal: stored as the stop of the version before, never as a record"],
} as const;
export const updateTypes = symbolValues(updateTypeSymbols);
const storedTypes: readonly number[] = [updateTypes.modify, updateTypes.standard];

const historyKeyType = struct({
  btreeId: packed32({ doc: "id of the table the version belongs to" }),
  keyLength: packed32({ derive: lengthOf("key") }),
  key: bytes(ref("keyLength"), {
    doc: "the table's key as stored; column stores: the record number, packed",
  }),
  startTimestamp: packed({ doc: "when the version was written; the cell's own may be missing" }),
  counter: packed({ doc: "order of versions with equal timestamps" }),
});
export type HistoryKey = Infer<typeof historyKeyType>;

/** Key of a history-store row; rows ascend by table, key, start timestamp and counter. */
export const historyKey = format(
  { name: "history-key", title: `History-store key (${HISTORY_KEY_FORMAT})`, source: SOURCE },
  historyKeyType,
);

const change = struct({
  dataSize: u64le({ doc: "bytes of new data", sample: (random) => BigInt(random.below(12)) }),
  offset: u64le({
    doc: "where in the value the change begins",
    sample: (random) => BigInt(random.below(200)),
  }),
  replaceSize: u64le({
    doc: "bytes of the value that are replaced",
    sample: (random) => BigInt(random.below(30)),
  }),
});

const modifyListType = struct(
  {
    count: u64le({ derive: countOf("changes") }),
    changes: array(change, { count: ref("count") }),
    data: bytes(undefined, {
      doc: "the new data of all changes, one behind the other",
      sample: dataOfChanges,
    }),
  },
  {
    rules: [
      {
        code: "modify-data-size",
        doc: "the data of the changes is all there is behind them",
        check: ({ changes, data }) => {
          const expected = changes.reduce((sum, { dataSize }) => sum + dataSize, 0n);
          return expected === BigInt(data.length)
            ? undefined
            : { path: "data", expected, actual: data.length };
        },
      },
    ],
  },
);
export type ModifyList = Infer<typeof modifyListType>;

function dataOfChanges(random: RandomSource, { changes }: Readonly<Record<string, unknown>>): Uint8Array {
  return random.bytes(
    (changes as ModifyList["changes"]).reduce((sum, { dataSize }) => sum + Number(dataSize), 0),
  );
}

/** Packed list of changes: the data of a history record of type modify, and of modify operations in logs. */
export const modifyList = format(
  {
    name: "modify-list",
    title: "Packed modify list",
    source: SOURCE,
    doc: "The numbers are the engine's native size_t: 8 bytes little-endian on the platforms it runs on.",
  },
  modifyListType,
);

const historyValueType = struct(
  {
    stopDurableTimestamp: packed({ doc: "2^64 − 1 where a prepared update follows" }),
    startDurableTimestamp: packed(),
    updateType: packed32({
      symbols: updateTypeSymbols,
      unknown: "error",
      max: 0xff,
      sample: (random) => storedTypes[random.below(storedTypes.length)],
    }),
    data: bytes(undefined, {
      doc: "standard: the full value; modify: a modify-list, relative to the next newer version",
      sample: (random, { updateType }) =>
        updateType === updateTypes.modify
          ? modifyList.build(modifyList.generate(random))
          : random.bytes(random.below(80)),
    }),
  },
  {
    rules: [
      {
        code: "history-update-type",
        doc: "only full values and modify lists are stored",
        check: ({ updateType }) =>
          updateType === updateTypes.reserve || updateType === updateTypes.tombstone
            ? { path: "updateType", expected: storedTypes.join(" or "), actual: updateType }
            : undefined,
      },
      {
        code: "history-modify-list",
        doc: "the data of a modify is a modify list",
        check: ({ updateType, data }) => {
          if (updateType !== updateTypes.modify) return undefined;
          const issue = modifyList.validate(data).find(({ severity }) => severity === "error");
          return issue && { path: "data", message: `${issue.code}: ${issue.message}` };
        },
      },
    ],
  },
);
export type HistoryValue = Infer<typeof historyValueType>;

/** Value of a history-store row. */
export const historyValue = format(
  {
    name: "history-value",
    title: `History-store value (${HISTORY_VALUE_FORMAT})`,
    source: SOURCE,
    doc: "The stop timestamp of the version is only in the time window of its cell.",
  },
  historyValueType,
);

/** One change of a value. */
export interface Modify {
  /** Replaces `size` bytes at `offset`. */
  readonly data: Uint8Array;
  readonly offset: bigint;
  readonly size: bigint;
}

/** The changes of a sound list, each with its data. */
export function modifiesOf({ changes, data }: ModifyList): Modify[] {
  let at = 0;
  return changes.map(({ dataSize, offset, replaceSize }) => {
    const end = at + Number(dataSize);
    const part = data.subarray(at, end);
    at = end;
    return { data: part, offset, size: replaceSize };
  });
}

/** The list of changes, to be stored. */
export function modifyListOf(modifies: readonly Modify[]): ModifyList {
  const data = new Uint8Array(modifies.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  const changes = modifies.map((modify) => {
    data.set(modify.data, at);
    at += modify.data.length;
    return { dataSize: BigInt(modify.data.length), offset: modify.offset, replaceSize: modify.size };
  });
  return { count: BigInt(modifies.length), changes, data };
}
