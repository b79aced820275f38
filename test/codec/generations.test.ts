/** One name, several layouts: forced, detected, none that fits, one that is unheard of. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bytes,
  bytesToHex,
  FormatError,
  generations,
  hexToBytes,
  type Reading,
  seededRandom,
  struct,
  toMarkdown,
  u8,
  u16le,
  u32le,
} from "../../src/codec/index.js";

const test = suite("codec: generations");
const info = { name: "header", title: "a header", source: "this test" };
const variants = {
  new: { type: struct({ magic: u8({ constant: 9 }), size: u16le(), rest: bytes() }), when: "since 2026" },
  middle: { type: struct({ magic: u8({ constant: 9 }), size: u32le() }), doc: "had a wide size" },
  old: { type: struct({ size: u16le() }) },
};
const header = generations(info, variants, { detection: "by the magic and the length" });

const outcome = (reading: Reading<unknown>): unknown =>
  reading.ok
    ? { value: reading.value, fits: reading.fits, generation: reading.generation }
    : { code: reading.error.code, generation: reading.error.generation };

test("the first that fits is chosen, the others are named", () => {
  assert.equal(outcome(header.read(hexToBytes("09 01000000"))), {
    value: { generation: "new", magic: 9, size: 1, rest: hexToBytes("0000") },
    fits: ["new", "middle"],
    generation: "new",
  });
  assert.equal(outcome(header.read(hexToBytes("0700"))), {
    value: { generation: "old", size: 7 },
    fits: ["old"],
    generation: "old",
  });
  assert.equal(header.generations, ["new", "middle", "old"]);
});

test("evidence chooses among those that fit, and only among those", () => {
  const seen: unknown[] = [];
  const choosing = (name: string | undefined) =>
    generations(info, variants, {
      detection: "",
      choose: (fits, data) => {
        seen.push([fits.map(({ generation }) => generation), data.length]);
        return name;
      },
    });
  const wide = hexToBytes("09 01000000");
  assert.equal(choosing("middle").read(wide).fits, ["middle", "new"]);
  assert.equal(choosing("old").read(wide).fits, ["new", "middle"]);
  assert.equal(choosing(undefined).read(wide).fits, ["new", "middle"]);
  assert.equal(seen[0], [["new", "middle"], 5]);
});

test("a forced generation is the only one tried", () => {
  assert.equal(outcome(header.read(hexToBytes("09 01000000"), { generation: "middle" })), {
    value: { generation: "middle", magic: 9, size: 1 },
    fits: undefined,
    generation: "middle",
  });
  assert.equal(outcome(header.read(hexToBytes("09 01000000"), { generation: "old" })), {
    code: "trailing-bytes",
    generation: "old",
  });
  const damaged = header.read(hexToBytes("08 01000000"), { generation: "middle" });
  assert.ok(damaged.ok);
  assert.equal(
    damaged.issues.map(({ code, generation }) => [code, generation]),
    [["constant", "middle"]],
  );
});

test("an unheard-of generation is an error, never a guess", () => {
  const expected = { code: "unknown-generation", generation: undefined };
  const data = hexToBytes("0700");
  const options = { generation: "newest" };
  assert.equal(outcome(header.read(data, options)), expected);
  assert.is(header.validate(data, options)[0]?.code, "unknown-generation");
  for (const call of [
    () => header.parse(data, options),
    () => header.annotate(data, options),
    () => header.build({ generation: "old", size: 1 }, options),
    () => header.build({ generation: "newest", size: 1 } as never),
    () => header.build({ generation: Symbol("x"), size: 1 } as never),
    () => header.build({ generation: Object.create(null) } as never),
    () => header.generate(seededRandom(1), options),
    () => header.toJson({ generation: "newest" } as never),
    () => header.fromJson({ generation: "newest" }),
    () => header.fromJson({ generation: 5 }),
  ])
    assert.throws(
      call,
      (error: unknown) => error instanceof FormatError && error.code === "unknown-generation",
      String(call),
    );
});

test("when none fits, the likely one is reported, else the one that got furthest", () => {
  const short = hexToBytes("09");
  assert.equal(outcome(header.read(short)), { code: "truncated", generation: "new" });
  const likely = generations(info, variants, { detection: "", likely: () => "old" });
  assert.equal(outcome(likely.read(short)), { code: "truncated", generation: "old" });
  // Read to its end but not valid: nearer than what could not be read.
  const wrong = header.read(hexToBytes("08 01000000"));
  assert.ok(wrong.ok && wrong.generation === "new" && wrong.fits === undefined);
  try {
    header.parse(hexToBytes("08 01000000"));
    assert.unreachable();
  } catch (error) {
    assert.is((error as FormatError).code, "constant");
    assert.is((error as FormatError).generation, "new");
    assert.is((error as FormatError).offset, 0);
  }
});

test("the generation is part of the value, of its JSON, and of errors while building", () => {
  const value = header.parse(hexToBytes("0700"));
  assert.equal(header.toJson(value), { generation: "old", size: 7 });
  assert.equal(header.fromJson({ generation: "old", size: 7 }), value);
  assert.is(bytesToHex(header.build(value)), "0700");
  assert.is(bytesToHex(header.build({ magic: 9, size: 7 } as never, { generation: "middle" })), "0907000000");
  assert.is(bytesToHex(header.build({ magic: 9, size: 7, rest: hexToBytes("ff") } as never)), "090700ff");
  for (const call of [
    () => header.build({ generation: "old", size: 70000 }),
    () => header.fromJson({ generation: "old", size: "x" }),
  ]) {
    try {
      call();
      assert.unreachable();
    } catch (error) {
      const { generation, path } = error as FormatError;
      assert.equal([generation, path], ["old", "size"]);
    }
  }
});

test("generated values are of every generation, or of the one asked for", () => {
  const random = seededRandom(5);
  const made = new Set(Array.from({ length: 60 }, () => header.generate(random).generation));
  assert.equal([...made].sort(), ["middle", "new", "old"]);
  assert.is(header.generate(random, { generation: "old" }).generation, "old");
});

test("annotations are of the generation that was found", () => {
  assert.is(header.annotate(hexToBytes("0700")).name, "header old");
  assert.is(header.annotate(hexToBytes("0700"), { generation: "middle" }).name, "header middle");
  assert.is(header.annotate(hexToBytes("")).name, "header new");
});

test("the documentation tells them apart", () => {
  const described = header.describe();
  assert.is(described.detection, "by the magic and the length");
  assert.equal(
    described.generations.map(({ name, when, doc }) => [name, when, doc]),
    [
      ["new", "since 2026", undefined],
      ["middle", undefined, "had a wide size"],
      ["old", undefined, undefined],
    ],
  );
  const page = toMarkdown(described);
  for (const part of [
    "# header: a header",
    "## new (since 2026)",
    "| 1 | 4 | size | u32 LE |  |",
    "had a wide size",
  ])
    assert.ok(page.includes(part), part);
});

test.run();
