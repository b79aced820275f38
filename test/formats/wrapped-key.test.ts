/** The blob of WrappedKeys as a declared format: taken apart without a word of its keys. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cryptPage } from "../../formats/crypt-page.js";
import { wrappedKey } from "../../formats/wrapped-key.js";
import { bytesToHex } from "../../src/codec/index.js";
import { WrappedKeys } from "../../src/write/key-provider/wrapped-keys.js";
import { runCli } from "../support/cli.js";

const test = suite("wrapped keys");

/** A blob with known salt and nonce. */
function blob(): Uint8Array {
  let next = 0;
  const random = (size: number) => Uint8Array.from({ length: size }, () => next++ & 0xff);
  const keys = new WrappedKeys({ passphrase: "correct horse" }, { costLog2: 10, now: () => 7n, random });
  keys.loadKey({ lsn: 0n, timestamp: 0n, key: new Uint8Array() });
  const { size } = keys.getKey({ checkpointTimestamp: 0n });
  const buffer = new Uint8Array(size);
  keys.getKey({ checkpointTimestamp: 0n, buffer });
  return buffer;
}

test("sizes and places of the fields", () => {
  const bytes = blob();
  // Signature, version, secret, three costs, salt, nonce, tag, then id, time and key of one data key.
  assert.is(bytes.length, 4 + 1 + 1 + 3 + 16 + 12 + 16 + 4 + 8 + 32);
  assert.is(bytesToHex(bytes.subarray(0, 9)), "504d4b5701000a0801");
  const { header, sealed } = wrappedKey.parse(bytes);
  assert.is(header.salt[0], 32, "the first 32 random bytes are the key");
  assert.is(sealed.length, 44);
  assert.equal(wrappedKey.build(wrappedKey.parse(bytes)), bytes);
});

test("costs out of bounds, another signature and version are errors", () => {
  const changed = (at: number, value: number) => {
    const bytes = blob();
    bytes[at] = value;
    return wrappedKey.validate(bytes).map(({ code, path }) => `${code} ${path}`);
  };
  assert.equal(wrappedKey.validate(blob()), []);
  assert.equal(changed(6, 31), ["wrapped-key-cost header.costLog2"]);
  assert.equal(changed(7, 9), ["wrapped-key-cost header.blockSize"]);
  assert.equal(changed(8, 0), ["wrapped-key-cost header.parallelization"]);
  assert.equal(changed(5, 1), ["wrapped-key-cost header.costLog2"]);
  assert.is(changed(0, 0).length, 1);
  assert.is(changed(4, 2).length, 1);
});

test("the command line never shows the sealed keys, in the blob or in its page", () => {
  const bytes = blob();
  const sealed = bytesToHex(bytes.subarray(53));
  const page = cryptPage.build({ generation: "K3", blob: bytes, timestamp: 7n } as never);
  for (const [name, input] of [
    ["wrapped-key", bytes],
    ["crypt-page", page],
  ] as const) {
    const { stdout, stderr, status } = runCli("decode", name, bytesToHex(input));
    assert.is(status, 0, stderr);
    for (let at = 0; at + 16 <= sealed.length; at += 2)
      assert.is((stdout + stderr).includes(sealed.slice(at, at + 16)), false, `${name}: ${stdout}`);
    assert.match(stdout, "fingerprint");
  }
});

test.run();
