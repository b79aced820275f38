/** What is wrong with the payload of a page, bounded in number. */

export interface Defect {
  /** As the codes of the `page` format: `truncated`, `cell-type`, `key-order`, … */
  readonly code: string;
  /** From the start of the image. */
  readonly offset: number;
  readonly detail: string;
}

/** The defects of one page; further ones are not kept. */
export class Defects {
  list: Defect[] = [];
  count = 0;

  constructor(readonly limit: number) {}

  /** Always false, so that a check can end with it. */
  add(code: string, offset: number, detail: string): false {
    if (this.count < this.limit) {
      this.list.push({ code, offset, detail });
      this.count++;
    }
    return false;
  }

  clear(): void {
    if (this.count === 0) return;
    this.list = [];
    this.count = 0;
  }
}
