/**
 * Verifies a directory with one thread, again and again until the code is warm, and prints what processor time the last
 * time took, as JSON.
 */
import { verify } from "../../src/verify/index.js";

/** Pages after which nothing gets faster any more. */
const WARM = 400_000;

const folder = process.argv[2] as string;
const once = async (): Promise<{ pages: number; seconds: number }> => {
  const before = process.cpuUsage();
  const { summary } = await verify([folder], { threads: 1 });
  const { user, system } = process.cpuUsage(before);
  return { pages: summary.pages, seconds: (user + system) / 1e6 };
};
let last = await once();
for (let pages = last.pages; pages < WARM; pages += last.pages) last = await once();
process.stdout.write(JSON.stringify(await once()));
