/** Entries a page service encrypted are shown by their record only; forced generations are checked first. */
import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runProgram } from "../../src/cli/program.js";
import { corpusPath } from "../support/corpus.js";

const test = suite("inspect: sealed entries, forced generations");

const unlimited = (): PassThrough => new PassThrough({ highWaterMark: 2 ** 26 });

async function inspect(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), unlimited(), unlimited()];
  const streams = { stdin, stdout, stderr, env: {} } as never;
  const code = await runProgram(["inspect", ...args], "0.0.0", streams);
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

test("an entry encrypted by the service has no parts", async () => {
  const path = corpusPath("vectors", "page_service.jsonl");
  for (const format of [[], ["--format", "page"]]) {
    const { code, out } = await inspect(path, "--lsn", "7594297933688733708", "--json", ...format);
    assert.is(code, 0);
    const shown = JSON.parse(out);
    assert.is(shown.facts.content, "encrypted by the service");
    assert.is(shown.facts.length, 74);
    assert.equal(shown.parts ?? [], []);
  }
});

test("generations: unknown ones are refused, those of another format too, known ones are forced", async () => {
  const page = [corpusPath("palm", "a_small"), "--table", "41", "--page", "163", "--json"];
  const unknown = await inspect(...page, "--generation", "D9");
  assert.equal([unknown.code, unknown.out], [2, ""]);
  assert.match(unknown.err, /no generation is called "D9"; there are .*D1.*K2/);
  const other = await inspect(...page, "--generation", "K2");
  assert.is(other.code, 2);
  assert.match(other.err, /page has no generation "K2"; it has extended, /);
  const forced = await inspect(...page, "--generation", "D1");
  assert.is(forced.code, 0);
  assert.is(JSON.parse(forced.out).parts[0].generation, "D1");
  const cookies = await inspect(...page, "--generation", "A");
  assert.is.not(cookies.out, (await inspect(...page)).out, "addresses are read otherwise");
});

test.run();
