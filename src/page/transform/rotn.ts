import { ROTN_ENVELOPE, ROTN_KEY_IDS } from "../../../formats/transforms.js";
import { FormatError } from "../../codec/error.js";
import type { Encryptor } from "./types.js";

/** The engine's test encryptor. Formats: crypt header, "Per-page encryption leftovers". */

const ALPHABETS = ["A", "a"].map((letter) => letter.charCodeAt(0));

/** rotn with a key id, 0 to 25. */
export function rotnEncryptor(keyId: number): Encryptor {
  const by = ((keyId % ROTN_KEY_IDS) + ROTN_KEY_IDS) % ROTN_KEY_IDS;
  const forward = rotation(by);
  const back = rotation(ROTN_KEY_IDS - by);
  return {
    name: "rotn",
    decrypt(output) {
      if (looksLikeRotn(output)) return mapped(output.subarray(ROTN_ENVELOPE.length), back);
      const message = "rotn: the constant bytes in front of the text are missing";
      throw new FormatError({ code: "encryption-envelope", message, offset: 0 });
    },
    encrypt(plain) {
      const output = new Uint8Array(ROTN_ENVELOPE.length + plain.length);
      output.set(ROTN_ENVELOPE);
      output.set(mapped(plain, forward), ROTN_ENVELOPE.length);
      return output;
    },
  };
}

/** Whether an encryptor's output begins the way rotn's does. */
export function looksLikeRotn(output: Uint8Array): boolean {
  return output.length >= ROTN_ENVELOPE.length && ROTN_ENVELOPE.every((byte, i) => output[i] === byte);
}

function mapped(bytes: Uint8Array, map: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) result[i] = map[bytes[i]!]!;
  return result;
}

/** What each byte becomes: letters move within their own alphabet, all else stays. */
function rotation(by: number): Uint8Array {
  const map = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const first of ALPHABETS) {
    for (let i = 0; i < ROTN_KEY_IDS; i++) map[first + i] = first + ((i + by) % ROTN_KEY_IDS);
  }
  return map;
}
