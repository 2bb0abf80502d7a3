// Chance for millions of draws: a quick seeded generator, and the distributions that scenarios are made of.
import type { Rng } from '../core/rng.ts';

/**
 * sfc32 (Doty-Humphrey, PractRand, 2010), seeded by `seed` and `stream`: streams of one seed do not depend on each
 * other. pcg32 of core/ takes a microsecond a draw, this one a few nanoseconds.
 */
export function quickRng(seed: number, stream: number): Rng {
  let a = seed | 0;
  let b = Math.trunc(seed / 2 ** 32) | 0;
  let c = stream | 0;
  let counter = 1;
  const draw = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first draws still look like the seed.
  for (let round = 0; round < 20; round += 1) draw();
  return { next: () => draw() / 2 ** 32 };
}

/** Exponential with this mean, above 0. */
export function exponential(rng: Rng, mean: number): number {
  return -mean * Math.log(1 - rng.next());
}

/** Standard normal (Box and Muller 1958); one of the pair is thrown away, so that a draw leaves no state. */
export function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}

/** Lognormal with mean 1: e^(sigma × z − sigma² ÷ 2). 1 for sigma 0. */
export function lognormal(rng: Rng, sigma: number): number {
  return Math.exp(sigma * normal(rng) - (sigma * sigma) / 2);
}

// Knuth's product needs `mean` draws; from here on the normal approximation is within the noise of a simulation.
const knuthBelow = 30;

/** Poisson with this mean, 0 or more. */
export function poisson(rng: Rng, mean: number): number {
  if (mean <= 0) return 0;
  if (mean >= knuthBelow) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(rng)));
  const limit = Math.exp(-mean);
  let product = rng.next();
  let count = 0;
  while (product > limit) {
    product *= rng.next();
    count += 1;
  }
  return count;
}
