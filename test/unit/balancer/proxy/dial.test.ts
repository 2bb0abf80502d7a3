import { describe, expect, it } from 'vitest';
import { dialNode } from '../../../../src/balancer/proxy/dial.ts';
import { createSourceAddresses } from '../../../../src/balancer/proxy/source-addresses.ts';
import type { HostResolver } from '../../../../src/balancer/proxy/resolve.ts';
import { createFakeTransport } from '../../../support/fake-wire.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const sources = createSourceAddresses([]);
const timeouts = {
  headMs: 1,
  dialMs: 1_000,
  handshakeMs: 1,
  tunnelIdleMs: 1,
  requestIdleMs: 1,
  keepAliveMs: 1,
  stallMs: 1,
};
const node = { id: 'a', host: 'node', port: 1 };

/** One dial under way; `resolved` is the lookup's answer, to be given by the test. */
function aDial() {
  const clock = new ManualClock();
  const { transport, dials } = createFakeTransport();
  const told: string[] = [];
  const lookup: { resolved: Parameters<HostResolver>[1] } = { resolved: () => {} };
  const resolve: HostResolver = (_host, done) => void (lookup.resolved = done);
  const stage = dialNode({ clock, transport, timeouts, resolve, sources }, node, {
    connected: () => told.push('connected'),
    failed: (reason) => told.push(reason),
  });
  return { clock, dials, told, lookup, stage };
}

describe('a dial', () => {
  it('connects to the address of the name and stops its timer', () => {
    const { clock, dials, told, lookup } = aDial();
    lookup.resolved(undefined, '192.0.2.1');
    expect(dials[0]?.host).toBe('192.0.2.1');
    dials[0]?.reader.connected();
    clock.advance(5_000);
    expect(told).toEqual(['connected']);
    expect(clock.pending).toBe(0);
  });

  it('times out during the lookup, and the late address is not dialled', () => {
    const { clock, dials, told, lookup } = aDial();
    clock.advance(1_000);
    lookup.resolved(undefined, '192.0.2.1');
    expect(told).toEqual(['timeout']);
    expect(dials).toEqual([]);
  });

  it('times out while connecting, closes the wire and tells once', () => {
    const { clock, dials, told, lookup } = aDial();
    lookup.resolved(undefined, '192.0.2.1');
    clock.advance(1_000);
    dials[0]?.reader.connected();
    dials[0]?.reader.closed(undefined);
    expect(dials[0]?.wire.isClosed).toBe(true);
    expect(told).toEqual(['timeout']);
  });

  it('that is aborted says nothing and leaves nothing', () => {
    const { clock, dials, told, lookup, stage } = aDial();
    lookup.resolved(undefined, '192.0.2.1');
    stage.abort();
    dials[0]?.reader.closed(undefined);
    expect(dials[0]?.wire.isClosed).toBe(true);
    expect([told, clock.pending]).toEqual([[], 0]);
  });

  it('that is aborted during the lookup never dials', () => {
    const { dials, told, lookup, stage } = aDial();
    stage.abort();
    lookup.resolved(undefined, '192.0.2.1');
    expect([dials, told]).toEqual([[], []]);
  });

  it('tells a lookup that failed', () => {
    const { told, lookup } = aDial();
    lookup.resolved(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), '');
    expect(told).toEqual(['refused']);
  });
});
