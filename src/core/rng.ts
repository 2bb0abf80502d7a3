// Chance as a parameter. The unpredictable source lives in platform/system-rng.ts.

/** A source of chance. */
export interface Rng {
  /** A number in [0, 1), uniform. */
  next(): number;
}

const multiplier = 6364136223846793005n;
const increment = 1442695040888963407n;
const mask64 = (1n << 64n) - 1n;

/**
 * PCG-XSH-RR 64/32 (O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
 * Algorithms for Random Number Generation", 2014): the same seed gives the same sequence everywhere.
 * BigInt arithmetic makes it slow (about 1 µs a draw): for tests and simulations, not for the relay.
 */
export function pcg32(seed: number): Rng {
  let state = (BigInt(Math.trunc(seed)) + increment) & mask64;
  state = (state * multiplier + increment) & mask64;
  return {
    next() {
      const old = state;
      state = (old * multiplier + increment) & mask64;
      const xorShifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffffffffn);
      const rotation = Number(old >> 59n);
      const bits = (xorShifted >>> rotation) | (xorShifted << (-rotation & 31));
      return (bits >>> 0) / 4294967296;
    },
  };
}
