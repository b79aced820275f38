/** The watchers themselves: what they are there for does not pass them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bounded, MAX_EXTRA_BYTES, MAX_SECONDS } from "./bounded.js";
import { processorMillis } from "./clock.js";
import { snapshot } from "./snapshot.js";

const bounded = suite("bounded work");
const series = (): Bounded => new Bounded("series", () => {});

// First: the process has one peak, and what comes after it is measured from there.
bounded("what was taken and given back within a series is noticed", () => {
  const whole = series();
  const kept: Uint8Array[] = [];
  for (let i = 0; i < 40; i++) whole.call("call", () => kept.push(new Uint8Array(4 * 1024 * 1024).fill(1)));
  kept.length = 0;
  assert.throws(() => whole.finish(), /resident peak/);
});

bounded("a buffer that is too large is noticed, also when nothing is written to it", () => {
  assert.throws(() => series().call("call", () => new Uint8Array(MAX_EXTRA_BYTES + 1)), /bytes allocated/);
});

bounded("too many objects are noticed", () => {
  // Few and large: making them must not take the second that is noticed first.
  const many = (): number[][] => Array.from({ length: 400_000 }, (_, i) => new Array<number>(32).fill(i));
  assert.throws(() => series().call("call", many), /bytes allocated/);
});

bounded("a call that takes too long is noticed", () => {
  const spin = (): void => {
    const end = processorMillis() + MAX_SECONDS * 1000 + 50;
    while (processorMillis() < end);
  };
  assert.throws(() => series().call("call", spin), / s$/);
});

bounded("small garbage is not", () => {
  const whole = series();
  for (let i = 0; i < 2000; i++) whole.call("call", () => new Uint8Array(256 * 1024).fill(i));
  whole.finish();
});
bounded.run();

const snapshots = suite("snapshots of folders");
let folder = "";
snapshots.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), "pugmark-test-"));
  writeFileSync(join(folder, "data"), "abc");
});
snapshots.after.each(() => rmSync(folder, { recursive: true }));

snapshots("are equal as long as nothing happens", () => {
  assert.equal(snapshot(folder), snapshot(folder));
});

snapshots("show a file that came and went", () => {
  const before = snapshot(folder);
  writeFileSync(join(folder, "lock"), "");
  rmSync(join(folder, "lock"));
  assert.not.equal(snapshot(folder), before);
});

snapshots("show the same bytes written again", () => {
  const before = snapshot(folder);
  writeFileSync(join(folder, "data"), "abc");
  assert.not.equal(snapshot(folder), before);
});
snapshots.run();
