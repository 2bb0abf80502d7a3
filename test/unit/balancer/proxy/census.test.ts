import { describe, expect, it } from 'vitest';
import { addressKey, ClientCensus } from '../../../../src/balancer/proxy/census.ts';

const free = { connections: Infinity, connectionsPerAddress: Infinity };

function seated(seat: ReturnType<ClientCensus['enter']>) {
  if (typeof seat === 'string') throw new Error(seat);
  return seat;
}

describe('a census', () => {
  it('takes as many connections as its limit, and more when one has left', () => {
    const census = new ClientCensus({ ...free, connections: 2 });
    const first = seated(census.enter('connection', ''));
    seated(census.enter('connection', ''));
    expect(census.enter('connection', '')).toBe('listenerFull');
    first.leave();
    first.leave();
    expect(census.open).toBe(1);
    seated(census.enter('connection', ''));
  });

  it('counts each address by itself and forgets it with its last connection', () => {
    const census = new ClientCensus({ ...free, connectionsPerAddress: 1 });
    const seat = seated(census.enter('connection', '192.0.2.1'));
    expect(census.enter('connection', '192.0.2.1')).toBe('addressFull');
    expect(census.enter('request', '::ffff:192.0.2.1')).toBe('addressFull');
    seated(census.enter('connection', '192.0.2.2')).leave();
    seat.leave();
    expect(census.addresses).toBe(0);
    expect(census.open).toBe(0);
  });

  it('counts no request as a connection, and no address where none is given', () => {
    const census = new ClientCensus({ connections: 1, connectionsPerAddress: 1 });
    seated(census.enter('request', '192.0.2.1'));
    seated(census.enter('request', ''));
    seated(census.enter('request', ''));
    expect(census.open).toBe(0);
  });

  it('holds a hundred thousand addresses at most and lets the others in uncounted', () => {
    const census = new ClientCensus({ ...free, connectionsPerAddress: 1 });
    for (let i = 0; i < 100_001; i++)
      seated(census.enter('request', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
    expect(census.addresses).toBe(100_000);
    const last = `10.1.${(100_000 >> 8) & 255}.${100_000 & 255}`;
    seated(census.enter('request', last)).leave();
    expect(census.addresses).toBe(100_000);
    expect(census.enter('request', '10.0.0.0')).toBe('addressFull');
  });

  it('takes an IPv6 /64 for one address', () => {
    expect(addressKey('2001:db8::1')).toBe(addressKey('2001:db8::ffff'));
    expect(addressKey('2001:db8:0:1::1')).not.toBe(addressKey('2001:db8::1'));
    expect(addressKey('unknown')).toBe('unknown');
  });
});
