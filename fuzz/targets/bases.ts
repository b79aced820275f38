/** The valid inputs a format's target changes. */
import { seededRandom } from "../../src/codec/index.js";
import { type AnyFormat, type Site, sitesOf } from "../mutate/site.js";

export interface Base {
  readonly bytes: Uint8Array;
  readonly generation: string | undefined;
}

/** Inputs by seed, and their sites; each is made when it is first asked for. */
export class Bases {
  private readonly made: Base[] = [];
  private readonly generations = new WeakMap<Uint8Array, string | undefined>();
  private readonly sites = new WeakMap<Uint8Array, readonly Site[]>();

  constructor(private readonly format: AnyFormat) {}

  /** @param seed 0 to 255. */
  of(seed: number): Base {
    const { format } = this;
    const known = this.made[seed];
    if (known !== undefined) return known;
    const value = format.generate(seededRandom(seed));
    const bytes = format.build(value);
    const generation =
      format.generations.length === 0 ? undefined : (value as { generation: string }).generation;
    this.generations.set(bytes, generation);
    const base = { bytes, generation };
    this.made[seed] = base;
    return base;
  }

  /** Of the bytes of a base; undefined for others. */
  readonly sitesOf = (bytes: Uint8Array): readonly Site[] | undefined => {
    const known = this.sites.get(bytes);
    if (known !== undefined || !this.generations.has(bytes)) return known;
    const generation = this.generations.get(bytes);
    const sites = sitesOf(this.format, bytes, generation === undefined ? {} : { generation });
    this.sites.set(bytes, sites);
    return sites;
  };
}
