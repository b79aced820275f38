/** Damaged bytes are shown as far as they can be read; they never end `inspect` with an exception. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inspectBytes } from "../../src/cli/inspect/bytes.js";
import { userDataHider } from "../../src/cli/inspect/user-data.js";
import { bytesToHex, seededRandom } from "../../src/codec/index.js";
import { inspectionHtml, inspectionJson, inspectionText } from "../../src/report/inspection.js";
import { openPageLog } from "../../src/store/index.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("inspecting damage");
const request = { format: undefined, read: {}, compressor: undefined, rotnKeyId: 13 };

function recordBytes(store: string, lsn: bigint): Uint8Array {
  const log = openPageLog(corpusPath("palm", store));
  try {
    for (const record of log.records()) if (record.lsn === lsn) return record.data.slice();
    throw new Error(`no record at LSN ${lsn} of ${store}`);
  } finally {
    log.close();
  }
}

const classic = (offset: number): Uint8Array =>
  new Uint8Array(readFileSync(corpusPath("corrupt-classic", "orig", "c.wt")).subarray(offset, offset + 4096));

const samples: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["internal page", classic(4096)],
  ["extent list", classic(12288)],
  ["old delta", recordBytes("a_small", 22n)],
  ["image", recordBytes("a_small", 103n)],
  ["compressed delta", recordBytes("c_compress", 73n)],
  ["encrypted delta", recordBytes("d_encrypt_rotn", 23n)],
  ["turtle page", recordBytes("a_small", 166n)],
];

function show(bytes: Uint8Array): { text: string; json: string; html: string } {
  const parts = inspectBytes(bytes, 0, request);
  const inspection = { input: { path: "x" }, title: "x", facts: {}, tables: [], parts };
  const hide = userDataHider(parts, { keys: false, values: false });
  const masked = { limit: 5, ...(hide && { hide }) };
  return {
    text: inspectionText(inspection, { limit: 5 }),
    json: inspectionJson(inspection, {}),
    html: inspectionHtml(inspection, "0.0.0", masked),
  };
}

for (const [name, bytes] of samples) {
  test(`${name}: whole`, () => {
    const { text, json } = show(bytes);
    assert.ok(text.includes("00000000"));
    assert.not.ok(text.includes("! error"), text);
    assert.is(JSON.parse(json).parts[0].length, bytes.length);
  });

  test(`${name}: changed, cut and lengthened`, () => {
    const random = seededRandom(bytes.length);
    for (let round = 0; round < 60; round++) {
      const damaged = bytes.slice(0, 1 + random.below(bytes.length));
      const copy = round % 3 === 0 ? damaged : bytes.slice();
      for (let flips = random.below(4); flips >= 0; flips--) {
        const at = round % 2 === 0 ? random.below(Math.min(copy.length, 64)) : random.below(copy.length);
        copy[at] = (copy[at] as number) ^ (1 << random.below(8));
      }
      const { text, json, html } = show(copy);
      assert.ok(text.length > 0 && html.length > 0, bytesToHex(copy));
      assert.ok(JSON.parse(json).parts.length > 0);
    }
  });
}

test("bytes of any kind", () => {
  const random = seededRandom(1);
  for (let round = 0; round < 100; round++) show(random.bytes(1 + random.below(200)));
});

test.run();
