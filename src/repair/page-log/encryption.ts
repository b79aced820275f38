/** What encrypts the pages of a page log: found by evidence, as rows of the shared metadata mostly name nothing. */
import { FormatError } from "../../codec/error.js";
import { PageImages } from "../../page/images.js";
import { type Encryptor, encryptorByName, rotnEncryptor } from "../../page/transform/index.js";
import type { PageLog } from "../../store/types.js";
import { encryptedBlocks } from "../../tree/page-log/database.js";
import type { FileRow } from "../../write/checkpoint/metadata-rows.js";
import { RepairRefusal } from "../error.js";

const NO_HINT = { compressor: "", encryptor: "" };

/**
 * The database's encryptor: that of its blocks; undefined when none is encrypted.
 * @throws RepairRefusal `metadata-encrypted` when no plug-in knows it
 */
export function databaseEncryptor(log: PageLog): Encryptor | undefined {
  const samples = () => encryptedBlocks(log);
  const [first] = samples();
  if (first === undefined) return undefined;
  const detected = { compressors: new Set<string>(), encryptors: new Set<string>() };
  const images = new PageImages({}, detected, samples);
  try {
    images.open(first.bytes, first.shape, NO_HINT);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new RepairRefusal("metadata-encrypted", `${log.path}: ${error.message}`);
  }
  return images.databaseEncryptor;
}

/** As the engine does: a table that names none has the database's. @throws RepairRefusal `metadata-encrypted` */
export function tableEncryptor(
  { uri, config: { encryption } }: FileRow,
  own: Encryptor | undefined,
): Encryptor | undefined {
  const { name = "", keyid = "" } = encryption ?? {};
  if (name === "none") return undefined;
  if (name === "") return own;
  const found = name === "rotn" ? rotnEncryptor(Number(keyid)) : encryptorByName(name);
  if (found !== undefined) return found;
  throw new RepairRefusal(
    "metadata-encrypted",
    `${uri} is encrypted by ${name}, and there is no plug-in for it`,
  );
}
