import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { crc32cWithZeroedField } from "../../src/codec/index.js";
import { openBlock } from "../../src/store/block.js";
import { openClassicDirectory } from "../../src/store/classic-directory.js";
import { detectInput } from "../../src/store/detect.js";
import { InputError, type InputErrorCode } from "../../src/store/input-error.js";
import { openPageLog } from "../../src/store/open.js";
import { openPalm } from "../../src/store/palm.js";
import type { InputKind } from "../../src/store/types.js";
import { openWtFile } from "../../src/store/wt-file.js";
import { corpusPath, repositoryRoot } from "../support/corpus.js";
import { inTemporaryFolder, snapshot } from "../support/directories.js";

const test = suite("what an input is");
const kindOf = (path: string): InputKind => detectInput(path).kind;
const directoriesIn = (...parts: string[]): string[] =>
  readdirSync(corpusPath(...parts), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => corpusPath(...parts, name));

function refused(code: InputErrorCode, use: () => unknown): string {
  try {
    use();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.is(error.code, code, error.message);
    assert.not.match(error.message, "\n");
    return error.message;
  }
  assert.unreachable(`${code} expected`);
  return "";
}

test("every store of the corpus, healthy or damaged", () => {
  for (const path of [...directoriesIn("palm"), ...directoriesIn("corrupt-palm")])
    assert.is(kindOf(path), "palm", path);
  for (const path of [...directoriesIn("classic-12.0"), ...directoriesIn("classic-3.2.1")])
    assert.is(kindOf(path), "classic-directory", path);
  for (const path of directoriesIn("corrupt-classic")) {
    const home = readdirSync(path).includes("db") ? join(path, "db") : path;
    assert.is(kindOf(home), "classic-directory", home);
    for (const name of readdirSync(home).filter((file) => file.endsWith(".wt"))) {
      const { size } = openClassicDirectory(home).files.find((file) => file.name === name) as {
        size: number;
      };
      if (size > 0) assert.is(kindOf(join(home, name)), "wt-file", join(home, name));
    }
  }
});

test("files by their content, under any name", () => {
  inTemporaryFolder((folder) => {
    const as = (source: string): InputKind => {
      copyFileSync(source, join(folder, "anything"));
      return kindOf(join(folder, "anything"));
    };
    assert.is(as(corpusPath("palm", "a_small", "kv_home", "data.mdb")), "palm");
    assert.is(as(corpusPath("palm", "a_small", "export", "pages.jsonl")), "page-log-jsonl");
    assert.is(as(corpusPath("vectors", "page_service.jsonl")), "page-service-jsonl");
    assert.is(as(corpusPath("vectors", "disagg_delta_chain.log")), "corruption-log");
    assert.is(as(corpusPath("vectors", "mongodb_non_hex.log")), "corruption-log");
    assert.is(as(corpusPath("vectors", "mongodb_valid_page.bin")), "block");
  });
  assert.is(kindOf(corpusPath("palm", "a_small", "export")), "page-log-jsonl");
});

test("damage in an export or a dump of the page service does not hide what it is", () => {
  inTemporaryFolder((folder) => {
    const lone = join(folder, "lone");
    const damages: ReadonlyArray<readonly [string, (bytes: Buffer) => unknown]> = [
      ["512 zeros", (bytes) => bytes.fill(0, bytes.length >> 2, bytes.length >> (2 + 512))],
      ["a zero", (bytes) => bytes.fill(0, 1000, 1001)],
      ["the first byte", (bytes) => bytes.write("X")],
    ];
    for (const [name, damage] of damages) {
      const pages = readFileSync(corpusPath("palm", "a_small", "export", "pages.jsonl"));
      damage(pages);
      writeFileSync(lone, pages);
      writeFileSync(join(folder, "pages.jsonl"), pages);
      assert.equal([kindOf(folder), kindOf(lone)], ["page-log-jsonl", "page-log-jsonl"], name);
      const service = readFileSync(corpusPath("vectors", "page_service.jsonl"));
      const more = Buffer.concat([service, Buffer.from("\n"), service]);
      damage(more);
      writeFileSync(lone, more);
      assert.is(kindOf(lone), "page-service-jsonl", name);
    }
  });
});

test("a directory with an export's files is one, even without records; not where all are empty", () => {
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, "pages.jsonl"), "");
    refused("input-empty", () => detectInput(folder));
    copyFileSync(corpusPath("palm", "a_small", "export", "globals.jsonl"), join(folder, "globals.jsonl"));
    assert.is(kindOf(folder), "page-log-jsonl");
    writeFileSync(join(folder, "pages.jsonl"), "noise\0");
    assert.is(kindOf(folder), "page-log-jsonl");
  });
});

