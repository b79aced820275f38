/** Nothing guards the turtle file: whatever bit of it hides a table, verification has to say so. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openDatabase } from "../../src/tree/index.js";
import { verify } from "../../src/verify/index.js";
import { corpusPath } from "../support/corpus.js";
import { inTemporaryFolderAsync } from "../support/directories.js";

const test = suite("bits of the turtle file");
const TURTLE = "WiredTiger.turtle";
const FILES = [TURTLE, "WiredTiger", "WiredTiger.wt", "WiredTigerLAS.wt", "row.wt", "column.wt", "packed.wt"];

/** The tables, and what stood in the way of them: they may have been found without the turtle. */
function listed(home: string): string {
  let database: ReturnType<typeof openDatabase> | undefined;
  try {
    database = openDatabase(home);
    const tables = database.tables().map(({ name, checkpoints }) => `${name} ${checkpoints.length}`);
    return [...tables, ...database.problems.map(({ message }) => message)].join();
  } catch (error) {
    return String(error);
  } finally {
    database?.close();
  }
}

/** One bit of each byte, another one at the next; of `checkpoint=(` every one. */
test("a changed bit that hides tables is an error", () =>
  inTemporaryFolderAsync(async (home) => {
    for (const file of FILES) cpSync(corpusPath("tiny", file), join(home, file));
    const sound = readFileSync(join(home, TURTLE));
    const before = listed(home);
    assert.match(before, /table:row/);
    const at = sound.indexOf("checkpoint=(");
    let hidden = 0;
    for (let byte = 0; byte < sound.length; byte++)
      for (const bit of byte >= at && byte < at + 12 ? [0, 1, 2, 3, 4, 5, 6, 7] : [byte % 8]) {
        const damaged = Buffer.from(sound);
        damaged[byte] = (sound[byte] as number) ^ (1 << bit);
        writeFileSync(join(home, TURTLE), damaged);
        if (listed(home) === before) continue;
        hidden++;
        const { summary } = await verify([home]).catch(() => ({ summary: { errors: 1, unsupported: 0 } }));
        // A cookie may come to ask for a newer reader: that is said, and is no clean verdict.
        assert.ok(summary.errors + summary.unsupported > 0, `bit ${bit} of byte ${byte}`);
      }
    assert.ok(hidden > 50, `${hidden} changes hide tables`);
  }));

test("a new home has no checkpoint and no error", () =>
  inTemporaryFolderAsync(async (home) => {
    for (const file of FILES) cpSync(corpusPath("tiny", file), join(home, file));
    const text = readFileSync(join(home, TURTLE), "latin1");
    // As 3.2.1 leaves it when it dies before its first checkpoint.
    writeFileSync(join(home, TURTLE), text.replace(/checkpoint=\(W.*?\)\)/, "checkpoint="), "latin1");
    assert.ok((await verify([home])).summary.errors > 0, "WiredTiger.wt has blocks");
    writeFileSync(join(home, "WiredTiger.wt"), readFileSync(join(home, "WiredTiger.wt")).subarray(0, 4096));
    assert.is((await verify([home])).summary.errors, 0);
    const database = openDatabase(home);
    assert.equal(database.problems, []);
    database.close();
  }));

test.run();
