import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formats } from "../../formats/registry.js";
import { dictionaryOf } from "../../fuzz/mutate/dictionary.js";
import { mutate } from "../../fuzz/mutate/mutate.js";
import { sealChecksums, sealDerived, seals } from "../../fuzz/mutate/seal.js";
import { annotatedSites, sitesOf } from "../../fuzz/mutate/site.js";
import { Tape } from "../../fuzz/tape.js";
import { hasErrors, seededRandom } from "../../src/codec/index.js";

const test = suite("mutation by declaration");
const MUTANTS = 25;

test("a tape replays a mutation, and a mutant is as a rule another input", () => {
  for (const format of formats) {
    let changed = 0;
    for (let i = 0; i < MUTANTS; i++) {
      const random = seededRandom(1000 + i);
      const bytes = format.build(format.generate(random));
      const tape = random.bytes(40);
      const options = { changes: 1 + (i % 3), seal: seals[i % seals.length]! };
      const mutant = mutate(format, bytes, new Tape(tape), options);
      assert.equal(mutate(format, bytes, new Tape(tape), options), mutant, format.name);
      if (!Buffer.from(mutant).equals(bytes)) changed++;
      format.read(mutant); // never throws
    }
    assert.ok(changed > MUTANTS / 4, `${format.name}: ${changed} of ${MUTANTS} differ`);
  }
});

test("sites lie within the input and name what is there", () => {
  for (const format of formats) {
    const bytes = format.build(format.generate(seededRandom(7)));
    const sites = sitesOf(format, bytes);
    assert.ok(bytes.length === 0 || sites.length > 0, format.name);
    for (const { start, end, path } of sites)
      assert.ok(start >= 0 && start <= end && end <= bytes.length, `${format.name} ${path}`);
  }
});

test("sites are those that annotating finds, of damaged inputs as well", () => {
  for (const format of formats)
    for (let i = 0; i < MUTANTS; i++) {
      const random = seededRandom(3000 + i);
      const value = format.generate(random);
      const { generation } = value as { generation?: string };
      const options = generation === undefined ? {} : { generation };
      const mutant = mutate(format, format.build(value), random, { ...options, changes: i % 4 });
      assert.equal(sitesOf(format, mutant, options), annotatedSites(format, mutant, options), format.name);
    }
});

test("sealed mutants have no wrong checksum", () => {
  let sealed = 0;
  for (const format of formats) {
    for (let i = 0; i < MUTANTS; i++) {
      const random = seededRandom(5000 + i);
      const mutant = mutate(format, format.build(format.generate(random)), random);
      const wrong = (bytes: Uint8Array): number =>
        // A key page with a damaged signature keeps to itself what its checksum should be.
        format
          .read(bytes)
          .issues.filter(({ code, expected }) => code === "checksum" && expected !== undefined).length;
      if (wrong(mutant) === 0) continue;
      sealed++;
      assert.is(wrong(sealChecksums(format, mutant)), 0, format.name);
    }
  }
  assert.ok(sealed > 20, `${sealed} mutants had a checksum to be sealed`);
});

test("deriving anew leaves a valid input valid, and makes lengths fit after a change", () => {
  for (const format of formats) {
    const bytes = format.build(format.generate(seededRandom(11)));
    const { issues } = format.read(sealDerived(format, bytes));
    assert.not.ok(hasErrors(issues), `${format.name}: ${issues.map(({ message }) => message)}`);
  }
  const cryptPage = formats.find(({ name }) => name === "crypt-page")!;
  const value = cryptPage.generate(seededRandom(3));
  const grown = cryptPage.build({ ...value, blob: new Uint8Array(99) });
  const lying = sealChecksums(cryptPage, Uint8Array.of(...grown, 1, 2, 3));
  assert.ok(hasErrors(cryptPage.read(lying).issues));
  assert.not.ok(hasErrors(cryptPage.read(sealDerived(cryptPage, lying)).issues));
});

test("dictionaries hold magics, names of values and keys", () => {
  const has = (name: string, word: Uint8Array): boolean =>
    dictionaryOf(formats.find((format) => format.name === name)!).some((entry) =>
      Buffer.from(entry).equals(word),
    );
  assert.ok(has("description-block", Uint8Array.of(0x41, 0xd8, 0x01, 0x00)), "magic of a file");
  assert.ok(has("checkpoint-record", new TextEncoder().encode("metadata_lsn=")), "key of a record");
});

test.run();
