/** Where generated values come from: a seeded generator here, fast-check or a fuzzer's bytes elsewhere. */
export interface RandomSource {
  /** An integer from 0 to `bound` − 1; 0 when `bound` is 0. */
  below(bound: number): number;
  bytes(length: number): Uint8Array;
}

/** A small reproducible generator (xorshift128). */
export function seededRandom(seed: number): RandomSource {
  let a = seed | 0 || 0x9e3779b9;
  let b = a ^ 0x85ebca6b;
  let c = a ^ 0xc2b2ae35;
  let d = a ^ 0x27d4eb2f;
  const next = (): number => {
    const t = a ^ (a << 11);
    a = b;
    b = c;
    c = d;
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8);
    return d >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return {
    below: (bound) => (bound <= 0 ? 0 : next() % bound),
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
  };
}

/** A 64-bit value whose magnitude is spread over all byte lengths, with boundary values often. */
export function randomU64(random: RandomSource): bigint {
  const shift = BigInt(random.below(64));
  const top = 1n << shift;
  switch (random.below(6)) {
    case 0:
      return BigInt(random.below(70));
    case 1:
      return top - 1n;
    case 2:
      return top;
    case 3:
      return (1n << 64n) - 1n - BigInt(random.below(12));
    case 4:
      return 8256n + BigInt(random.below(3)) - 1n;
    default: {
      let value = 0n;
      for (const byte of random.bytes(8)) value = (value << 8n) | BigInt(byte);
      return value & ((top << 1n) - 1n);
    }
  }
}
