/** Memory that files are read into, one window after the other. */

let make: (size: number) => Uint8Array = (size) => new Uint8Array(size);

/** Has windows made where faster code can look at pages as they lie there; anywhere when called without. */
export function setWindowMemory(maker?: (size: number) => Uint8Array): void {
  make = maker ?? ((size) => new Uint8Array(size));
}

/** Memory of `size` bytes. */
export const windowMemory = (size: number): Uint8Array => make(size);
