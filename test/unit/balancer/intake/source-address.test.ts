import { describe, expect, it } from 'vitest';
import {
  isLoopback,
  nodeAddress,
  plainAddress,
  type NodeAddress,
} from '../../../../src/balancer/intake/source-address.ts';
import { aNode, aReport } from '../../../support/a-registry.ts';

function of(node: object, configured?: object): NodeAddress {
  return nodeAddress(aReport('a', { node: { id: 'a', ...node } }), {
    sourceHost: '10.0.0.7',
    configured: configured === undefined ? undefined : aNode('a', configured),
  });
}

describe('a plain address', () => {
  it.each([
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['FD00::1', 'fd00::1'],
    ['::ffff:cafe', '::ffff:cafe'],
  ])('%s is %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });

  it('is loopback for 127.0.0.0/8 and ::1 alone', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1'].map(isLoopback)).toEqual([true, true, true]);
    expect(['10.0.0.1', '127.evil.example', '::2', ''].map(isLoopback)).toEqual([false, false, false, false]);
  });
});

describe('the address of a node', () => {
  it('is what the report says', () => {
    expect(of({ address: '10.1.1.1:80' })).toEqual({ host: '10.1.1.1', port: 80 });
    expect(of({ address: '[::FFFF:10.1.1.1]:80' })).toEqual({ host: '10.1.1.1', port: 80 });
    expect(of({ address: 'ws-1.internal:80' })).toEqual({ host: 'ws-1.internal', port: 80 });
  });

  it('is the source with the port that the report names', () => {
    expect(of({ port: 9000 })).toEqual({ host: '10.0.0.7', port: 9000 });
  });

  it('is that of the configuration when the report names none', () => {
    expect(of({}, { host: '10.2.2.2', port: 70 })).toEqual({ host: '10.2.2.2', port: 70 });
  });

  it('is missing when nobody names one', () => {
    expect(() => of({})).toThrow('needs node.address or node.port');
  });

  it('of a node that the configuration names by host is told by its port', () => {
    const configured = { host: 'ws-1.internal', port: 9000 };
    expect(of({ address: '10.1.1.1:9000' }, configured)).toEqual(configured);
    expect(of({ address: '10.1.1.1:9001' }, configured)).toEqual({ host: '10.1.1.1', port: 9001 });
  });

  it('of another machine than the configuration says stays as it is, for the registry to refuse', () => {
    expect(of({ port: 8081 }, { host: '10.2.2.2', port: 8081 })).toEqual({ host: '10.0.0.7', port: 8081 });
  });
});
