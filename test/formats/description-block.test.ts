import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  DESCRIPTION_MAGIC,
  descriptionBlock,
  findAllocationSize,
  startsLikeClassicFile,
} from "../../formats/description-block.js";
import { bytesToHex, FormatError } from "../../src/codec/index.js";
import { healthyFiles } from "../support/classic-files.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";

const test = suite("description block");
const files = healthyFiles();
const build = (fields: object, tail = 496): Uint8Array =>
  descriptionBlock.build({ ...fields, tail } as never);
const codes = (bytes: Uint8Array, params?: Record<string, number>): string[] =>
  descriptionBlock.validate(bytes, params && { params }).map(({ code }) => code);

test("every real file begins with one, in one allocation unit, and it is written back byte for byte", () => {
  assert.ok(files.length >= 45, `${files.length} files`);
  const sizes = new Set<number>();
  for (const { name, bytes } of files) {
    const size = findAllocationSize(bytes);
    assert.is(size, name.includes("alloc512") ? 512 : 4096, name);
    sizes.add(size as number);
    const block = bytes.subarray(0, size);
    assert.ok(startsLikeClassicFile(block), name);
    assert.equal(descriptionBlock.validate(block, { params: { allocationSize: size as number } }), [], name);
    const value = descriptionBlock.parse(block);
    assert.equal(
      [value.magic, value.major, value.minor, value.tail],
      [DESCRIPTION_MAGIC, 1, 0, (size as number) - 16],
    );
    assert.equal(descriptionBlock.build(value), block, name);
    assert.equal(build({}, value.tail as number), block, `${name}, built from nothing`);
  }
  assert.equal([...sizes].sort(), [4096, 512]);
});

test("begins 41 d8 01 00 01 00 00 00", () => {
  assert.is(bytesToHex(build({}).subarray(0, 8)), "41d8010001000000");
});

test("the allocation size is the one at which the checksum fits", () => {
  for (let size = 512; size <= 1 << 20; size *= 2) {
    const file = new Uint8Array(2 << 20).fill(0xa5, size);
    file.set(build({}, size - 16));
    assert.is(findAllocationSize(file), size);
    assert.is(findAllocationSize(file.subarray(0, size)), size);
    assert.is(findAllocationSize(file.subarray(0, size - 1)), undefined);
  }
  assert.is(findAllocationSize(new Uint8Array()), undefined);
  assert.is(findAllocationSize(new Uint8Array(1 << 20)), undefined);
});

test("newer file versions are refused, older and equal ones are not", () => {
  assert.equal(codes(build({ major: 2 })), ["unsupported-version"]);
  assert.equal(codes(build({ major: 2, minor: 7 })), ["unsupported-version"]);
  assert.equal(codes(build({ major: 1, minor: 1 })), ["unsupported-version"]);
  assert.equal(codes(build({ major: 0, minor: 9 })), []);
  assert.throws(() => descriptionBlock.parse(build({ major: 2 })), failsWith("unsupported-version"));
});

test("each wrong part has its own code", () => {
  assert.equal(codes(build({ magic: DESCRIPTION_MAGIC + 1 })), ["constant"]);
  assert.equal(codes(build({ checksum: 5 })), ["checksum"]);
  assert.equal(codes(build({ unused: 1 })), ["reserved"]);
  assert.equal(codes(build({}, 500)), ["allocation-size"]);
  assert.equal(codes(build({}), { allocationSize: 4096 }), ["allocation-size"]);
  const tail = new Uint8Array(496);
  tail[495] = 7;
  assert.equal(codes(descriptionBlock.build({ tail } as never)), ["tail-not-zero"]);
  assert.not(startsLikeClassicFile(Uint8Array.of(0x41, 0xd8, 1)));
});

test("every flipped bit of a real block is detected, every truncation too", () => {
  for (const name of ["alloc512.wt", "row.wt"]) {
    const file = (files.find((entry) => entry.name.endsWith(`basic/${name}`)) as { bytes: Uint8Array }).bytes;
    const block = file.subarray(0, findAllocationSize(file));
    eachBitFlip(block, (damaged, at, bit) =>
      assert.ok(detects(descriptionBlock, damaged), `byte ${at} bit ${bit}`),
    );
    eachTruncation(block, (shorter) =>
      assert.ok(detects(descriptionBlock, shorter), `${shorter.length} bytes`),
    );
  }
});

test("a tail is a bounded number of zeros", () => {
  for (const tail of [-1, 1.5, 2 ** 40, Number.NaN])
    assert.throws(() => descriptionBlock.build({ tail } as never), failsWith("value-range"));
  const json = { ...(descriptionBlock.toJson(descriptionBlock.parse(build({}))) as object), tail: 1e15 };
  assert.throws(() => descriptionBlock.fromJson(json), failsWith("value-range"));
});

const failsWith = (code: string) => (error: unknown) => error instanceof FormatError && error.code === code;

test.run();
