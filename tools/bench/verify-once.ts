/** Verifies a directory with one thread, twice, and prints what the second time took, as JSON. */
import { verify } from "../../src/verify/index.js";

const folder = process.argv[2] as string;
await verify([folder], { threads: 1 });
const started = performance.now();
const { summary } = await verify([folder], { threads: 1 });
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ pages: summary.pages, seconds }));
