import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type PaliteLayout, paliteRow, paliteSchemas } from "../../formats/palite.js";
import { inTemporaryFolder } from "../support/directories.js";
import { insertPage, withDatabase } from "../support/palite-files.js";

const test = suite("PALite rows");

const place = { tableId: 9n, pageId: -2n, lsn: 4294967297n };
const links = { backlinkLsn: 0n, baseLsn: 1n };
const rest = { timestampMaterializedUs: 1795245516544823n, data: Uint8Array.of(0, 255, 1) };
/** Serial types SQLite chooses for these values. */
const placeTypes = { tableIdType: 1, pageIdType: 1, lsnType: 5 };
const linkTypes = { backlinkLsnType: 8, baseLsnType: 9 };
const restTypes = { timestampMaterializedUsType: 6, dataType: 18 };
const encryption = { encryption: new TextEncoder().encode("a test key") };
const layouts: Record<PaliteLayout, [generation: keyof typeof paliteRow.variants, own: object]> = {
  P0: ["P0", { isDelta: 1n, isDeltaType: 9, ...encryption, encryptionType: 33 }],
  P1: ["P1", { delta: 1n, deltaType: 9, ...encryption, encryptionType: 33 }],
  P2: ["P2", { ...encryption, encryptionType: 33 }],
  P3: ["P4", {}],
  P4: ["P4", {}],
};

for (const [layout, [generation, own]] of Object.entries(layouts))
  test(`${layout}: what is built stands in the file SQLite writes, and reads back`, () => {
    const row = {
      ...{ ...place, ...links, flags: 65538n, ...rest },
      ...{ ...placeTypes, ...linkTypes, flagsType: 3, ...restTypes },
      ...own,
    };
    const built = paliteRow.build({ generation, ...row });
    inTemporaryFolder((folder) => {
      const path = join(folder, "pages.db");
      withDatabase(path, (db) => {
        for (const sql of paliteSchemas[layout as PaliteLayout].pages) db.exec(sql);
        insertPage(db, layout as PaliteLayout, { ...place, ...links, flags: 65538, data: rest.data });
      });
      assert.ok(readFileSync(path).includes(Buffer.from(built)), Buffer.from(built).toString("hex"));
    });
    const read = paliteRow.parse(built);
    assert.is(read.generation, generation);
    assert.equal(Buffer.from(paliteRow.build(read)), Buffer.from(built));
    const json = paliteRow.toJson(read) as Record<string, unknown>;
    assert.is(json.pageId, "-2");
    assert.is(json.data, "00ff01");
  });

test.run();
