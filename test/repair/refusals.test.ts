/** Conditions under which nothing is written, and plans that are not carried out. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { METADATA_FILE, TURTLE_FILE } from "../../src/repair/classic/home.js";
import {
  applyRepair,
  parsePlan,
  planRepair,
  planText,
  type RefusalCode,
  type RepairEdit,
  type RepairPlan,
} from "../../src/repair/index.js";
import { lockState } from "../../src/repair/lock.js";
import { assertRefused, CORPUS, contents, refusalOf, withHome } from "./homes.js";

const NAME = "classic-12.0/basic";
const EDITS: readonly RepairEdit[] = [{ edit: "set", uri: "table:row", key: "app_metadata", value: "x" }];
/** A plan as somebody with an editor has it. */
type Loose = ReturnType<typeof JSON.parse>;

const test = suite("repair: refusals");

const edit = (home: string, file: string, change: (text: string) => string): void => {
  const path = join(home, file);
  writeFileSync(path, change(readFileSync(path, "latin1")), "latin1");
};

const conditions: ReadonlyArray<readonly [RefusalCode, string, (home: string) => void]> = [
  ["turtle-missing", "no turtle", (home) => rmSync(join(home, TURTLE_FILE))],
  ["turtle-damaged", "a turtle cut short", (home) => edit(home, TURTLE_FILE, (text) => text.slice(0, 60))],
  [
    "turtle-damaged",
    "a turtle of noise",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace(/=/g, "(")),
  ],
  ["backup-metadata", "a backup's metadata", (home) => writeFileSync(join(home, "WiredTiger.backup"), "")],
  [
    "backup-metadata",
    "an incremental backup's metadata",
    (home) => writeFileSync(join(home, "WiredTiger.ibackup"), ""),
  ],
  [
    "live-restore",
    "a live restore under way",
    (home) =>
      edit(
        home,
        TURTLE_FILE,
        (text) => `Live Restore\nstate=WTI_LIVE_RESTORE_STATE_BACKGROUND_MIGRATION\n${text}`,
      ),
  ],
  [
    "metadata-encrypted",
    "encrypted metadata",
    (home) =>
      edit(home, TURTLE_FILE, (text) =>
        text.replace("encryption=(keyid=,name=)", "encryption=(keyid=,name=rotn)"),
      ),
  ],
  [
    "metadata-compressed",
    "compressed metadata",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace("block_compressor=", "block_compressor=snappy")),
  ],
  [
    "metadata-generation",
    "an engine not known",
    (home) =>
      edit(home, TURTLE_FILE, (text) =>
        text.replace("major=12,minor=0", "major=13,minor=0").replace("WiredTiger 12.0", "WiredTiger 13.0"),
      ),
  ],
  [
    "metadata-generation",
    "a cookie version not known",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace(/addr="01(?!.*addr=)/s, 'addr="02')),
  ],
  [
    "metadata-generation",
    "a checkpoint in several files",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace(/(.*addr="\w+)"/s, '$10181"')),
  ],
  [
    "checkpoint-missing",
    "no checkpoint",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace(/,checkpoint=\(.*\)\),/, ",checkpoint=,")),
  ],
  [
    "turtle-damaged",
    "a checkpoint without its time",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace(/(.*),time=/s, "$1,tine=")),
  ],
  [
    "checkpoint-order",
    "checkpoints out of order",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace(/(.*),order=\d+/s, "$1,order=1")),
  ],
  [
    "allocation-size",
    "another allocation size",
    (home) => edit(home, TURTLE_FILE, (text) => text.replace("allocation_size=4KB", "allocation_size=8KB")),
  ],
  [
    "metadata-damaged",
    "a metadata file cut short",
    (home) =>
      writeFileSync(join(home, METADATA_FILE), readFileSync(join(home, METADATA_FILE)).subarray(0, 100_000)),
  ],
  ["metadata-damaged", "no metadata file", (home) => rmSync(join(home, METADATA_FILE))],
];
for (const [code, what, make] of conditions)
  test(`${code}: ${what}`, () =>
    withHome(NAME, (home) => {
      make(home);
      const before = contents(home);
      assertRefused(code, () => planRepair(home, EDITS));
      assert.equal(contents(home), before);
    }));

test("a lock is seen in the kernel's list, by its inode; what the file says means nothing", () =>
  withHome(NAME, (home, folder) => {
    const { ino } = statSync(join(home, "WiredTiger.lock"));
    const table = join(folder, "locks");
    const state = (...lines: string[]): string => {
      writeFileSync(table, lines.join("\n"));
      return lockState(home, table).state;
    };
    assert.is(state(), "free");
    assert.is(state(`1: POSIX  ADVISORY  WRITE 77 08:01:${ino + 1} 0 0`), "free");
    assert.is(state(`1: FLOCK  ADVISORY  WRITE 77 08:01:${ino} 0 EOF`), "free");
    assert.is(state(`1: -> POSIX  ADVISORY  WRITE 77 08:01:${ino} 0 0`), "free");
    assert.is(state(`1: POSIX  ADVISORY  WRITE 77 08:01:${ino} 1 1`), "free");
    assert.is(state("noise", `12: POSIX  ADVISORY  WRITE 77 00:2f:${ino} 0 0`), "held");
    assert.is(state(`1: OFDLCK ADVISORY  READ -1 08:01:${ino} 0 EOF`), "held");
    assert.is(lockState(home, join(folder, "none")).state, "unknown");
    rmSync(join(home, "WiredTiger.lock"));
    assert.is(lockState(home, join(folder, "none")).state, "free");
  }));

