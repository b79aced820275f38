/** The first allocation unit of every classic file. Written from formats: classic file format §1. */
import {
  crc32c,
  crc32cField,
  crc32cWithZeroedField,
  format,
  type Infer,
  type RandomSource,
  struct,
  u16le,
  u32le,
} from "../src/codec/index.js";
import { MAX_ALLOCATION_SIZE, tailRule, type ZeroTail, zeroTail } from "./zero-tail.js";

/** Where description blocks of files of unknown allocation size end at the latest, bytes. */
export const DESCRIPTION_WINDOW = 128 * 1024;

/** First four bytes of a classic file, little-endian. */
export const DESCRIPTION_MAGIC = 120_897;
/** The newest file version there is. */
const MAJOR_VERSION = 1;
const MINOR_VERSION = 0;
/** Bytes of the fields; zeros fill the rest of the allocation unit. */
const FIELDS_SIZE = 16;
const CHECKSUM_OFFSET = 8;
export const MIN_ALLOCATION_SIZE = 512;

const descriptionBlockType = struct(
  {
    magic: u32le({
      constant: DESCRIPTION_MAGIC,
      derive: DESCRIPTION_MAGIC,
      doc: "says that this is a block-manager file",
    }),
    major: u16le({ derive: MAJOR_VERSION, doc: "file version", sample: () => MAJOR_VERSION }),
    minor: u16le({ derive: MINOR_VERSION, doc: "file version", sample: () => MINOR_VERSION }),
    checksum: crc32cField({}, { doc: "over the whole allocation unit" }),
    unused: u32le({ reserved: true, derive: 0 }),
    tail: zeroTail("the rest of the allocation unit", generatedTail),
  },
  {
    rules: [
      {
        code: "unsupported-version",
        doc: "no newer version than 1.0",
        check: ({ major, minor }) =>
          major > MAJOR_VERSION || (major === MAJOR_VERSION && minor > MINOR_VERSION)
            ? {
                path: "major",
                expected: `at most ${MAJOR_VERSION}.${MINOR_VERSION}`,
                actual: `${major}.${minor}`,
              }
            : undefined,
      },
      {
        code: "allocation-size",
        doc: "the block is one allocation unit: the one in the metadata, else a power of two from 512 bytes to 128 MB",
        check: ({ tail }, { params }) => checkLength(FIELDS_SIZE + tailLength(tail), params.allocationSize),
      },
      tailRule,
    ],
  },
);

export type DescriptionBlock = Infer<typeof descriptionBlockType>;

function generatedTail(random: RandomSource): number {
  return (MIN_ALLOCATION_SIZE << random.below(3)) - FIELDS_SIZE;
}

/** The description block of a new file. */
export const newDescriptionBlock = (allocationSize: number): Uint8Array =>
  descriptionBlock.build({ tail: allocationSize - FIELDS_SIZE } as DescriptionBlock);

const tailLength = (tail: ZeroTail): number => (typeof tail === "number" ? tail : tail.length);

function checkLength(length: number, allocationSize: number | undefined) {
  if (allocationSize === undefined ? isAllocationSize(length) : length === allocationSize) return undefined;
  return { expected: allocationSize ?? "a power of two", actual: length };
}

/** Whether the engine accepts an allocation size: a power of two from 512 bytes to 128 MB. */
export const isAllocationSize = (size: number): boolean =>
  size >= MIN_ALLOCATION_SIZE && size <= MAX_ALLOCATION_SIZE && (size & (size - 1)) === 0;

/** The first block of a classic file; the bytes are one allocation unit. Params: `allocationSize`, where known. */
export const descriptionBlock = format(
  {
    name: "description-block",
    params: { allocationSize: "bytes of an allocation unit: the length the block must have" },
    title: "File description block",
    source: "formats: classic file format §1",
    doc: "The first allocation unit of a .wt file. The allocation size is not in it: the size at which the checksum fits is.",
  },
  descriptionBlockType,
);

/** Whether a file begins as a classic file does. */
export const startsLikeClassicFile = (start: Uint8Array): boolean =>
  start.length >= 4 &&
  new DataView(start.buffer, start.byteOffset, 4).getUint32(0, true) === DESCRIPTION_MAGIC;

/**
 * The allocation size of a file, from its beginning: the power of two at which the description block's checksum
 * fits; undefined when none does, the block being damaged or `start` shorter than an allocation unit. Reads each byte
 * once; up to 128 MB of `start` are used.
 */
export function findAllocationSize(start: Uint8Array): number | undefined {
  if (start.length < MIN_ALLOCATION_SIZE) return undefined;
  const stored = new DataView(start.buffer, start.byteOffset, FIELDS_SIZE).getUint32(CHECKSUM_OFFSET, true);
  let size = MIN_ALLOCATION_SIZE;
  let sum = crc32cWithZeroedField(start, 0, size, CHECKSUM_OFFSET);
  while (sum !== stored) {
    const next = 2 * size;
    if (next > start.length || next > MAX_ALLOCATION_SIZE) return undefined;
    sum = crc32c(start.subarray(size, next), sum);
    size = next;
  }
  return size;
}
