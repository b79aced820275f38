/** The engine's variable-length integers on their own. Formats: cells and deltas §1. */
import { format, type Infer, nibble, packed, packedSigned, struct } from "../src/codec/index.js";

const SOURCE = "formats: cells and deltas §1";

/** An unsigned integer of 64 bits in 1 to 9 bytes whose order is the numeric order. */
export const packedInteger = format(
  {
    name: "packed-integer",
    title: "Packed unsigned integer",
    source: SOURCE,
    doc: "Byte order is numeric order. A form that is longer than the value needs is an error: the engine never writes it.",
  },
  struct({ value: packed() }),
);

/** As `packed-integer`, for integers from −2^63 to 2^63 − 1. */
export const packedIntegerSigned = format(
  {
    name: "packed-integer-signed",
    title: "Packed signed integer",
    source: SOURCE,
    doc: "Not negative: as packed-integer. Negative: forms of their own that sort before all others.",
  },
  struct({ value: packedSigned() }),
);

const cookieVersionType = struct({
  version: nibble({ doc: "version of the writer" }),
  minVersion: nibble({ doc: "the lowest reader version that understands what follows" }),
});
export type CookieVersion = Infer<typeof cookieVersionType>;

/** The two nibble-packed numbers an address cookie of a page log begins with; usually one byte. */
export const cookieVersion = format(
  {
    name: "cookie-version",
    title: "Version pair of an address cookie",
    source: SOURCE,
    doc: "A stream of nibbles, low nibble of a byte first: bit 3 says that more follow, 3 bits are the value.",
  },
  cookieVersionType,
);
