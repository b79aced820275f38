/** The process of one test file: `node child.js FILE-URL`. Reports by the lines of ./protocol.ts. */
import { register } from "node:module";
import { extname } from "node:path";

const extension = extname(import.meta.url);
const watchedUvu = new URL(`./watched-uvu${extension}`, import.meta.url).href;
register(`./hooks${extension}`, import.meta.url, { data: { watchedUvu } });

// uvu starts by a timer of its own unless told that somebody else will: suites of a file that awaits
// between two .run() calls would otherwise be lost.
Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [[null]], UVU_INDEX: 0 });

const file = process.argv[2];
if (file === undefined) throw new Error("usage: child FILE-URL");
const { recorder, exec } = (await import(watchedUvu)) as typeof import("./watched-uvu.js");
await import(file);
// It rejects when an after() hook throws, which the recorder has reported; the suites left are then failures.
await exec().catch(() => {
  process.exitCode = 1;
});
recorder.finish();
