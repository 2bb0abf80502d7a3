import { describe, expect, it } from 'vitest';
import { nodeAddress } from '../../../../src/balancer/intake/source-address.ts';
import type { Address } from '../../../../src/policy/address.ts';
import { anIdentity } from '../../../support/a-node.ts';
import { aReport } from '../../../support/a-report.ts';

function of(node: object, configured?: object): Address {
  return nodeAddress(aReport(node), {
    sourceHost: '10.0.0.7',
    configured: configured === undefined ? undefined : anIdentity('a', configured),
  });
}

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
