/** Every edit on homes of both engines: what is planned is what is found afterwards, and nothing else has changed. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { configGetText, parseConfig } from "../../src/codec/index.js";
import { parseEdits } from "../../src/repair/edit-text.js";
import {
  applyRepair,
  planRepair,
  type RepairEdit,
  type RepairOptions,
  type RepairPlan,
  verifyRepair,
} from "../../src/repair/index.js";
import { openDatabase } from "../../src/tree/index.js";
import { snapshot } from "../support/directories.js";
import { forgeDuplicate } from "./forge.js";
import { assertRefused, CORPUS, rowsIn, withFolder, withHome } from "./homes.js";

const NEW = "classic-12.0/basic";
const OLD = "classic-3.2.1/deb_basic";
const idIn = (home: string, uri: string): string | undefined =>
  configGetText(parseConfig(rowsIn(home).get(uri) ?? ""), ["id"]);

/** Plans and makes a repaired copy; everything about it is checked and the source was not touched. */
async function repaired(
  home: string,
  edits: readonly RepairEdit[],
  use: (copy: string, plan: RepairPlan) => void | Promise<void> = () => {},
  options: RepairOptions = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const before = snapshot(home);
    const plan = planRepair(home, edits, { time: 1_900_000_000, ...options });
    const copy = join(folder, "copy");
    assert.is(applyRepair(plan, { output: copy }).path, copy);
    const { ok, checks, findings } = await verifyRepair(copy, { plan, engine: false });
    assert.ok(ok, JSON.stringify([checks.filter(({ state }) => state === "failed"), findings]));
    await use(copy, plan);
    assert.equal(snapshot(home), before);
  });
}

const words = (text: string): RepairEdit[] => parseEdits(text.split(" "));
const test = suite("repair: edits");

for (const name of [NEW, OLD]) {
  const home = join(CORPUS, name);

  test(`${name}: a key is set, also a nested one, also several at once`, () =>
    repaired(
      home,
      words(
        "set file:row.wt app_metadata=(a=1,b=2) + set file:row.wt log.enabled=false + set table:row app_metadata=x",
      ),
      (copy, plan) => {
        const row = parseConfig(rowsIn(copy).get("file:row.wt") as string);
        assert.is(configGetText(row, ["log", "enabled"]), "false");
        assert.is(configGetText(row, ["app_metadata", "b"]), "2");
        assert.is(plan.changes.length, 3);
        assert.is(plan.changes[1]?.old, "true");
      },
    ));

  test(`${name}: a table gets the next id, above all others`, () =>
    repaired(home, words("change-id file:row.wt"), (copy, plan) => {
      const highest = BigInt(plan.found.highestId);
      const expected = name === NEW ? ((highest >> 3n) + 1n) << 3n : highest + 1n;
      assert.is(idIn(copy, "file:row.wt"), String(expected));
    }));

  test(`${name}: an empty table is made`, () =>
    repaired(
      home,
      [
        {
          edit: "create-table",
          name: "made",
          config: "key_format=i,value_format=SS,columns=(k,a,b),leaf_page_max=8KB",
        },
      ],
      (copy) => {
        const database = openDatabase(copy);
        try {
          const { info } = database.table("table:made");
          assert.is(info.keyFormat, "i");
          assert.equal([...database.table("table:made").rows()], []);
          assert.equal(database.problems, []);
        } finally {
          database.close();
        }
      },
    ));

  test(`${name}: a filled table has the rows of another one`, () =>
    withFolder(async (folder) => {
      const rows = dumpOf(home, "table:row");
      writeFileSync(join(folder, "rows"), rows);
      const edit: RepairEdit = {
        edit: "create-table",
        name: "made",
        config: "key_format=S,value_format=S,leaf_page_max=4KB",
        rows: join(folder, "rows"),
      };
      await repaired(home, [edit], (copy) => {
        assert.is(dumpOf(copy, "table:made"), rows);
        assert.is(dumpOf(copy, "table:row"), rows);
      });
    }));

  test(`${name}: a table's rows are taken out together, and put back`, () =>
    repaired(
      home,
      words("remove table:row + remove colgroup:row + remove file:row.wt"),
      async (copy, plan) => {
        assert.not(rowsIn(copy).has("table:row"));
        assert.ok(plan.afterwards.some((text) => text.includes("row.wt stays")));
        const before = rowsIn(home);
        const id = BigInt(
          planRepair(copy, [{ edit: "create-table", name: "q", config: "" }]).found.highestId,
        );
        const next = name === NEW ? ((id >> 3n) + 1n) << 3n : id + 1n;
        const config = (before.get("file:row.wt") as string).replace(/,id=\d+,/, `,id=${next},`);
        const insert = (uri: string): RepairEdit => ({
          edit: "insert",
          uri,
          config: uri === "file:row.wt" ? config : (before.get(uri) as string),
        });
        await repaired(copy, ["file:row.wt", "colgroup:row", "table:row"].map(insert), (back) =>
          assert.is(dumpOf(back, "table:row"), dumpOf(home, "table:row")),
        );
      },
    ));

  test(`${name}: colliding ids: all but the largest file get another one`, () =>
    withHome(name, (copy) => {
      const id = idIn(copy, "file:row.wt") as string;
      forgeDuplicate(copy, "file:empty.wt", id);
      forgeDuplicate(copy, "file:ovfl.wt", id);
      return repaired(copy, [{ edit: "fix-duplicates" }], (fixed, plan) => {
        assert.equal(plan.found.duplicateIds, [
          { id, uris: ["file:empty.wt", "file:ovfl.wt", "file:row.wt"] },
        ]);
        assert.is(plan.changes.length, 2);
        assert.ok(plan.changes.every(({ why }) => why?.includes("the largest file")));
        assert.is(new Set(["empty", "ovfl", "row"].map((table) => idIn(fixed, `file:${table}.wt`))).size, 3);
      });
    }));

  test(`${name}: wrong sizes of checkpoints are found and set right`, () =>
    withHome(name, async (copy) => {
      assertRefused("nothing-to-do", () => planRepair(copy, [{ edit: "fix-checkpoint-size" }]));
      const before = rowsIn(copy);
      const last = /WiredTigerCheckpoint\.\d+/.exec(before.get("file:row.wt") as string)?.[0];
      await repaired(copy, words(`set file:row.wt checkpoint.${last}.size=1`), (wrong) =>
        repaired(wrong, [{ edit: "fix-checkpoint-size" }], (fixed, plan) => {
          assert.equal(rowsIn(fixed), before);
          assert.equal(
            plan.changes.map(({ key, old }) => [key, old]),
            [[`checkpoint.${last}.size`, "1"]],
          );
        }),
      );
    }));
}

