// May a node take a connection, what are its reports worth, and on which rung does the pool stand?
import { describe, expect, it } from 'vitest';
import { footingOf, loadStateOf, type LoadState } from '../../../src/core/basis.ts';
import { eligibilityOf, ineligibleBecause, refusedDistress } from '../../../src/core/eligibility.ts';
import { boundOf, slowStartPart } from '../../../src/core/guard.ts';
import type { Visibility } from '../../../src/core/snapshot.ts';
import { aLoad, aNode } from '../../support/a-node.ts';
import { aSnapshot, connectionsSeen, nothingSeen, relaySees } from '../../support/a-snapshot.ts';

const reasonsWith = (suffering: number, count: number) => {
  const nodes = Array.from({ length: count }, (_, i) => aNode({ id: `n${i}` }));
  return eligibilityOf(nodes, (_, index) => (index < suffering ? refusedDistress : 0)).filter(
    (reason) => reason === 'full',
  ).length;
};

const stand = (
  states: readonly LoadState[],
  {
    visibility = relaySees,
    relayed = 1,
    eligible = states.map(() => true),
  }: {
    visibility?: Visibility;
    relayed?: number;
    eligible?: readonly boolean[];
  } = {},
) => {
  const nodes = states.map((_, i) => aNode({ id: `n${i}`, messagesPerSecond: relayed }));
  return footingOf(aSnapshot(nodes, { visibility }), states, eligible);
};

const part = (ageMs: number) => slowStartPart({ joinedAtMs: 0 }, ageMs, 60_000);

describe('eligibility', () => {
  it.each([
    ['drain', aNode({ adminState: 'drain', health: 'down' })],
    ['maint', aNode({ adminState: 'maint' })],
    ['down', aNode({ health: 'down', maxConnections: 0 })],
    ['full', aNode({ maxConnections: 5, open: 3, dialling: 2 })],
  ])('says %s', (reason, node) => {
    expect(ineligibleBecause(node)).toBe(reason);
  });

  it('has nothing against a node without load data, or with room for one', () => {
    expect(ineligibleBecause(aNode())).toBeUndefined();
    expect(ineligibleBecause(aNode({ maxConnections: 5, open: 4 }))).toBeUndefined();
  });

  it('refuses nodes far beyond their distress saturation while at most half of the fleet is', () => {
    expect(reasonsWith(1, 4)).toBe(1);
    expect(reasonsWith(2, 4)).toBe(2);
    expect(reasonsWith(3, 4)).toBe(0);
    expect(reasonsWith(4, 4)).toBe(0);
    expect(reasonsWith(1, 1)).toBe(0);
    expect(reasonsWith(1, 2)).toBe(1);
  });

  it('counts half of those that are otherwise eligible', () => {
    const nodes = [aNode(), aNode(), aNode(), aNode({ adminState: 'drain' })];
    expect(eligibilityOf(nodes, (_, index) => (index < 2 ? 9 : 0))).toEqual([
      undefined,
      undefined,
      undefined,
      'drain',
    ]);
  });

  it('lets busy nodes be: distress below the limit is no reason', () => {
    expect(eligibilityOf([aNode(), aNode()], () => refusedDistress - 0.01)).toEqual([undefined, undefined]);
  });
});

describe('what reports are worth', () => {
  const rule = { blackoutMs: 5000, expiryMs: 10_000 };
  const at = (nowMs: number, parts: Parameters<typeof aNode>[0]) => loadStateOf(aNode(parts), nowMs, rule);

  it('is nothing before the first', () => {
    expect(at(0, {})).toBe('none');
  });

  it('waits for the blackout of a newcomer to end', () => {
    const newcomer = { joinedAtMs: 0, load: aLoad({ firstAtMs: 0, sampledAtMs: 4999 }) };
    expect(at(4999, newcomer)).toBe('blackout');
    expect(at(5000, newcomer)).toBe('valid');
  });

  it('is something at once for a node that was there before the balancer', () => {
    expect(at(0, { load: aLoad({ firstAtMs: 0 }) })).toBe('valid');
  });

  it('ends with the expiry', () => {
    expect(at(10_000, { load: aLoad() })).toBe('valid');
    expect(at(10_001, { load: aLoad() })).toBe('expired');
  });

  it('is nothing without an additive signal', () => {
    expect(at(0, { load: aLoad({ utilization: NaN }) })).toBe('expired');
  });
});

