import { describe, expect, it } from 'vitest';
import { readablePolicy } from '../../../../src/balancer/admin/readable-policy.ts';
import { anOpenPolicy, type PolicyParts, cookies } from '../../../support/a-policy.ts';

const policy = anOpenPolicy();

function shown(change: PolicyParts): unknown {
  return readablePolicy(anOpenPolicy(change));
}

describe('a policy for people', () => {
  it('has every section of a policy file', () => {
    expect(Object.keys(readablePolicy(policy))).toEqual(
      'apiVersion kind name signals score reports place admit affinity drain rebalance scale health'.split(
        ' ',
      ),
    );
  });

  it.each([
    [0, '0s'],
    [1, '1ms'],
    [1500, '1500ms'],
    [1000, '1s'],
    [90_000, '90s'],
    [60_000, '1m'],
    [7_200_000, '2h'],
  ])('writes %d ms as %s', (slowStartMs, text) => {
    expect(shown({ place: { ...policy.place, slowStartMs } })).toMatchObject({ place: { slowStart: text } });
  });

  it('writes fractions without the last bits of binary', () => {
    expect(shown({ scale: { ...policy.scale, target: 0.07 } })).toMatchObject({ scale: { target: '7%' } });
    expect(shown({ scale: { ...policy.scale, target: 0.2 + 0.1 } })).toMatchObject({
      scale: { target: '30%' },
    });
  });

  it('writes steps of scaling as they were written', () => {
    const { scale } = policy;
    expect(shown({})).toMatchObject({
      scale: { survive: 0, surviveOf: 'node', up: { after: '0s', step: 'all' }, victims: 'any' },
    });
    const down = { afterMs: 300_000, step: { share: 0.1 }, drainMs: 600_000 };
    expect(shown({ scale: { ...scale, down } })).toMatchObject({
      scale: { down: { after: '5m', step: '10%', drain: '10m' } },
    });
  });

  it('writes what is chosen for each kind', () => {
    expect(shown({})).toMatchObject({
      place: { horizon: 'auto', connectRate: '1000000/s' },
      affinity: { kind: 'none' },
      health: { check: { kind: 'off' } },
    });
    const check = { kind: 'http', path: '/up', intervalMs: 5000, timeoutMs: 2000, fall: 3, rise: 2 } as const;
    const other = shown({
      signals: [{ name: 'throughput', kind: 'additive', saturation: 'auto' }],
      score: { combine: 'mean', weights: { cpu: 2 }, smoothingMs: 500 },
      place: { ...policy.place, horizonMs: 10_000 },
      affinity: { ...cookies, maxAgeMs: 3_600_000 },
      drain: { ...policy.drain, ratePerSecond: 5 },
      health: { ...policy.health, check },
    });
    expect(other).toMatchObject({
      signals: { throughput: { saturation: 'auto' } },
      score: { combine: 'mean', weights: { cpu: 2 }, smoothing: '500ms' },
      place: { horizon: '10s' },
      affinity: { kind: 'cookie', name: 'herald', yieldAt: '110%', sameSite: 'lax', maxAge: '1h' },
      drain: { rate: '5/s' },
      health: { check: { kind: 'http', path: '/up', interval: '5s', timeout: '2s', fall: 3, rise: 2 } },
    });
    const tcp = shown({ health: { ...policy.health, check: { ...check, kind: 'tcp' } } });
    expect(tcp).toMatchObject({ health: { check: { kind: 'tcp', interval: '5s' } } });
    expect(JSON.stringify(tcp)).not.toContain('/up');
    const hash = { kind: 'path', name: '', segment: 3, yieldAt: 1.1, bound: Infinity } as const;
    expect(shown({ affinity: hash })).toMatchObject({
      affinity: { kind: 'path', segment: 3, yieldAt: '110%', bound: 'off' },
    });
    expect(shown({ affinity: { ...hash, kind: 'query', name: 'sid', bound: 1.25 } })).toMatchObject({
      affinity: { kind: 'query', name: 'sid', yieldAt: '110%', bound: '125%' },
    });
    const rate = shown({ signals: [{ name: 'throughput', kind: 'additive', saturation: 7000 }] });
    expect(rate).toMatchObject({ signals: { throughput: { saturation: '7000/s' } } });
  });
});
