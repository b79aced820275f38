/**
 * Executions per second: jsfuzz as campaigns run it, one target after the other, against jsfuzz with an empty target
 * that is not instrumented, on changed copies of the same inputs. Both loops are started; then one is stopped while the other
 * runs, in turn, so that a slow moment of the machine meets both. What they have run is counted where jsfuzz sends it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { builtFile, instrumentedBundle, jsfuzzProgram } from "../../fuzz/campaign/bundle.js";
import { SEED_VARIABLE, SETTINGS_VARIABLE, type TargetSettings } from "../../fuzz/campaign/settings.js";
import { corpusSeeds } from "../../fuzz/corpus.js";
import { targets } from "../../fuzz/targets/index.js";
import { type Bench, type BenchOptions, median, type Result, write } from "./bench.js";
import { ofSize, type SizedInputs } from "./fuzz-inputs.js";
import { documentTables, fuzzTables } from "./fuzz-tables.js";

/** Until the code of a loop is compiled, milliseconds. */
const WARM_UP = 2000;
/** One turn of one loop, milliseconds. */
const TURN = 300;
const START_SECONDS = 60;
const SEED = 1;

export const fuzzBench: Bench = {
  name: "fuzz",
  title: "executions per second of every target against jsfuzz with an empty target, same inputs, in turn",
  peer: "empty target",
  tables: fuzzTables,
  document: (tables) =>
    documentTables(
      tables,
      targets.map(({ name }) => name),
    ),
  async run(options) {
    const { version } = createRequire(import.meta.url)("jsfuzz/package.json") as { version: string };
    write(
      `jsfuzz ${version}; ${options.pairs} turns of ${TURN} ms each, medians; /s = executions per second`,
    );
    const folder = mkdtempSync(join(tmpdir(), "pugmark-bench-"));
    endWithUs(folder);
    const bundle = instrumentedBundle();
    const results: Result[] = [];
    try {
      for (const { name, seeds } of targets)
        if (matches(options, name))
          results.push(
            await measure({ what: name, target: name, inputs: [...seeds(), ...corpusSeeds(name)] }),
          );
      for (const sized of ofSize()) if (matches(options, sized.what)) results.push(await measure(sized));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return results;

    async function measure({ what, target, inputs }: SizedInputs): Promise<Result> {
      const own = mkdtempSync(join(folder, "target-"));
      writeFileSync(join(own, "empty.cjs"), "exports.fuzz = () => {};\n");
      writeFileSync(join(own, "preload.cjs"), PRELOAD);
      const ours = new Loop({
        folder: join(own, "ours"),
        inputs,
        preload: join(own, "preload.cjs"),
        target,
        bundle,
      });
      const empty = new Loop({ folder: join(own, "empty"), inputs, preload: join(own, "preload.cjs") });
      try {
        const rates = await alternate(ours, empty, options.pairs);
        const length = inputs.reduce((sum, input) => sum + input.length, 0) / inputs.length;
        return said(resultOf(`${what}, ${Math.round(length)} bytes`, rates));
      } finally {
        ours.end();
        empty.end();
        rmSync(own, { recursive: true, force: true });
      }
    }
  },
};

/** Killed, the bench takes its loops and its folder along. */
function endWithUs(folder: string): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      for (const loop of Loop.running) loop.end();
      rmSync(folder, { recursive: true, force: true });
      process.kill(process.pid, signal);
    });
}

/** `--only a,b`: any of the texts. */
const matches = ({ only = "" }: BenchOptions, what: string): boolean =>
  only.split(",").some((text) => what.includes(text));

interface Rates {
  readonly ours: readonly number[];
  readonly empty: readonly number[];
}

async function alternate(ours: Loop, empty: Loop, pairs: number): Promise<Rates> {
  await Promise.all([ours.started(), empty.started()]);
  await sleep(WARM_UP);
  ours.stop();
  empty.stop();
  const rates: { ours: number[]; empty: number[] } = { ours: [], empty: [] };
  for (let pair = 0; pair < pairs; pair++) {
    rates.ours.push(await ours.turn());
    rates.empty.push(await empty.turn());
  }
  return rates;
}

function resultOf(what: string, { ours, empty }: Rates): Result {
  const shares = ours.map((rate, turn) => rate / (empty[turn] as number));
  return {
    what,
    peer: `${median(empty).toFixed(0)}/s`,
    ours: `${median(ours).toFixed(0)}/s`,
    ratio: `${(100 * median(shares)).toFixed(0)} %`,
  };
}

