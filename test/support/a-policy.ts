// A compiled policy for tests that are not about policies.
import type { Policy } from '../../src/policy/policy.ts';

/** A policy with everything in the way of a test switched off: no trial, no slow start, no guards that bind. */
export function aPolicy(change: Partial<Policy> = {}): Policy {
  return {
    name: 'chat',
    signals: [
      { name: 'cpu', kind: 'additive', saturation: 0.8 },
      { name: 'eventLoopLag', kind: 'distress', saturation: 50 },
      { name: 'queueDelayMs', kind: 'distress', saturation: 50 },
    ],
    score: { combine: 'max', weights: {}, smoothingMs: 1000 },
    reports: { intervalMs: 1000, blackoutMs: 0, expiryMs: 10_000 },
    place: {
      picker: 'waterfill',
      horizonMs: 'auto',
      maxShare: 1,
      attempts: 3,
      slowStartMs: 0,
      connectRatePerSecond: 1_000_000,
    },
    affinity: { kind: 'none' },
    drain: { deadlineMs: 600_000, ratePerSecond: 'auto', closeCode: 1012 },
    rebalance: {
      mode: 'advise',
      floor: 0.5,
      band: 0.1,
      forMs: 60_000,
      ratePerSecond: 0.001,
      cooldownMs: 300_000,
      choose: 'heaviest',
    },
    scale: { min: 2, max: 50, target: 0.6, startTimeMs: 90_000, down: { afterMs: 300_000, step: 1 } },
    health: {
      check: { kind: 'off' },
      passive: { errors: 5, windowMs: 10_000, ejectMs: 30_000, maxEjected: 0.5 },
    },
    ...change,
  };
}
