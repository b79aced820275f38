import type { PlacedAddress } from "../../classic/block.js";
import type { Rule } from "../../rule.js";

/** Where an address may point. */
export const blockPlace: Rule<PlacedAddress> = {
  code: "block-place",
  severity: "error",
  title: "an address points to whole allocation units inside the file",
  doc: "Offset and size are multiples of the allocation size, the offset is behind the description block and the end inside the file (classic file format §2).",
  check({ address: { offset, size }, allocationSize, fileSize, lost }, found) {
    const wrong = (message: string, expected: unknown, actual: unknown): void =>
      found({ message, expected, actual, ...(lost === undefined ? {} : { consequence: lost }) });
    if (offset % allocationSize !== 0 || size % allocationSize !== 0)
      wrong(
        `block at ${offset} of ${size} bytes is not on allocation units`,
        `multiples of ${allocationSize}`,
        `${offset}+${size}`,
      );
    else if (offset < allocationSize)
      wrong("the address points into the description block", `at least ${allocationSize}`, offset);
    else if (size === 0) wrong("the address of a block of no bytes", "a size", 0);
    else if (offset + size > fileSize)
      wrong(
        `block at ${offset} of ${size} bytes reaches past the end of the file`,
        `at most ${fileSize}`,
        offset + size,
      );
  },
};
