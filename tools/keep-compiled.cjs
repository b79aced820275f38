// `node keep-compiled.cjs PROGRAM [ARGUMENT…]`: runs a program of the bundle, then keeps what it has compiled beside it.
// The program of a thread is run in one, and does nothing there.
"use strict";
const { renameSync, writeFileSync } = require("node:fs");
const { isMainThread, MessageChannel, Worker, workerData } = require("node:worker_threads");

const [program, ...args] = process.argv.slice(2);

function keep() {
  const { script } = require(program);
  const file = program.replace(/\.js$/, ".cache");
  writeFileSync(`${file}.new`, script.createCachedData());
  renameSync(`${file}.new`, file);
}

if (isMainThread && args.length === 0) {
  const { port2 } = new MessageChannel();
  new Worker(__filename, { argv: [program], workerData: port2, transferList: [port2] });
} else if (isMainThread) {
  process.argv = [process.execPath, program, ...args];
  process.on("exit", keep);
  require(program);
} else {
  require(program);
  keep();
  workerData.close();
}
