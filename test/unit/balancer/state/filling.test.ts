// Nodes that fill up with clients of whom nothing is known: who has to wait, and for what. Storms are in storm.test.ts.
//
// What broke: a server that greets each client with one message looked a tenth fuller than it was while clients came, so
// the level held clients of a node on its way from 66 to 75 %; those who had stood in line for its rate were refused.
import { describe, expect, it } from 'vitest';
import { fillFleet } from './filling.ts';

const place = { slowStartMs: 0, maxShare: 1, connectRatePerSecond: 200 };
const policy = { place, reports: { blackoutMs: 0 } };
const fleet = ['a', 'b', 'c', 'd'];

describe.each([0, 250, 500, 750])(
  'a node that fills up to three quarters, reporting at %d ms of a second',
  (reportAtMs) => {
    it.each([1, 2, 3])('holds nobody at the level, though it greets everybody (seed %d)', (seed) => {
      const filled = fillFleet({
        seed,
        nodes: ['a'],
        clients: 2000,
        perSecond: 195,
        utilization: 0.75,
        greeting: 1,
        reportAtMs,
        policy,
      });
      expect(filled).toMatchObject({ placed: 2000, heldMs: 0, refusals: 0 });
      expect(filled.overestimate).toBeGreaterThan(0.1);
    });

    it.each([1, 2, 3])('refuses none of those whom its rate lets in within the wait (seed %d)', (seed) => {
      // 500 a second come and 200 go in: the last waits 4.9 s of the 5 s of `admit.maxWait`.
      const filled = fillFleet({
        seed,
        nodes: ['a'],
        clients: 1950,
        perSecond: 500,
        utilization: 0.75,
        greeting: 1,
        reportAtMs,
        policy,
      });
      expect(filled).toMatchObject({ placed: 1950, refusals: 0 });
    });
  },
);

describe('a fleet of which nothing is known when everybody comes at once', () => {
  it.each([0, 1, 5])(
    'refuses nobody and holds nobody at the level (%d messages at the opening)',
    (greeting) => {
      for (const firstReportMs of [500, 2500, 4500])
        for (const utilization of [0.1, 0.5]) {
          const filled = fillFleet({
            seed: 1,
            nodes: fleet,
            clients: 2000,
            perSecond: 1e6,
            utilization,
            greeting,
            idle: 0.05,
            reportAtMs: 500,
            firstReportMs,
            policy,
          });
          expect(filled).toMatchObject({ placed: 2000, heldMs: 0, refusals: 0 });
        }
    },
  );
});

describe('a fleet that more come to than it can hold', () => {
  it.each([1, 2, 3])('is held at its saturation (seed %d)', (seed) => {
    const filled = fillFleet({
      seed,
      nodes: fleet,
      clients: 4000,
      perSecond: 700,
      utilization: 1.3,
      greeting: 1,
      policy: { ...policy, admit: { overfillAfterMs: 86_400_000 } },
    });
    expect(filled.refusals).toBeGreaterThan(300);
    expect(filled.worst).toBeLessThan(1.05);
  });
});