test("all conditions that are not met are told at once", () =>
  withHome(NAME, (home) => {
    writeFileSync(join(home, "WiredTiger.backup"), "");
    rmSync(join(home, TURTLE_FILE));
    const { code, more } = refusalOf(() => planRepair(home, EDITS));
    assert.equal([code, ...more.map((other) => other.code)], ["backup-metadata", "turtle-missing"]);
  }));

for (const name of ["classic-12.0/logged", "classic-3.2.1/deb_logged"])
  test(`${name}: clean logs are no hindrance; without their end they are`, () =>
    withHome(name, (home) => {
      const uri = name.includes("12.0") ? "table:l" : "table:l";
      const edits: RepairEdit[] = [{ edit: "set", uri, key: "app_metadata", value: "x" }];
      planRepair(home, edits);
      const log = name.includes("12.0") ? "WiredTigerLog.0000000001" : "WiredTigerLog.0000000002";
      // The last checkpoint record names the place from which recovery reads: without it commits follow.
      const bytes = readFileSync(join(home, log));
      writeFileSync(join(home, log), bytes.subarray(0, 262_144));
      const { code } = refusalOf(() => planRepair(home, edits));
      assert.ok(code === "log-replay" || code === "log-unreadable", code);
      mkdirSync(join(home, "journal"));
      renameSync(join(home, log), join(home, "journal", log));
      assert.is(refusalOf(() => planRepair(home, edits)).code, code);
    }));

test("a plan is refused twice, in another directory, in another state, or changed by hand", () =>
  withHome(NAME, async (home, folder) => {
    const original = contents(home);
    const plan = planRepair(home, EDITS, { time: 1_900_000_000 });
    const output = join(folder, "copy");
    const altered = (change: (plan: Loose) => void): RepairPlan => {
      const copy = JSON.parse(planText(plan));
      change(copy);
      return parsePlan(JSON.stringify(copy));
    };
    const { metadata } = plan;
    const changes: ReadonlyArray<(plan: Loose) => void> = [
      (it) => (it.metadata.blocks[0].sha256 = "00"),
      (it) => (it.metadata.blocks[0].offset += 4096),
      (it) => it.metadata.extents.after.avail.pop(),
      (it) => (it.turtle.after = it.turtle.after.replace("size=", "size=1")),
      (it) => (it.changes[0].new = "y"),
      (it) => (it.edits[0].value = "y"),
      (it) => (it.options.time += 1),
      (it) => (it.found.rows += 1),
      (it) => (it.afterwards = []),
    ];
    for (const change of changes)
      assertRefused("plan-altered", () => applyRepair(altered(change), { output }));
    assertRefused("plan-other-directory", () =>
      applyRepair(plan, { output, path: join(CORPUS, "classic-12.0/logged") }),
    );
    assertRefused("uri-missing", () =>
      applyRepair(
        altered((it) => (it.edits[0].uri = "table:none")),
        { output },
      ),
    );
    assertRefused("output-exists", () => applyRepair(plan, { output: home }));
    assertRefused("output-exists", () => applyRepair(plan, { output: join(home, "inside") }));
    assert.equal(contents(home), original);
    // The same state at another place is the same.
    const elsewhere = join(folder, "elsewhere");
    cpSync(home, elsewhere, { recursive: true });
    applyRepair(plan, { path: elsewhere, journal: join(folder, "journal") });
    assertRefused("plan-applied", () => applyRepair(plan, { path: elsewhere, output }));
    appendFileSync(join(home, TURTLE_FILE), "Other\nline\n");
    assertRefused("plan-other-directory", () => applyRepair(plan, { output }));
    assert.ok(metadata.blocks.length > 2);
  }));

test("what is no plan is refused", () => {
  const plan = planRepair(join(CORPUS, NAME), EDITS);
  const texts = [
    "",
    "{",
    "null",
    "[]",
    "3",
    "{}",
    ...Object.keys(plan).map((key) =>
      JSON.stringify({ ...plan, [key]: key === "schemaVersion" ? 2 : undefined }),
    ),
  ];
  const needed = ["schemaVersion", "document", "kind", "path", "edits", "options", "turtle"];
  for (const text of texts) {
    const missing = Object.keys(plan).find((key) => text.length > 10 && !(key in JSON.parse(text)));
    if (missing === undefined || needed.includes(missing))
      assertRefused("plan-invalid", () => parsePlan(text));
  }
  for (const odd of [
    { edit: "drop" },
    { edit: "set", uri: 1, key: "a", value: "b" },
    { edit: "remove" },
    { edit: "fix-duplicates", uri: "x" },
    7,
    null,
    { edit: "__proto__" },
  ])
    assertRefused("plan-invalid", () => parsePlan(JSON.stringify({ ...plan, edits: [odd] })));
});

test.run();
