#!/usr/bin/env node
import { EXIT } from "./exit.js";
import { reportBug, runProgram } from "./program.js";
import { Terminal } from "./terminal.js";
import { packageVersion } from "./version.js";

const { stdin, stdout, stderr, env } = process;
const streams = { stdin, stdout, stderr, env };

// A reader that went away (`pugmark … | head`) is no news, but the output is not whole: an I/O failure.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") stderr.write(`pugmark: output: ${error.message}\n`);
  process.exit(EXIT.usage);
});
stderr.on("error", () => process.exit(EXIT.usage));
process.on("uncaughtException", (error) => {
  process.exit(reportBug(error, new Terminal(streams), env));
});

// Not awaited at the top: programs of one file know no such thing.
runProgram(process.argv.slice(2), packageVersion(), streams).then((code) => {
  process.exitCode = code;
});
