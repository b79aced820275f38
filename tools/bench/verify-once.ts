/** Verifies a directory with one thread, twice, and prints what processor time the second time took, as JSON. */
import { verify } from "../../src/verify/index.js";

const folder = process.argv[2] as string;
await verify([folder], { threads: 1 });
const before = process.cpuUsage();
const { summary } = await verify([folder], { threads: 1 });
const { user, system } = process.cpuUsage(before);
const seconds = (user + system) / 1e6;
process.stdout.write(JSON.stringify({ pages: summary.pages, seconds }));