describe('the ladder', () => {
  it('stands on load while at least half of the nodes past their blackout have valid data', () => {
    expect(stand(['valid', 'valid', 'expired', 'none'])).toEqual({ basis: 'load', panic: false });
    expect(stand(['valid', 'blackout', 'blackout', 'blackout'])).toEqual({ basis: 'load', panic: false });
  });

  it('goes down to the relay, to connections, to rotation, as far as the data plane sees', () => {
    const lost: LoadState[] = ['valid', 'expired', 'expired'];
    expect(stand(lost)).toEqual({ basis: 'relay', panic: true });
    expect(stand(lost, { relayed: 0 })).toEqual({ basis: 'connections', panic: true });
    expect(stand(lost, { visibility: connectionsSeen })).toEqual({ basis: 'connections', panic: true });
    expect(stand(lost, { visibility: nothingSeen })).toEqual({ basis: 'rotation', panic: true });
  });

  it('is no panic where data never was: a pool without agents is placed by what there is', () => {
    expect(stand(['none', 'none', 'none'])).toEqual({ basis: 'relay', panic: false });
    expect(stand(['valid', 'none', 'none'])).toEqual({ basis: 'relay', panic: false });
    expect(stand(['blackout', 'blackout'])).toEqual({ basis: 'relay', panic: false });
    expect(stand([])).toEqual({ basis: 'connections', panic: false });
  });

  it('asks only the eligible', () => {
    const states: LoadState[] = ['valid', 'expired', 'expired', 'expired'];
    expect(stand(states, { eligible: [true, false, false, false] }).basis).toBe('load');
    expect(stand(states, { eligible: [false, true, true, true] })).toEqual({ basis: 'relay', panic: true });
  });
});

describe('guards', () => {
  const rule = { maxShare: 0.5, slowStartMs: 60_000, connectRatePerSecond: 200 };
  const moment = { nowMs: 0, arrivals: 100, horizonMs: 1000, eligibleCount: 4 };

  it('bound by the share from four eligible nodes on', () => {
    expect(boundOf(aNode(), rule, moment)).toBe(50);
    expect(boundOf(aNode(), rule, { ...moment, eligibleCount: 3 })).toBe(200);
  });

  it('bound by the room that is left, never below 0', () => {
    expect(boundOf(aNode({ maxConnections: 10, open: 8 }), rule, moment)).toBe(2);
    expect(boundOf(aNode({ maxConnections: 10, open: 12 }), rule, moment)).toBe(0);
  });

  it('bound by the connect rate, slowed down for newcomers, but never to less than one', () => {
    const slow = { ...rule, connectRatePerSecond: 20 };
    expect(boundOf(aNode(), slow, moment)).toBe(20);
    expect(boundOf(aNode({ joinedAtMs: -30_000 }), slow, moment)).toBe(10);
    expect(boundOf(aNode(), { ...rule, connectRatePerSecond: 0.1 }, moment)).toBe(1);
  });

  it('let a newcomer in from a tenth to all, in a straight line', () => {
    expect([part(0), part(3000), part(30_000), part(60_000), part(1e9)]).toEqual([0.1, 0.1, 0.5, 1, 1]);
    expect(slowStartPart({ joinedAtMs: 0 }, 0, 0)).toBe(1);
    expect(slowStartPart({ joinedAtMs: -Infinity }, 0, 60_000)).toBe(1);
  });
});