function dumpOf(home: string, name: string): string {
  const database = openDatabase(home);
  try {
    let text = "";
    for (const { key, value } of database.table(name).rows())
      text += `${Buffer.from(key as Uint8Array).toString("hex")}\n${Buffer.from(value).toString("hex")}\n`;
    return text;
  } finally {
    database.close();
  }
}

test("a file of rows that the table cannot hold is refused with its line", () =>
  withFolder((folder) => {
    const path = join(folder, "rows");
    const plan = (text: string, config = "key_format=S,value_format=S"): unknown => {
      writeFileSync(path, text);
      return planRepair(join(CORPUS, OLD), [{ edit: "create-table", name: "made", config, rows: path }]);
    };
    for (const [text, config] of [
      ["6b00\n7600\n6b00\n7600\n"],
      ["6b00\n"],
      ["6b0\n7600\n"],
      ["k\nv\n"],
      ["6b\n7600\n"],
      ["6b00\n7600\n", "key_format=i,value_format=S"],
      ["Format=print\nData\n6b00\n7600\n"],
    ] as const)
      assertRefused("rows-invalid", () => plan(text, config));
    plan("WiredTiger Dump\nFormat=hex\nHeader\ntable:x\nData\n6c00\n7600\n6b00\n7600\n");
  }));

test("older values under an id are not given up without being told to", () =>
  withHome("classic-12.0/ts_hs", async (home) => {
    const uri = "file:t_row.wt";
    assertRefused("history-records", () => planRepair(home, [{ edit: "change-id", uri, id: "auto" }]));
    // What it would cost: rows at an earlier timestamp.
    const rowsAt = (path: string, timestamp: bigint): number => {
      const database = openDatabase(path);
      try {
        return [...database.table(uri).rows({ timestamp })].length;
      } finally {
        database.close();
      }
    };
    const stamps = [5n, 10n, 20n, 30n, 50n, 100n, 200n];
    const before = stamps.map((stamp) => rowsAt(home, stamp));
    await repaired(
      home,
      [{ edit: "change-id", uri, id: "auto" }],
      (copy, plan) => {
        const after = stamps.map((stamp) => rowsAt(copy, stamp));
        assert.ok(
          after.some((count, i) => count < (before[i] as number)),
          `${before} ${after}`,
        );
        assert.ok(plan.afterwards.some((text) => text.includes("older values under id")));
      },
      { dropHistory: true },
    );
    forgeDuplicate(home, "file:t_trunc.wt", idIn(home, uri) as string);
    assertRefused("history-records", () => planRepair(home, [{ edit: "fix-duplicates" }]));
    await repaired(
      home,
      [{ edit: "fix-duplicates" }],
      (_, plan) =>
        assert.equal(
          plan.changes.map((change) => change.uri),
          [uri, "file:t_trunc.wt"],
        ),
      { dropHistory: true },
    );
  }));

