/** Which pages of a file a walk has met: one bit a page. */
export class PageSet {
  private readonly bits: Uint8Array;

  /** For page numbers up to and including `highest`. */
  constructor(highest: number) {
    this.bits = new Uint8Array(Math.floor(highest / 8) + 1);
  }

  /** True when the page was met before; never for a page that does not exist. */
  addAgain(page: number): boolean {
    const byte = this.bits[page >>> 3];
    if (byte === undefined) return false;
    const bit = 1 << (page & 7);
    this.bits[page >>> 3] = byte | bit;
    return (byte & bit) !== 0;
  }
}
