/** Many threads find what one finds, in the same order: on a damaged table of the real engine. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/codec/index.js";
import { verify } from "../../src/verify/index.js";
import { skipped } from "../support/skip.js";

const ROWS = 40_000;
const DAMAGES = 60;
const haveEngine = spawnSync("wt", ["-V"]).error === undefined;

const test = suite("threads");
let home = "";
test.before(() => {
  home = mkdtempSync(join(tmpdir(), "pugmark-threads-"));
});
test.after(() => rmSync(home, { recursive: true, force: true }));

function makeTable(): string {
  execFileSync("wt", ["-h", home, "create", "-c", "key_format=u,value_format=u", "table:t"]);
  const random = seededRandom(7);
  const rows = Array.from(
    { length: ROWS },
    (_, i) => `${i.toString(16).padStart(16, "0")}\n${Buffer.from(random.bytes(400)).toString("hex")}\n`,
  );
  const header = execFileSync("wt", ["-h", home, "dump", "-x", "table:t"], { encoding: "utf8" });
  writeFileSync(join(home, "load.txt"), header + rows.join(""));
  execFileSync("wt", ["-h", home, "load", "-f", join(home, "load.txt")]);
  return join(home, "t.wt");
}

function damage(file: string): void {
  const random = seededRandom(11);
  const { size } = statSync(file);
  const descriptor = openSync(file, "r+");
  const byte = new Uint8Array(1);
  for (let i = 0; i < DAMAGES; i++) {
    const at = 8192 + random.below(size - 8192);
    readSync(descriptor, byte, 0, 1, at);
    byte[0] = (byte[0] as number) ^ 0x20;
    writeSync(descriptor, byte, 0, 1, at);
  }
}

test("one thread, two and four give the same report", async () => {
  if (!haveEngine) return skipped("the real engine (wt) is not installed");
  const file = makeTable();
  const sound = await verify([home], { threads: 4 });
  assert.is(sound.summary.errors, 0);
  damage(file);
  const [one, two, four] = await Promise.all([1, 2, 4].map((threads) => verify([home], { threads })));
  assert.ok((one?.summary.errors ?? 0) > 20, `${one?.summary.errors} errors`);
  assert.equal(two, one);
  assert.equal(four, one);
});

test.run();
