/** Key providers: what they are asked and told, and that their blobs go nowhere else. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cryptPage } from "../../formats/crypt-page.js";
import { MemoryPageLog } from "../../src/store/memory-page-log.js";
import { newestGeneration, type WriteGeneration } from "../../src/write/generation.js";
import {
  type FirstDesignProvider,
  fromFirstDesign,
  type KeyProvider,
  KeyProviderError,
  type KeyUpdate,
  PushedKeys,
  WrappedKeys,
} from "../../src/write/key-provider/index.js";
import { DatabaseNode } from "../../src/write/roles/node.js";
import { ScriptedKeys } from "../../src/write/scenarios/scripted-keys.js";
import { RotatingKeys } from "../../tools/example-key-provider.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("key providers");

const leader = (keyProvider: KeyProvider, log = new MemoryPageLog(), generation?: WriteGeneration) =>
  DatabaseNode.open(log, { keyProvider, ...(generation === undefined ? {} : { generation }) });

function errorOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("an error is expected");
}

const codeOf = (work: () => unknown): string => (errorOf(work) as KeyProviderError).code;

/** The blob of the key page a checkpoint names. */
function blobOf(log: MemoryPageLog, lsn: bigint | undefined): Uint8Array {
  const record = log.record(newestGeneration.tables.keyProvider, 1n, lsn ?? 0n);
  return cryptPage.parse(record?.data as Uint8Array).blob;
}

test("every generation of the key page is written and loaded again", () => {
  for (const crypt of ["K0", "K1", "K2", "K3", "K1-blob", "K0-whole"] as const) {
    const log = new MemoryPageLog();
    const generation = { ...newestGeneration, crypt };
    const keys = new ScriptedKeys(1, () => 1);
    const { keyLsn } = leader(keys, log, generation).checkpoint();
    const page = log.record(generation.tables.keyProvider, 1n, keyLsn as bigint)?.data as Uint8Array;
    assert.is(cryptPage.parse(page).generation, crypt);
    const again = new ScriptedKeys(1, () => 2);
    leader(again, log, generation);
    assert.equal(again.loaded, keys.blob);
  }
});

test("both buffers the provider has seen are wiped, also after errors", () => {
  for (const fault of [undefined, "bytes call fails", "calls disagree", "update call fails"] as const) {
    const keys = new ScriptedKeys(1, () => 1);
    const seen: Uint8Array[] = [];
    const spy: KeyProvider = {
      loadKey: (key) => {
        seen.push(key.key);
        keys.loadKey(key);
      },
      getKey: (request) => {
        if (request.buffer !== undefined) seen.push(request.buffer);
        return keys.getKey(request);
      },
      onKeyUpdate: (update) => {
        assert.equal(Object.keys(update).sort(), update.lsn === undefined ? ["error"] : ["lsn"]);
        keys.onKeyUpdate(update);
      },
    };
    const log = new MemoryPageLog();
    const node = leader(spy, log);
    keys.fault = fault;
    if (fault !== undefined) assert.throws(() => node.checkpoint());
    node.checkpoint();
    leader(spy, log);
    assert.ok(seen.length >= 3);
    for (const bytes of seen)
      assert.ok(
        bytes.every((byte) => byte === 0),
        `after ${fault}`,
      );
  }
});

test("no error, update or report holds a blob, whatever goes wrong", () => {
  const keys = new ScriptedKeys(1, () => 1);
  const texts: string[] = [];
  const node = leader(keys);
  for (const fault of [
    "size call fails",
    "bytes call fails",
    "calls disagree",
    "update call fails",
  ] as const) {
    keys.fault = fault;
    const error = errorOf(() => node.checkpoint());
    texts.push(inspect(error, { depth: 20 }), error.message, JSON.stringify(error));
  }
  const tight = DatabaseNode.open(new MemoryPageLog(), { keyProvider: keys, maxKeySize: 10 });
  texts.push(
    inspect(
      errorOf(() => tight.checkpoint()),
      { depth: 20 },
    ),
  );
  texts.push(inspect(keys.updates, { depth: 20 }));
  for (const text of texts) {
    assert.not.match(text, "KEK");
    assert.not.match(text, Buffer.from("KEK").toString("hex"));
    assert.not.match(text, /0x4b.*0x45|75, 69, 75/);
  }
});

