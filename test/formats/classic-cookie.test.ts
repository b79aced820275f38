import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  addressOf,
  blockOf,
  type ClassicCheckpointCookie,
  classicAddressCookie,
  classicCheckpointCookie,
} from "../../formats/classic-cookie.js";
import { bytesToHex, FormatError, hexToBytes } from "../../src/codec/index.js";
import { checkpointCookies, healthyDirectories } from "../support/classic-files.js";
import { detects, eachBitFlip, eachTruncation } from "../support/damage.js";
import { agreesFourWays, vectors } from "../support/vector.js";

const test = suite("classic cookies");
const units = ([o, s, c]: number[]) => ({
  offsetUnits: BigInt(o as number),
  sizeUnits: s as number,
  checksum: c as number,
});
const rows = vectors("cookies.json").classic_checkpoint;
const first: string = rows[0].hex;

test("vectors agree in both directions", () => {
  for (const row of rows) {
    const value: ClassicCheckpointCookie = {
      version: 1,
      root: units(row.root.raw),
      alloc: units(row.alloc.raw),
      avail: units(row.avail.raw),
      discard: units(row.discard.raw),
      fileSize: BigInt(row.file_size),
      ckptSize: BigInt(row.ckpt_size),
    };
    agreesFourWays(classicCheckpointCookie, row.hex, value);
    for (const name of ["root", "alloc", "avail", "discard"] as const) {
      const { offset, size, checksum, invalid } = row[name];
      const block = invalid ? undefined : { offset, size, checksum: Number(checksum) };
      assert.equal(blockOf(value[name], row.allocation_size), block);
      assert.equal(addressOf(block, row.allocation_size), value[name]);
    }
  }
});

test("JSON shows offsets and sizes in bytes of the given allocation size", () => {
  const value = classicCheckpointCookie.parse(hexToBytes(first));
  const json = (params?: Record<string, number>) =>
    classicCheckpointCookie.toJson(value, params && { params }) as { root: object; discard: object };
  assert.equal(json().root, {
    offsetUnits: "1",
    sizeUnits: 1,
    checksum: 0x102624b6,
    offset: "8192",
    size: "4096",
  });
  assert.equal(json({ allocationSize: 512 }).root, { ...json().root, offset: "1024", size: "512" });
  assert.equal(json().discard, { offsetUnits: "0", sizeUnits: 0, checksum: 0 });
});

test("every checkpoint cookie of the real directories is written back byte for byte", () => {
  let count = 0;
  for (const directory of healthyDirectories)
    for (const hex of checkpointCookies(directory)) {
      const reading = classicCheckpointCookie.read(hexToBytes(hex));
      assert.ok(reading.ok && reading.issues.length === 0, `${directory.name} ${hex}`);
      assert.is(bytesToHex(classicCheckpointCookie.build(reading.value)), hex);
      count++;
    }
  assert.ok(count >= 71, `${count} cookies`);
});

test("the cookie of a tree whose rows were all removed has no root", () => {
  const value = classicCheckpointCookie.parse(hexToBytes("018080808080808481e469bb062c808080e23fc080"));
  assert.is(blockOf(value.root), undefined);
  assert.is(blockOf(value.alloc), undefined);
  assert.equal(blockOf(value.avail), { offset: 20480, size: 4096, checksum: 0x69bb062c + 8256 });
  assert.is(value.ckptSize, 0n);
});

test("an object id follows where its flag says so", () => {
  const value = classicAddressCookie.parse(hexToBytes("8181e4102604760185"));
  assert.equal(value, { offsetUnits: 1n, sizeUnits: 1, checksum: 0x102624b6, flags: 1, objectId: 5 });
  assert.is(bytesToHex(classicAddressCookie.build(value)), "8181e4102604760185");
  assert.is(classicCheckpointCookie.parse(hexToBytes(`${first}0185`)).objectId, 5);
  assert.throws(() => classicAddressCookie.parse(hexToBytes("8181e41026047601")), failsWith("truncated"));
  assert.throws(
    () => classicAddressCookie.parse(hexToBytes("8181e4102604760085")),
    failsWith("trailing-bytes"),
  );
});

test("what unknown flags stand for is kept", () => {
  const reading = classicAddressCookie.read(hexToBytes("8181e410260476068599"));
  assert.ok(reading.ok);
  assert.equal(reading.value.extra, Uint8Array.of(0x85, 0x99));
  assert.equal(
    reading.issues.map(({ code, severity }) => [code, severity]),
    [["unknown-bits", "info"]],
  );
  assert.is(bytesToHex(classicAddressCookie.build(reading.value)), "8181e410260476068599");
});

test("any other version is refused", () => {
  assert.throws(
    () => classicCheckpointCookie.parse(hexToBytes(`02${first.slice(2)}`)),
    failsWith("unsupported-version"),
  );
  assert.throws(() => classicCheckpointCookie.parse(hexToBytes("02")), failsWith("unsupported-version"));
  assert.throws(
    () => classicCheckpointCookie.parse(hexToBytes(`00${first.slice(2)}`)),
    failsWith("value-range"),
  );
  assert.throws(() => classicCheckpointCookie.parse(new Uint8Array()), failsWith("truncated"));
});

test("an address of no block that holds an offset or a checksum is pointed out", () => {
  const issues = classicAddressCookie.validate(hexToBytes("818081"));
  assert.equal(
    issues.map(({ code, severity }) => [code, severity]),
    [["empty-address", "warning"]],
  );
});

test("a place between allocation units has no address", () => {
  for (const offset of [0, 4097, -4096, 6144.5])
    assert.throws(() => addressOf({ offset, size: 4096, checksum: 1 }), failsWith("address-alignment"));
  assert.throws(() => addressOf({ offset: 4096, size: 512, checksum: 1 }), failsWith("address-alignment"));
});

test("damage gives a value or an error, never anything else", () => {
  for (const hex of [first, `${first}0185`]) {
    eachBitFlip(hexToBytes(hex), (damaged) => detects(classicCheckpointCookie, damaged));
    eachTruncation(hexToBytes(first), (shorter) => assert.ok(detects(classicCheckpointCookie, shorter)));
  }
  eachBitFlip(hexToBytes("8181e4102604760185"), (damaged) => detects(classicAddressCookie, damaged));
});

const failsWith = (code: string) => (error: unknown) => error instanceof FormatError && error.code === code;

test.run();
