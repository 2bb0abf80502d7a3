import { describe, expect, it } from 'vitest';
import { NodeCounters } from '../../../src/core/node-counters.ts';
import { partOfRates } from '../../../src/core/peer-counts.ts';
import { aPlainPolicy } from '../../support/a-policy.ts';

const peers = { connections: 30, messagesPerSecond: 100, openedTotal: 0 };

describe('what peers carry', () => {
  it('is part of a node’s connections and expected messages, and not of its own', () => {
    const counters = Object.assign(new NodeCounters(), { open: 4, dialling: 1, messagesPerSecond: 7, peers });
    expect([counters.connections, counters.ownConnections]).toEqual([35, 5]);
    expect([counters.expectedMessagesPerSecond, counters.messagesPerSecond]).toEqual([107, 7]);
  });

  it('counts in the messages of a span by its expected rate', () => {
    const counters = Object.assign(new NodeCounters(), { peers });
    for (let nowMs = 0; nowMs <= 2000; nowMs += 100) {
      counters.messagesToNodeTotal += 5;
      counters.record(nowMs);
    }
    const carried = counters.at(2000, 2000).messages - counters.at(1000, 2000).messages;
    expect(carried).toBeCloseTo(100 + 50);
    expect(counters.expectedOver({ startMs: 1000, endMs: 2000 })).toBeCloseTo(100);
  });

  it('was there all along when a peer is met', () => {
    const counters = new NodeCounters();
    for (let nowMs = 0; nowMs <= 2000; nowMs += 100) counters.record(nowMs);
    counters.peers = peers;
    counters.recount(peers, 2000);
    expect(counters.at(1000, 2000).connections).toBe(30);
    expect(counters.at(2000, 2000).messages - counters.at(1000, 2000).messages).toBeCloseTo(100);
    expect(counters.expectedOver({ startMs: 500, endMs: 1500 })).toBe(100);
  });

  it('leaves this balancer an equal part of the limits in time', () => {
    const policy = aPlainPolicy({ place: { connectRatePerSecond: 100 }, admit: { ratePerSecond: 30 } });
    expect(partOfRates(policy, 1)).toBe(policy);
    const part = partOfRates(policy, 4);
    expect([part.place.connectRatePerSecond, part.admit.ratePerSecond]).toEqual([25, 7.5]);
    expect(partOfRates(aPlainPolicy({ admit: { ratePerSecond: 'off' } }), 2).admit.ratePerSecond).toBe('off');
  });
});
