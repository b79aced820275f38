/** The verifier's front door: finds out what each input is and leads the right checks through it. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { installNodeAccelerators } from "../platform/node.js";
import { openPalm } from "../store/palm.js";
import { DirectoryVerifier } from "./classic/directory.js";
import { verifyLoneFile } from "./classic/lone-file.js";
import { verifyPageLog } from "./page-log/verify.js";
import { Detected, Run } from "./run.js";
import type { VerifyOptions, VerifyReport } from "./types.js";

export async function verify(paths: readonly string[], options: VerifyOptions = {}): Promise<VerifyReport> {
  installNodeAccelerators();
  const run = new Run(options, 0);
  for (const path of paths) {
    if (statSync(path).isFile() && path.endsWith(".wt")) {
      const d = new Detected(path, "wt-file");
      verifyLoneFile(path, run, d);
      run.addInput(d);
      continue;
    }
    const mdb = [path, join(path, "data.mdb"), join(path, "kv_home/data.mdb")].find(
      (p) => existsSync(p) && statSync(p).isFile(),
    );
    if (mdb) {
      const d = new Detected(path, "palm");
      verifyPageLog(openPalm(mdb), run, d);
      run.addInput(d);
      continue;
    }
    const d = new Detected(path, "classic-directory");
    new DirectoryVerifier(path, run, d).verify();
    run.addInput(d);
  }
  return run.report();
}