test("a blob above the limit is refused, and the next checkpoint works", () => {
  const keys = new ScriptedKeys(1, () => 1);
  const log = new MemoryPageLog();
  const node = DatabaseNode.open(log, { keyProvider: keys, maxKeySize: 100 });
  assert.is(
    codeOf(() => node.checkpoint()),
    "key-size",
  );
  assert.is(keys.updates.length, 1);
  assert.instance(keys.updates[0]?.error, KeyProviderError);
  assert.is(log.checkpoints().length, 0);
  const roomy = DatabaseNode.open(log, { keyProvider: keys, maxKeySize: 1000 });
  assert.ok(roomy.checkpoint().keyLsn);
});

test("the first checkpoint needs a key; later ones do not", () => {
  const none: KeyProvider = { loadKey: () => {}, getKey: () => ({ size: 0 }), onKeyUpdate: () => {} };
  assert.is(
    codeOf(() => leader(none).checkpoint()),
    "key-missing",
  );
  const log = new MemoryPageLog();
  const first = leader(new ScriptedKeys(1, () => 1), log).checkpoint();
  assert.is(leader(none, log).checkpoint().keyLsn, first.keyLsn);
});

test("sizes that are no sizes are refused", () => {
  for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40]) {
    const odd: KeyProvider = { loadKey: () => {}, getKey: () => ({ size }), onKeyUpdate: () => {} };
    assert.is(
      codeOf(() => leader(odd).checkpoint()),
      "key-size",
    );
  }
});

test("pushed keys: timestamps rise, above stable; the newest covered one is persisted, older ones are dropped", () => {
  const keys = new PushedKeys();
  const log = new MemoryPageLog();
  const node = leader(keys, log);
  const key = (text: string): Uint8Array => new TextEncoder().encode(text);
  const given = Buffer.from("ten");
  node.setKey(given, 10n);
  given.fill(0);
  assert.is(
    codeOf(() => node.setKey(key("again"), 10n)),
    "key-timestamp",
  );
  assert.is(
    codeOf(() => node.setKey(key("behind"), 9n)),
    "key-timestamp",
  );
  node.setKey(key("twenty"), 20n);
  node.setKey(key("forty"), 40n);
  node.setStableTimestamp(30n);
  const first = node.checkpoint();
  assert.equal(blobOf(log, first.keyLsn), key("twenty"));
  assert.is(keys.waiting, 1);
  node.setStableTimestamp(45n);
  assert.is(
    codeOf(() => node.setKey(key("late"), 45n)),
    "key-timestamp",
  );
  const second = node.checkpoint();
  assert.equal(blobOf(log, second.keyLsn), key("forty"));
  assert.is(keys.waiting, 0);
  assert.is(node.checkpoint().keyLsn, second.keyLsn);
  assert.is(
    codeOf(() => leader(new ScriptedKeys(1, () => 1)).setKey(key("x"), 1n)),
    "key-not-pushed",
  );
});

test("a failed checkpoint keeps the pushed keys it would have dropped", () => {
  const keys = new PushedKeys();
  const node = DatabaseNode.open(new MemoryPageLog(), { keyProvider: keys, maxKeySize: 3 });
  node.setKey(new Uint8Array(4), 1n);
  node.setStableTimestamp(1n);
  assert.is(
    codeOf(() => node.checkpoint()),
    "key-size",
  );
  assert.is(keys.waiting, 1);
});

test("a provider of the first design works through its adapter", () => {
  const calls: string[] = [];
  let changed = true;
  const blob = Buffer.alloc(12, 7);
  const old: FirstDesignProvider = {
    load_key_blob: (blob) => void calls.push(`load ${blob.length}`),
    has_changes: () => changed,
    get_key_blob: () => blob,
    get_key_complete: (lsn, error) => {
      calls.push(error === undefined ? `complete at ${lsn > 0n}` : `failed at ${lsn}`);
      if (error === undefined) changed = false;
    },
  };
  const log = new MemoryPageLog();
  const node = leader(fromFirstDesign(old), log);
  const { keyLsn } = node.checkpoint();
  assert.is(node.checkpoint().keyLsn, keyLsn);
  changed = true;
  const tight = DatabaseNode.open(log, { keyProvider: fromFirstDesign(old), maxKeySize: 3 });
  assert.throws(() => tight.checkpoint());
  assert.equal(blob, Buffer.alloc(12, 7), "what is the provider's own is not wiped");
  assert.equal(calls, ["load 0", "complete at true", "load 12", "failed at 0"]);
});