function said(result: Result): Result {
  write(`${result.what}: ${result.ours}, empty target ${result.peer}, ${result.ratio}`);
  return result;
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

interface LoopOptions {
  readonly folder: string;
  readonly inputs: readonly Uint8Array[];
  readonly preload: string;
  /** Absent: the empty one. */
  readonly target?: string;
  readonly bundle?: string;
}

/** A running jsfuzz. */
class Loop {
  static readonly running = new Set<Loop>();
  private readonly child: ChildProcess;

  constructor(options: LoopOptions) {
    const { folder, inputs } = options;
    const corpus = join(folder, "corpus");
    mkdirSync(corpus, { recursive: true });
    for (const [index, input] of inputs.entries()) writeFileSync(join(corpus, `input-${index}`), input);
    this.child = this.start(options, corpus);
    Loop.running.add(this);
  }

  private start({ folder, inputs, preload, target, bundle }: LoopOptions, corpus: string): ChildProcess {
    const settings: TargetSettings = {
      target: target ?? "",
      bundle: bundle ?? "",
      findings: folder,
      known: [],
      inputSeconds: START_SECONDS,
      keepGoing: true,
    };
    const preloads = [builtFile("fuzz", "preload.cjs"), preload].map(
      (file) => `--require=${JSON.stringify(file)}`,
    );
    const file = target === undefined ? "../empty.cjs" : "jsfuzz-target.cjs";
    return spawn(process.execPath, [jsfuzzProgram(), file, corpus, "--versifier=false", "--timeout=3600"], {
      cwd: target === undefined ? folder : builtFile("fuzz"),
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: {
        ...process.env,
        [SETTINGS_VARIABLE]: JSON.stringify(settings),
        [SEED_VARIABLE]: String(SEED),
        [CORPUS_VARIABLE]: join(dirname(jsfuzzProgram()), "corpus.js"),
        [MOST_VARIABLE]: String(Math.max(JSFUZZ_MOST, ...inputs.map(({ length }) => length))),
        NODE_OPTIONS: `${preloads.join(" ")} --no-warnings`,
        TMPDIR: folder,
      },
    });
  }

  /** Resolves when inputs are run. */
  async started(): Promise<void> {
    for (const began = performance.now(); (await this.count()) <= 1; await sleep(20))
      if (performance.now() - began > START_SECONDS * 1000) throw new Error("jsfuzz does not begin");
  }

  /** Runs for a turn and is stopped again; inputs a second. */
  async turn(): Promise<number> {
    this.signal("SIGCONT");
    const [before, began] = [await this.count(), performance.now()];
    await sleep(TURN);
    const [after, ended] = [await this.count(), performance.now()];
    this.stop();
    return (1000 * (after - before)) / (ended - began);
  }

  stop = (): void => this.signal("SIGSTOP");
  end(): void {
    this.signal("SIGKILL");
    Loop.running.delete(this);
  }

  /** Inputs so far. */
  private count(): Promise<number> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error("jsfuzz has ended"));
      this.child.once("exit", gone);
      this.child.once("message", (sent) => {
        this.child.off("exit", gone);
        resolve(Number(sent));
      });
      this.child.send("count");
    });
  }

  /** jsfuzz and its worker are one process group. */
  private signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // It is gone already.
    }
  }
}

const CORPUS_VARIABLE = "PUGMARK_BENCH_CORPUS";
const MOST_VARIABLE = "PUGMARK_BENCH_MOST";
/** Longer inputs jsfuzz would cut, bytes. */
const JSFUZZ_MOST = 4096;

/**
 * In jsfuzz's own process, not in its worker: counts inputs, lets them be as long as those it began with, and keeps to
 * those, since longer ones take jsfuzz longer and the empty target finds none.
 */
const PRELOAD = `if (!/worker\\.js$/.test(process.argv[1])) {
  const children = require("node:child_process");
  const { fork } = children;
  let sent = 0;
  children.fork = (...args) => {
    const child = fork(...args);
    const { send } = child;
    child.send = (message) => {
      sent++;
      return send.call(child, message);
    };
    return child;
  };
  process.on("message", () => process.send(sent));
  process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
  const { Corpus } = require(process.env.${CORPUS_VARIABLE});
  const { generateInput } = Corpus.prototype;
  Corpus.prototype.generateInput = function () {
    this.maxInputSize = Number(process.env.${MOST_VARIABLE});
    return generateInput.call(this);
  };
  Corpus.prototype.putBuffer = () => {};
}
`;
