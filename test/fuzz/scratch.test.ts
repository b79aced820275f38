import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { scratchFolder } from "../../fuzz/scratch.js";

const test = suite("fuzz scratch folders");

test("what a process left that was killed is gone, what living ones use is not", () => {
  const root = mkdtempSync(join(tmpdir(), "pugmark-test-"));
  try {
    const { pid: dead } = spawnSync(process.execPath, ["--version"]);
    const names = [
      `pugmark-repair-${dead}-old`,
      `pugmark-repair-${dead}-new`,
      `pugmark-repair-${process.pid}-x`,
    ];
    for (const name of [...names, "pugmark-other"]) {
      mkdirSync(join(root, name, "inner"), { recursive: true });
      const hourAgo = Date.now() / 1000 - 3600;
      if (!name.endsWith("new")) utimesSync(join(root, name), hourAgo, hourAgo);
    }
    const own = scratchFolder("pugmark-repair", root);
    assert.ok(own.startsWith(join(root, `pugmark-repair-${process.pid}-`)) && existsSync(own));
    const left = [...names, "pugmark-other"].filter((name) => existsSync(join(root, name)));
    assert.equal(left, [...names.slice(1), "pugmark-other"]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test.run();
