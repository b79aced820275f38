/** Targets that misbehave on purpose: a campaign has to contain each and go on. Known by name only. */
import { Broken, type FuzzTarget } from "../target.js";

/** Mutants reach this at once. */
const misbehaves = (input: Uint8Array): boolean => (input[0] ?? 0) >= 0x80;

const behaviours: Readonly<Record<string, readonly [oracle: string, behave: (input: Uint8Array) => void]>> = {
  hang: [
    "never returns on half of its inputs",
    () => {
      for (;;) Math.random();
    },
  ],
  memory: [
    "eats all memory on half of its inputs",
    () => {
      for (const held: unknown[] = []; ; ) held.push(new Array(100_000).fill(held.length));
    },
  ],
  output: [
    "prints without end on half of its inputs",
    () => {
      for (;;) process.stdout.write("x".repeat(65_536));
    },
  ],
  thrown: [
    "throws what is no Error on half of its inputs",
    () => {
      throw "no error at all";
    },
  ],
  exit: ["ends its process on half of its inputs", () => process.exit(0)],
  crash: [
    "breaks on an input that holds XYZ",
    (input) => {
      if (Buffer.from(input).includes("XYZ")) throw new Broken("XYZ");
    },
  ],
};

export const selfTests: readonly FuzzTarget[] = Object.entries(behaviours).map(
  ([name, [oracle, behave]]) => ({
    name: `selftest-${name}`,
    oracle,
    seeds: () => [Uint8Array.of(0), Uint8Array.of(1, 2, 3)],
    fuzz(input) {
      if (name === "crash" || misbehaves(input)) behave(input);
    },
  }),
);
