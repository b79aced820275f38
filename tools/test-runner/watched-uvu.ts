/** What a test file gets when it imports "uvu" under the runner: the same functions, watched by a Recorder. */
import { writeFileSync } from "node:fs";
import * as uvu from "uvu";
import { EVENT_FD, SKIP_LISTENER, type SkipListener } from "./protocol.js";
import { type Case, Recorder } from "./recorder.js";

export const recorder = new Recorder((event) => writeFileSync(EVENT_FD, `${JSON.stringify(event)}\n`));

const onSkip: SkipListener = (reason, needs) => recorder.skip("(outside a test)", reason, needs);
Object.assign(globalThis, { [SKIP_LISTENER]: onSkip });

function watch<T>(inner: uvu.Test<T>, suiteName: string): uvu.Test<T> {
  let notQueued: Case[] = [];
  const fullName = (name: string): string => (suiteName === "" ? name : `${suiteName} › ${name}`);

  const adder = (add: typeof inner | typeof inner.only) => (name: string, handler: uvu.Callback<T>) => {
    const added = recorder.register(fullName(name));
    notQueued.push(added);
    add(name, recorder.watchTest(added, handler));
  };
  const hook = (add: (handler: uvu.Callback<T>) => void, name: string) => (handler: uvu.Callback<T>) =>
    add(recorder.watchHook(fullName(name), handler));

  return Object.assign(adder(inner), {
    only: adder(inner.only),
    skip: (name = "(unnamed)") => recorder.skip(fullName(name), "marked .skip", "other"),
    before: Object.assign(hook(inner.before, "before()"), { each: hook(inner.before.each, "before.each()") }),
    after: Object.assign(hook(inner.after, "after()"), { each: hook(inner.after.each, "after.each()") }),
    run: () => {
      for (const queued of notQueued) queued.state = "queued";
      notQueued = [];
      inner.run();
    },
  });
}

export const suite = <T = Record<string, unknown>>(title = "", context?: T): uvu.Test<T> =>
  watch(uvu.suite(title, context), title);
export const test = watch(uvu.test, "");
export const exec = uvu.exec;