test("a text with fewer lines of a page log than others is none", () => {
  inTemporaryFolder((folder) => {
    const line = '{"table_id": 1, "page_id": 2, "lsn": 3}\n';
    writeFileSync(join(folder, "text"), `some\ntext\n${line}`);
    refused("input-unknown", () => detectInput(join(folder, "text")));
    writeFileSync(join(folder, "text"), `some text\0\n${line}`);
    assert.is(kindOf(join(folder, "text")), "page-log-jsonl");
  });
});

test("a page of the page service is known without any one of its keys; a list alone is none", () => {
  inTemporaryFolder((folder) => {
    const [line = ""] = readFileSync(corpusPath("vectors", "page_service.jsonl"), "utf8").split("\n");
    const write = (text: string): string => {
      writeFileSync(join(folder, "text"), `${text}\n`);
      return join(folder, "text");
    };
    for (const key of ['"page_id"', '"entries"', '"lsn":{', '"entry_type"', '"metadata"']) {
      assert.ok(line.includes(key));
      assert.is(kindOf(write(line.replaceAll(key, key.replace(/[a-z]/, "#")))), "page-service-jsonl", key);
    }
    refused("input-unknown", () => kindOf(write('{"entries":[1,2,3]}')));
  });
});

test("hex text with a flaw is hex text, and the flaw is told", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "hex");
    const hex = readFileSync(corpusPath("vectors", "mongodb_valid_page.bin")).toString("hex");
    for (const [text, reason] of [
      [`${hex}\na`, `half a byte at byte ${hex.length + 2}`],
      [`${hex}\n\f`, `what is at byte ${hex.length + 1} is no hex digit`],
      [`${hex.slice(0, 1000)}x${hex.slice(1000)}`, "what is at byte 1000 is no hex digit"],
    ] as const) {
      writeFileSync(path, text);
      assert.is(kindOf(path), "block");
      assert.throws(
        () => openBlock(path),
        (error: Error) => error.message.endsWith(reason),
      );
    }
    truncateSync(path, 100_000_000);
    assert.throws(() => openBlock(path), /up to 67108864 are read/);
  });
});

test("zeros in the log of a server that died", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "server.log");
    const dump = readFileSync(corpusPath("vectors", "disagg_delta_chain.log"));
    writeFileSync(path, Buffer.concat([dump, new Uint8Array(512)]));
    assert.is(kindOf(path), "corruption-log");
  });
});

test("a page in a line of hundreds of megabytes is known by how it begins", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "pages");
    writeFileSync(path, '{"page_id":5,"entries":[');
    truncateSync(path, 300_000_000);
    assert.throws(() => kindOf(path));
    writeFileSync(path, `{"page_id":5,"entries":[${"1,".repeat(3_000_000)}`);
    assert.is(kindOf(path), "page-service-jsonl");
  });
});

test("a log whose first dump comes late", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "server.log");
    const dump = readFileSync(corpusPath("vectors", "disagg_delta_chain.log"), "utf8");
    writeFileSync(path, `${`{"t":1,"msg":"hello"}\n`.repeat(50_000)}${dump}`);
    assert.equal(
      [kindOf(path), detectInput(path).evidence],
      ["corruption-log", "corruption dump in line 50001"],
    );
  });
});

test("every page of a page log is a block: raw, as hex, and several lines of hex are several", () => {
  inTemporaryFolder((folder) => {
    const store = openPalm(corpusPath("palm", "a_small", "kv_home", "data.mdb"));
    const lines: string[] = [];
    for (const { data } of store.records()) {
      writeFileSync(join(folder, "raw"), data);
      assert.is(kindOf(join(folder, "raw")), "block");
      assert.equal(Buffer.from(openBlock(join(folder, "raw")).blocks[0]?.bytes ?? []), Buffer.from(data));
      lines.push(Buffer.from(data).toString("hex"));
    }
    writeFileSync(join(folder, "hex"), `${lines.join("\n")}\n`);
    assert.is(kindOf(join(folder, "hex")), "block");
    const { blocks, form } = openBlock(join(folder, "hex"));
    assert.is(form, "hex");
    assert.equal(
      blocks.map(({ bytes }) => Buffer.from(bytes).toString("hex")),
      lines,
    );
    assert.is(blocks[1]?.place.line, 2);
    // One block, its bytes spread over lines as a hexdump has them.
    writeFileSync(
      join(folder, "spread"),
      (lines[20] as string).replace(/(..){16}/g, "$&\n").replace(/../g, "$& "),
    );
    const spread = openBlock(join(folder, "spread")).blocks;
    assert.equal(
      spread.map(({ bytes }) => Buffer.from(bytes).toString("hex")),
      [lines[20]],
    );
  });
});

