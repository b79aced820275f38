/** Chains of pages that were dumped into a log, each newest block first (formats: page-log stores §5). */
import { hex32 } from "../hex.js";
import type { FindingPlace } from "../rule.js";
import { dumpChainBase } from "../rules/lone/dump-chain-base.js";
import { dumpChainLink } from "../rules/lone/dump-chain-link.js";
import type { Run } from "../run.js";

/** A dumped block as the chain of its page sees it. */
export interface DumpedLink {
  /** Table, object and page, as far as the log names them. */
  readonly page: string;
  readonly place: FindingPlace;
  readonly isDelta: boolean;
  /** Its bytes fit its checksum: what its header says is what was written. */
  readonly sound: boolean;
  /** Checksums by which the page's next newer delta may mean it. */
  readonly checksums: readonly number[];
  readonly previousChecksum: number;
  readonly writeGen: bigint;
  /** Its last line in the log, 1-based. */
  readonly lastLine: number;
}

/** Blocks dumped of a page so far, the last of them a delta. */
interface OpenChain {
  readonly newest: DumpedLink;
  last: DumpedLink;
}

/** Dumps of one page that several threads may be printing at once. */
const MAX_OPEN = 16;

/** Puts the dumped blocks of each page together; a page may be dumped several times, by several threads at once. */
export class DumpedChains {
  private readonly open = new Map<string, OpenChain[]>();

  constructor(private readonly run: Run) {}

  add(block: DumpedLink): void {
    const chains = this.open.get(block.page) ?? [];
    const chain = chains.findLast(({ last }) => meets(last, block)) ?? this.broken(chains, block);
    if (chain === undefined) this.begin(chains, block);
    else if (block.isDelta) chain.last = block;
    else chains.splice(chains.indexOf(chain), 1);
    if (chains.length === 0) this.open.delete(block.page);
    else this.open.set(block.page, chains);
  }

  /** Every chain that is still open has no image. `lines`: of the log. */
  finish(lines: number): void {
    for (const chains of this.open.values())
      for (const { last } of chains) this.withoutBase(last, last.lastLine === lines);
    this.open.clear();
  }

  private begin(chains: OpenChain[], block: DumpedLink): void {
    if (!block.isDelta) return;
    if (chains.length === MAX_OPEN) this.withoutBase((chains.shift() as OpenChain).last, false);
    chains.push({ newest: block, last: block });
  }

  /** The chain that goes on with an older block than the one it names; a block that is not older begins another. */
  private broken(chains: readonly OpenChain[], block: DumpedLink): OpenChain | undefined {
    const chain = chains.findLast(
      ({ newest, last }) => block.writeGen < last.writeGen && !sameBlock(newest, block),
    );
    // What a damaged block says of others proves nothing; that it is damaged has been said.
    if (chain?.last.sound && block.sound) this.missingLink(chain.last, block);
    return chain;
  }

  private missingLink({ place, previousChecksum }: DumpedLink, older: DumpedLink): void {
    const [actual] = older.checksums as [number];
    this.run.findings.add(dumpChainLink, place, {
      field: "previousChecksum",
      message: `the page's next older dumped block${lineOf(older.place)} is not the one this delta follows: a block between them is missing`,
      expected: hex32(previousChecksum),
      actual: hex32(actual),
      consequence: CONSEQUENCE,
    });
  }

  private withoutBase({ place, previousChecksum }: DumpedLink, atEnd: boolean): void {
    if (atEnd) this.run.complete = false;
    const why = atEnd ? "the log ends here: it may have been cut off" : "the log goes on without it";
    this.run.findings.add(dumpChainBase, place, {
      ...(atEnd ? { severity: "warning" } : {}),
      message: `the block this delta follows, of checksum ${hex32(previousChecksum)}, is not dumped, and no full image of the page: ${why}`,
      expected: hex32(previousChecksum),
      consequence: CONSEQUENCE,
    });
  }
}

const CONSEQUENCE = "the page cannot be put together from this log";

const meets = ({ previousChecksum }: DumpedLink, { checksums }: DumpedLink): boolean =>
  checksums.includes(previousChecksum);

const sameBlock = (a: DumpedLink, b: DumpedLink): boolean => a.checksums[0] === b.checksums[0];

const lineOf = ({ line }: FindingPlace): string => (line === undefined ? "" : ` (line ${line})`);
