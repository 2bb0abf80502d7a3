import { describe, expect, it } from 'vitest';
import { ClientCensus } from '../../../../src/balancer/proxy/census.ts';
import { ClientCounts } from '../../../../src/balancer/proxy/client-counts.ts';

/** Counts of a process that shares, and a way to count some for an address. */
function sharing(processes: number, connectionsPerAddress = 100) {
  const counts = new ClientCounts({ processes, connectionsPerAddress });
  const add = (address: string, times: number) => {
    for (let i = 0; i < times; i += 1) counts.addAddress(address);
  };
  const drop = (address: string, times: number) => {
    for (let i = 0; i < times; i += 1) counts.dropAddress(address);
  };
  return { counts, add, drop };
}

describe('a census that shares its limits', () => {
  it('counts what the others have against both', () => {
    const counts = new ClientCounts({ processes: 2, connectionsPerAddress: 3 });
    const census = new ClientCensus({ connections: 5, connectionsPerAddress: 3, counts });
    counts.hear({ connections: 3, addresses: [['4:3221225985', 2]] });
    expect(census.enter('connection', '192.0.2.1')).toBeTypeOf('object');
    expect(census.enter('connection', '192.0.2.1')).toBe('addressFull');
    expect(census.enter('request', '192.0.2.1')).toBe('addressFull');
    expect(census.enter('connection', '192.0.2.2')).toBeTypeOf('object');
    expect(census.enter('connection', '192.0.2.3')).toBe('listenerFull');
    expect([census.open, census.addresses]).toEqual([2, 2]);
    counts.hear({ connections: 2, addresses: [['4:3221225985', 0]] });
    expect(census.enter('connection', '192.0.2.1')).toBeTypeOf('object');
  });

  it('keeps what it has heard of an address until it hears otherwise', () => {
    const { counts, add } = sharing(2);
    counts.hear({ connections: 9, addresses: [['x', 7]] });
    counts.hear({ connections: 8, addresses: [] });
    add('x', 1);
    expect([counts.connections, counts.connectionsOf('x')]).toEqual([8, 8]);
  });

  it('holds a hundred thousand addresses of the others at most', () => {
    const { counts } = sharing(2);
    const addresses = Array.from({ length: 100_001 }, (_, i) => [`${i}`, 2] as const);
    counts.hear({ connections: 0, addresses });
    expect([counts.connectionsOf('99999'), counts.connectionsOf('100000')]).toEqual([2, 0]);
    counts.hear({ connections: 0, addresses: [['99999', 3]] });
    expect(counts.connectionsOf('99999')).toBe(3);
  });
});

describe('news of clients', () => {
  it('are none while nothing has changed, and none of a client that has come and gone', () => {
    const { counts, add, drop } = sharing(2, 4);
    expect(counts.takeNews()).toBeUndefined();
    counts.addConnection(1);
    add('x', 1);
    expect(counts.takeNews()).toEqual({ connections: 1, addresses: [['x', 1]] });
    expect(counts.takeNews()).toBeUndefined();
    add('y', 1);
    drop('y', 1);
    expect(counts.takeNews()).toBeUndefined();
    drop('x', 1);
    counts.addConnection(-1);
    expect(counts.takeNews()).toEqual({ connections: 0, addresses: [['x', 0]] });
  });

  it('tell addresses in steps of an eighth of a part of the limit, rounded down', () => {
    const { counts, add, drop } = sharing(4, 200);
    add('x', 5);
    expect(counts.takeNews()).toBeUndefined();
    add('x', 14);
    expect(counts.takeNews()?.addresses).toEqual([['x', 18]]);
    add('x', 4);
    expect(counts.takeNews()).toBeUndefined();
    drop('x', 6);
    expect(counts.takeNews()?.addresses).toEqual([['x', 12]]);
    drop('x', 12);
    expect(counts.takeNews()?.addresses).toEqual([['x', 0]]);
  });

  it('are a thousand addresses at a time, the longest waiting first', () => {
    const { counts, add, drop } = sharing(4, 4);
    for (let i = 0; i < 2500; i += 1) add(`${i}`, 1);
    drop('3', 1);
    const told = [1, 2, 3].map(() => counts.takeNews()?.addresses.map(([address]) => address) ?? []);
    expect(told.map(({ length }) => length)).toEqual([1000, 1000, 499]);
    expect([told[0]?.[0], told[1]?.[0]]).toEqual(['0', '1001']);
    expect(counts.takeNews()).toBeUndefined();
  });

  it('tell no address where addresses have no limit', () => {
    const { counts, add } = sharing(2, Infinity);
    add('x', 1000);
    expect(counts.takeNews()).toBeUndefined();
  });

  it('are not kept by a process that is alone', () => {
    const counts = new ClientCounts();
    counts.addAddress('x');
    expect(counts.takeNews()).toBeUndefined();
  });
});
