/** The verifier's front door: finds out what each input is and leads the right checks through it. */
import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { installNodeAccelerators } from "../platform/node.js";
import { type DetectedInput, detectInputs } from "../store/detect.js";
import { InputError, inputErrorOf } from "../store/input-error.js";
import type { ForcedGenerations } from "./generation.js";
import { Detected, Run } from "./run.js";
import type { VerifyOptions, VerifyReport } from "./types.js";

/**
 * Verifies inputs of any kind, one after the other. Damage becomes findings; it never stops the scan. Of several
 * inputs, one that cannot be opened or is nothing known becomes a finding, too.
 * @throws InputError for a single input that cannot be opened at all, or is nothing known.
 * @throws RangeError for a generation no format has.
 */
export async function verify(paths: readonly string[], options: VerifyOptions = {}): Promise<VerifyReport> {
  installNodeAccelerators();
  const forced = await forcedOf(options.generation);
  const inputs = paths.flatMap((path) => inputsAt(path, options.kind));
  const found = inputs.filter((input): input is DetectedInput => !(input instanceof InputError));
  const run = new Run(
    options,
    found.reduce((sum, { target }) => sum + sizeOf(target), 0),
    forced,
  );
  for (const input of inputs) {
    const { path } = input;
    const error =
      input instanceof InputError
        ? input
        : await verifyInput(input, run).catch((thrown: unknown) => inputErrorOf(path, thrown));
    if (error === undefined) continue;
    if (inputs.length === 1) throw error;
    run.addUnopened(path, error);
  }
  return run.report();
}

async function forcedOf(generation: string | undefined): Promise<ForcedGenerations> {
  if (generation === undefined) return {};
  const { forcedGenerations, unknownGeneration } = await import("./generation.js");
  const forced = forcedGenerations(generation);
  if (forced === undefined) throw new RangeError(unknownGeneration(generation));
  return forced;
}

function inputsAt(path: string, kind: VerifyOptions["kind"]): Array<DetectedInput | InputError> {
  try {
    return detectInputs(path, kind);
  } catch (error) {
    const reason = inputErrorOf(path, error);
    return [reason.path === path ? reason : new InputError(reason.code, path, reason.message)];
  }
}

/** Bytes of a file, or of the files of a directory; only for progress. */
function sizeOf(target: string): number {
  const stat = statOf(target);
  if (stat?.isDirectory() !== true) return stat?.size ?? 0;
  return readdirSync(target).reduce((sum, name) => sum + (statOf(join(target, name))?.size ?? 0), 0);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Only the code for the kind at hand is loaded: starting is felt. */
async function verifyInput(input: DetectedInput, run: Run): Promise<void> {
  const { kind, path, target } = input;
  const detected = new Detected(path, kind);
  run.addInput(detected);
  switch (kind) {
    case "classic-directory": {
      const { DirectoryVerifier } = await import("./classic/directory.js");
      new DirectoryVerifier(target, run, detected).verify();
      break;
    }
    case "wt-file": {
      const [{ openWtFile }, { verifyLoneFile }] = await Promise.all([
        import("../store/wt-file.js"),
        import("./classic/lone-file.js"),
      ]);
      // Refuses a sound file of a newer version, which is no damage.
      openWtFile(target).file.close();
      verifyLoneFile(target, run, detected);
      break;
    }
    case "block": {
      const { verifyBlockFile } = await import("./lone/blocks.js");
      verifyBlockFile(target, run, detected);
      break;
    }
    case "corruption-log": {
      const { verifyCorruptionLog } = await import("./lone/blocks.js");
      verifyCorruptionLog(target, run, detected);
      break;
    }
    default:
      await verifyStore(input, run, detected);
  }
}

async function verifyStore(input: DetectedInput, run: Run, detected: Detected): Promise<void> {
  const [{ openDetectedPageLog }, { verifyPageLog }] = await Promise.all([
    import("../store/open.js"),
    import("./page-log/verify.js"),
  ]);
  const store = openDetectedPageLog(input);
  try {
    verifyPageLog(store, run, detected);
  } finally {
    store.close();
  }
}
