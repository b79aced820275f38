/** Which pages of a file a walk has met: one bit a page. */
export class PageSet {
  private readonly bits: Uint8Array;

  /** For page numbers up to and including `highest`. */
  constructor(private readonly highest: number) {
    this.bits = new Uint8Array(Math.floor(highest / 8) + 1);
  }

  /** True when the page was met before; never for a page that does not exist. */
  addAgain(page: number): boolean {
    if (!(page >= 0 && page <= this.highest)) return false;
    const at = Math.floor(page / 8);
    const byte = this.bits[at] as number;
    const bit = 1 << (page % 8);
    this.bits[at] = byte | bit;
    return (byte & bit) !== 0;
  }
}