test("standard input", () => {
  const program =
    'import { detectInput, openBlock } from "./src/store/index.js"; const { kind, evidence } = detectInput("-"); console.log(JSON.stringify([kind, evidence, kind === "block" ? openBlock("-").blocks[0].bytes.length : 0]));';
  const run = (input: Buffer) => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...process.execArgv, "--input-type=module", "-e", distProgram(program)],
      { input, cwd: repositoryRoot, encoding: "utf8" },
    );
    assert.ok(stdout !== "", stderr);
    return JSON.parse(stdout) as unknown[];
  };
  const page = readFileSync(corpusPath("vectors", "mongodb_valid_page.bin"));
  assert.equal(run(page), ["block", "sound classic block", 4096]);
  assert.equal(run(Buffer.from(page.toString("hex"))), ["block", "hex text", 4096]);
  assert.equal(run(readFileSync(corpusPath("vectors", "disagg_delta_chain.log")))[0], "corruption-log");
});

/** The program for where this test runs from: its sources under tsx, or dist/. */
const distProgram = (program: string): string =>
  import.meta.url.endsWith(".ts") ? program : program.replace("./src/", "./dist/src/");

test("a kind can be forced; then only the place is looked for", () => {
  const folder = corpusPath("palm", "a_small");
  assert.equal(detectInput(folder, "palm"), {
    kind: "palm",
    path: folder,
    target: corpusPath("palm", "a_small", "kv_home", "data.mdb"),
    evidence: "given",
  });
  assert.match(
    refused("input-unknown", () => openPageLog(corpusPath("vectors", "mongodb_valid_page.bin"), "palm")),
    "not an LMDB environment",
  );
  assert.match(
    refused("input-unknown", () => openPageLog(corpusPath("vectors", "mongodb_valid_page.bin"))),
    "not a page log",
  );
  assert.is(
    refused("input-missing", () => detectInput("/nowhere/at all", "palm")),
    "/nowhere/at all: no such file or directory",
  );
});

test("what cannot be opened has one line and its code", () => {
  inTemporaryFolder((folder) => {
    const path = (name: string): string => join(folder, name);
    assert.match(
      refused("input-missing", () => detectInput(path("nothing"))),
      "no such file or directory",
    );
    writeFileSync(path("empty"), "");
    assert.match(
      refused("input-empty", () => detectInput(path("empty"))),
      "empty file",
    );
    mkdirSync(path("folder"));
    assert.match(
      refused("input-unknown", () => detectInput(path("folder"))),
      "nothing known in it",
    );
    writeFileSync(path("text"), "just some text\n");
    writeFileSync(path("json"), '{"a": 1}\n');
    writeFileSync(
      path("noise"),
      Buffer.from(Array.from({ length: 8192 }, (_, i) => (i * i * 31 + i) & 0xff)),
    );
    for (const name of ["text", "json", "noise"]) refused("input-unknown", () => detectInput(path(name)));
    mkdirSync(path("kv_home"));
    writeFileSync(path("kv_home/data.mdb"), Buffer.alloc(8192, 1));
    assert.match(
      refused("input-unknown", () => detectInput(folder)),
      "not an LMDB environment",
    );
    refused("input-unreadable", () => detectInput("/dev/null"));
  });
});

test("a description block of a newer version is unsupported, a damaged one is damage", () => {
  inTemporaryFolder((folder) => {
    const path = join(folder, "newer.wt");
    const bytes = readFileSync(corpusPath("corrupt-classic", "desc_magic", "db", "c.wt"));
    const sound = openWtFile(corpusPath("corrupt-classic", "leaf_body", "db", "c.wt"));
    sound.file.close();
    assert.equal([sound.allocationSize, sound.issues], [4096, []]);
    const damaged = openWtFile(corpusPath("corrupt-classic", "desc_version", "db", "c.wt"));
    damaged.file.close();
    assert.is(damaged.allocationSize, undefined);
    assert.ok(damaged.issues.some(({ code }) => code === "checksum"));
    const start = bytes.subarray(0, 4096);
    readFileSync(corpusPath("corrupt-classic", "leaf_body", "db", "c.wt")).copy(start, 0, 0, 4096);
    start.writeUInt16LE(2, 4);
    start.writeUInt32LE(crc32cWithZeroedField(start, 0, 4096, 8), 8);
    writeFileSync(path, bytes);
    assert.match(
      refused("input-unsupported", () => openWtFile(path)),
      "version 2.0",
    );
  });
});

test("a classic home is listed by what its files are for, and left alone", () => {
  const home = corpusPath("classic-12.0", "logged");
  const before = snapshot(home);
  const { files } = openClassicDirectory(home);
  const roles = new Map(files.map(({ name, role }) => [name, role]));
  assert.is(roles.get("WiredTiger.turtle"), "turtle");
  assert.is(roles.get("WiredTiger.wt"), "metadata");
  assert.is(roles.get("WiredTigerHS.wt"), "history");
  assert.ok([...roles.values()].includes("log"));
  assert.ok([...roles.values()].includes("table"));
  assert.equal(snapshot(home), before);
});

test.run();
