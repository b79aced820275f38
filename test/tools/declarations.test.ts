/** What a project gets that uses the declarations: the emitted types, outside of Node and with an older library. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { repositoryRoot } from "../support/corpus.js";
import { inTemporaryFolder } from "../support/directories.js";

const test = suite("emitted types");
const dist = join(repositoryRoot, "dist");

/** The files a declaration file imports; packages under their names. */
function imports(file: string): string[] {
  const named = readFileSync(file, "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...named].map(([, name = ""]) =>
    name.startsWith(".") ? join(dirname(file), name.replace(/\.js$/, ".d.ts")) : name,
  );
}

/** Everything that is loaded with a declaration file. */
function reached(entry: string): string[] {
  const files = new Set([entry]);
  for (const file of files)
    if (file.endsWith(".d.ts")) for (const imported of imports(file)) files.add(imported);
  return [...files];
}

test("the declarations of the formats know the codec only", () => {
  const files = reached(join(dist, "formats", "index.d.ts")).map((file) => relative(dist, file));
  assert.ok(files.length > 40);
  assert.equal(
    files.filter((file) => !/^(formats|src\/codec)\//.test(file)),
    [],
  );
});

const CONSUMER = `
import { addressCookie, disaggTurtle, formats, turtleFile } from "pugmark/formats";
import { hexToBytes, struct, u8 } from "pugmark/codec";
const cookie = addressCookie.parse(hexToBytes("00c025808484bd3d981d30"));
export const page: bigint = cookie.pageId;
const turtle = disaggTurtle.parse(hexToBytes(""));
export const lsn: bigint | undefined = turtle.generation === "L0" ? undefined : turtle.keyProvider?.lsn;
export const uri: string = turtle.generation === "L0" ? turtle.uri : turtle.generation;
export const major: number | undefined = turtleFile.parse(hexToBytes("")).version?.major;
export const names: string[] = formats.map(({ name }) => name);
export const own = struct({ first: u8() });
`;

const compilerOptions = {
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  target: "es2022",
  lib: ["es2022"],
  types: [],
  module: "nodenext",
};

test("a project without Node's types, with the library of 2022, compiles against them", () =>
  inTemporaryFolder((project) => {
    mkdirSync(join(project, "node_modules"));
    symlinkSync(repositoryRoot, join(project, "node_modules", "pugmark"));
    writeFileSync(join(project, "package.json"), '{"type":"module"}');
    writeFileSync(join(project, "consumer.ts"), CONSUMER);
    const config = { compilerOptions, files: ["consumer.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    assert.is(compilerOutput(project), "");
  }));

/** What the compiler has to say about a project; nothing when it is content. */
function compilerOutput(project: string): string {
  const tsc = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  return stdout + stderr;
}

test.run();
