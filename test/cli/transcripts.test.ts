/** Every golden transcript against the command line; UPDATE_TRANSCRIPTS=1 writes them anew. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { repositoryRoot } from "../support/corpus.js";
import { parseTranscript, runStep, writeTranscript } from "./transcript.js";

const folder = join(repositoryRoot, "test", "cli", "transcripts");
const updates = Boolean(process.env.UPDATE_TRANSCRIPTS);
const test = suite("command line transcripts");

const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));
test("there are transcripts", () => {
  assert.ok(files.length >= 6);
});

for (const name of files.sort()) {
  const file = join(folder, name);
  const steps = parseTranscript(
    updates ? withOutputs(readFileSync(file, "utf8")) : readFileSync(file, "utf8"),
  );
  if (updates)
    writeFileSync(file, writeTranscript(steps.map((step) => ({ ...step, output: runStep(step.command) }))));
  else
    for (const { command, output } of steps)
      test(`${name}: ${command}`, () => {
        assert.fixture(runStep(command).join("\n"), output.join("\n"));
      });
  test(`${name} holds commands`, () => {
    assert.ok(steps.length > 0);
  });
}

/** New commands need no output yet. */
function withOutputs(text: string): string {
  const lines = text.split("\n");
  return lines
    .flatMap((line, index) => {
      const bare = line.startsWith("$ ") && /^(|\$ .*|# .*)$/.test(lines[index + 1] ?? "");
      return bare ? [line, "[exit 0]"] : [line];
    })
    .join("\n");
}

test.run();