const refusedEdits: ReadonlyArray<readonly [string, Parameters<typeof assertRefused>[0]]> = [
  ["set file:none.wt a=1", "uri-missing"],
  ["set file:WiredTiger.wt app_metadata=1", "uri-missing"],
  ["set file:row.wt id=7", "key-guarded"],
  ["set file:row.wt nothing=7", "key-missing"],
  ["set file:row.wt log.nothing=7", "key-missing"],
  ["set file:row.wt app_metadata=(a", "value-invalid"],
  ["set file:row.wt app_metadata=a,b=c", "value-invalid"],
  ["set file:row.wt allocation_size=many", "value-invalid"],
  ["change-id table:row", "uri-invalid"],
  ["change-id file:WiredTigerHS.wt", "uri-invalid"],
  ["change-id file:row.wt 24", "id-used"],
  ["change-id file:row.wt 0", "id-invalid"],
  ["change-id file:row.wt x", "id-invalid"],
  ["change-id file:row.wt 4294967296", "id-invalid"],
  ["change-id file:row.wt 8001", "id-namespace"],
  ["change-id file:row.wt 8005", "id-namespace"],
  ["remove file:row.wt", "references-broken"],
  ["remove table:row", "references-broken"],
  ["remove file:WiredTigerHS.wt", "uri-invalid"],
  ["remove table:none", "uri-missing"],
  ["insert table:row a=1", "uri-exists"],
  ["insert nothing:row a=1", "uri-invalid"],
  ["insert file:none.wt id=8000", "file-missing"],
  ["insert table:orphan key_format=S", "references-broken"],
  ["create-table row --config key_format=S", "uri-exists"],
  ["create-table ../row --config key_format=S", "uri-invalid"],
  ["create-table WiredTigerX --config key_format=S", "uri-invalid"],
  ["create-table x --config key_format=r", "table-unsupported"],
  ["create-table x --config value_format=8t", "table-unsupported"],
  ["create-table x --config key_format=%", "value-invalid"],
  ["create-table x --config id=7", "config-unknown"],
  ["create-table x --config bogus=7", "config-unknown"],
  ["create-table x --config leaf_page_max=1000", "value-invalid"],
  ["fix duplicates", "nothing-to-do"],
  ["fix checkpoint-size", "nothing-to-do"],
  ["set table:row app_metadata=", "nothing-to-do"],
];
for (const [text, code] of refusedEdits)
  test(`refused: ${text}`, () => assertRefused(code, () => planRepair(join(CORPUS, NEW), words(text))));

test("a free id below the highest one is refused: an earlier table may have had it", () =>
  withHome(NEW, (home) => {
    const highest = BigInt(planRepair(home, words("set table:row app_metadata=1")).found.highestId);
    const gone = ((highest >> 3n) + 20n) << 3n;
    const plan = planRepair(home, [{ edit: "change-id", uri: "file:row.wt", id: String(gone) }]);
    applyRepair(plan, { journal: `${home}.journal` });
    assertRefused("id-below-highest", () =>
      planRepair(home, [{ edit: "change-id", uri: "file:row.wt", id: String(gone - 8n) }]),
    );
  }));

test("a file that is in the way is not written over", () =>
  withHome(NEW, (home) => {
    writeFileSync(join(home, "made.wt"), "someone's");
    assertRefused("file-exists", () =>
      planRepair(home, [{ edit: "create-table", name: "made", config: "" }]),
    );
    assert.is(readFileSync(join(home, "made.wt"), "utf8"), "someone's");
    rmSync(join(home, "made.wt"));
    planRepair(home, [{ edit: "create-table", name: "made", config: "" }]);
  }));

test("words that are no edits are told", () => {
  for (const text of [
    "",
    "set",
    "set a b",
    "set a =b",
    "change-id",
    "fix",
    "fix all",
    "drop x",
    "create-table",
    "create-table a b",
    "create-table a --config",
    "remove --force",
    "set a b=c +",
    "create-table a --confg b",
  ])
    assert.throws(
      () => words(text),
      (error: unknown) => error instanceof Error && error.message.length > 5,
      text,
    );
  assert.equal(
    parseEdits(["set", "a", "b=c=d", "+", "create-table", "table:x", "--config=k=v", "--rows", "f"]),
    [
      { edit: "set", uri: "a", key: "b", value: "c=d" },
      { edit: "create-table", name: "x", config: "k=v", rows: "f" },
    ],
  );
});

test.run();
