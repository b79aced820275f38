/** Key blobs reach no output, wherever a key page turns up and however it is damaged or asked for. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cryptPage } from "../../formats/crypt-page.js";
import { formats } from "../../formats/index.js";
import { runProgram } from "../../src/cli/program.js";
import { bytesToHex } from "../../src/codec/index.js";

const test = suite("key blobs in output");
const folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
const file = join(folder, "page");
test.after(() => rmSync(folder, { recursive: true }));

/** Bytes that come up nowhere else. */
const blob = Uint8Array.from({ length: 80 }, (_, i) => 0xa0 ^ ((i * 37) & 0xff));
const built = cryptPage.generations.map((generation) => ({
  generation,
  bytes: cryptPage.build({ generation, blob, ...(generation.startsWith("K1") && { flags: 0 }) } as never),
}));
/** With what a page log's block has where the blob is. */
const likeBlock = (() => {
  const like = blob.slice();
  like.set([0xdb, 1, 1, 44], 12);
  return { generation: "K2", bytes: cryptPage.build({ generation: "K2", blob: like } as never) };
})();

const unlimited = (): PassThrough => new PassThrough({ highWaterMark: 2 ** 26 });

async function outputOf(...args: string[]): Promise<{ code: number; text: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), unlimited(), unlimited()];
  const code = await runProgram(args, "0.0.0", { stdin, stdout, stderr, env: {} } as never);
  return { code, text: `${stdout.read() ?? ""}${stderr.read() ?? ""}` };
}

/** Any three bytes of the blob in a row, as hex, and any four as a number. */
function leak(text: string, secret: Uint8Array): string | undefined {
  const flat = text.toLowerCase();
  for (let at = 0; at + 4 <= secret.length; at++) {
    const part = secret.subarray(at, at + 4);
    const hex = bytesToHex(part);
    const view = new DataView(part.buffer, part.byteOffset, 4);
    const little = view.getUint32(0, true);
    const forms = [
      hex.slice(0, 6),
      (hex.slice(0, 6).match(/../g) as string[]).join(" "),
      String(little),
      `0x${little.toString(16).padStart(8, "0")}`,
      [...part].join(","),
    ];
    const found = forms.find((form) => flat.includes(form));
    if (found !== undefined) return `byte ${at} of the blob as ${found}`;
  }
  return undefined;
}

const strayed = (bytes: Uint8Array, count: number): Uint8Array =>
  Uint8Array.from([...new Uint8Array(count).fill(0x31), ...bytes]);
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 0x10;
  return copy;
}

function* damaged(bytes: Uint8Array): Generator<readonly [string, Uint8Array]> {
  yield ["sound", bytes];
  for (const count of [1, 13]) yield [`${count} bytes in front`, strayed(bytes, count)];
  for (const at of [0, 4, 5, 6, 8, 13]) yield [`byte ${at} changed`, flipped(bytes, at)];
}

const inspections: readonly (readonly string[])[] = [
  [],
  ["--json"],
  ["--html", "-u"],
  ["--show", "bytes", "--rows", "0", "-u"],
  ["--format", "page"],
  ["--format", "config"],
  ["--offset", "18"],
  ["--offset", "1", "--length", "60"],
  ["--format", "page", "--offset", "20"],
  ["--kind", "block", "--format", "log-record"],
  ...cryptPage.generations.map((generation) => ["--generation", generation, "--rows", "0"]),
];

for (const { generation, bytes } of [...built, likeBlock])
  test(`${generation}: inspect and verify`, async () => {
    for (const [what, page] of damaged(bytes)) {
      writeFileSync(file, bytesToHex(page));
      const raw = join(folder, "raw");
      writeFileSync(raw, page);
      const runs = [
        ...inspections.flatMap((args) => [
          ["inspect", file, ...args],
          ["inspect", raw, ...args],
        ]),
        ["verify", file, "--json"],
        ["verify", raw, "--kind", "block", "--json"],
        ...cryptPage.generations.map((name) => ["verify", file, "--json", "--generation", name]),
      ];
      for (const args of runs) {
        const { code, text } = await outputOf(...args);
        const secret = generation === "K2" && page.includes(0xdb) ? blob.subarray(0, 12) : blob;
        const found = leak(text, bytes === likeBlock.bytes ? secret : blob);
        assert.is(found, undefined, `${what}: ${args.join(" ")}: ${found}\n${text}`);
        assert.is.not(code, 5, `${what}: ${args.join(" ")}: ${text}`);
      }
    }
  });

test("decode, in every format, strict and lenient", async () => {
  for (const { generation, bytes } of built)
    for (const page of [bytes, strayed(bytes, 1), flipped(bytes, 12)])
      for (const { name } of formats) {
        for (const args of [[], ["--lenient"]]) {
          const { text } = await outputOf("decode", name, bytesToHex(page), ...args);
          const found = leak(text, blob);
          assert.is(found, undefined, `${generation} as ${name}: ${found}\n${text}`);
        }
      }
  for (const { bytes } of built)
    for (const generation of cryptPage.generations) {
      const { text } = await outputOf(
        "decode",
        "crypt-page",
        bytesToHex(bytes),
        "--lenient",
        "--generation",
        generation,
      );
      assert.is(leak(text, blob), undefined, text);
    }
});

test("a key page that is asked for otherwise is said to be one", async () => {
  const page = bytesToHex(strayed(built[1]!.bytes, 1));
  const { code, text } = await outputOf("decode", "page", page);
  assert.is(code, 1);
  assert.is(JSON.parse(text).error.code, "key-page");
  writeFileSync(file, page);
  assert.match((await outputOf("inspect", file)).text, /Key-provider page/);
  const inside = await outputOf("inspect", file, "--offset", "20");
  assert.is(inside.code, 2);
  assert.match(inside.text, /^.*a key provider's page begins at 1, .*$/m);
});

test.run();