test("keys wrapped under a passphrase and under a key file", () => {
  inTemporaryFolder((folder) => {
    const keyFile = join(folder, "key");
    writeFileSync(keyFile, randomBytes(32));
    for (const secret of [{ passphrase: "correct horse" }, { keyFile }]) {
      const log = new MemoryPageLog();
      const keys = new WrappedKeys(secret, { costLog2: 10, keep: 2 });
      const node = leader(keys, log);
      const first = Uint8Array.from(keys.current?.key as Uint8Array);
      node.checkpoint();
      keys.rotate();
      const { keyLsn } = node.checkpoint();
      const blob = Buffer.from(blobOf(log, keyLsn));
      for (const key of [first, keys.current?.key as Uint8Array])
        assert.is(blob.includes(Buffer.from(key)), false, "keys are sealed");
      const again = new WrappedKeys(secret, { costLog2: 10 });
      leader(again, log);
      assert.equal(again.current?.key, keys.current?.key);
      assert.equal(again.key(1)?.key, first);
      assert.is(again.current?.id, 2);
      const other = "keyFile" in secret ? { passphrase: "x" } : { passphrase: "wrong horse" };
      assert.is(
        codeOf(() => leader(new WrappedKeys(other), log)),
        "key-refused",
      );
      node.close();
      assert.is(keys.current, undefined);
    }
    writeFileSync(keyFile, "short");
    const short = leader(new WrappedKeys({ keyFile }));
    assert.is(
      codeOf(() => short.checkpoint()),
      "key-refused",
    );
  });
});

test("any changed byte of a wrapped blob is noticed, and none makes the cost grow", () => {
  const log = new MemoryPageLog();
  const { keyLsn } = leader(new WrappedKeys({ passphrase: "p" }, { costLog2: 10 }), log).checkpoint();
  const blob = blobOf(log, keyLsn);
  for (let at = 0; at < blob.length; at++) {
    const changed = blob.slice();
    changed[at] = (changed[at] as number) ^ 0x10;
    const load = () => new WrappedKeys({ passphrase: "p" }).loadKey({ lsn: 1n, timestamp: 0n, key: changed });
    assert.is(codeOf(load), "key-refused", `byte ${at}`);
  }
  for (const length of [1, 10, blob.length - 1]) {
    const load = () =>
      new WrappedKeys({ passphrase: "p" }).loadKey({ lsn: 1n, timestamp: 0n, key: blob.slice(0, length) });
    assert.is(codeOf(load), "key-refused");
  }
});

test("a key page that is damaged or missing keeps the database from being opened", () => {
  const log = new MemoryPageLog();
  const { keyLsn } = leader(new ScriptedKeys(1, () => 1), log).checkpoint();
  const records = [...log.records()];
  const isKey = ({ lsn }: { lsn: bigint }): boolean => lsn === keyLsn;
  const damaged = records.map((record) =>
    isKey(record) ? { ...record, data: record.data.slice(1) } : record,
  );
  for (const contents of [damaged, records.filter((record) => !isKey(record))]) {
    const other = MemoryPageLog.of({ records: () => contents, checkpoints: () => log.checkpoints() });
    assert.is(
      codeOf(() => leader(new ScriptedKeys(1, () => 1), other)),
      "key-page",
    );
  }
});

test("the example provider rotates when its key expires", () => {
  let time = 1000n;
  const updates: KeyUpdate[] = [];
  const keys = new RotatingKeys({
    lifetime: 60n,
    now: () => time,
    onUpdate: (update) => updates.push(update),
  });
  const log = new MemoryPageLog();
  const node = leader(keys, log);
  const first = node.checkpoint().keyLsn;
  time += 59n;
  assert.is(node.checkpoint().keyLsn, first);
  time += 1n;
  const second = node.checkpoint().keyLsn as bigint;
  assert.ok(second > (first as bigint));
  assert.equal(
    updates.map(({ lsn }) => lsn),
    [first, second],
  );
  const restarted = new RotatingKeys({ lifetime: 60n, now: () => time });
  leader(restarted, log);
  assert.equal(restarted.key, keys.key);
});

test.run();
