import { describe, expect, it } from 'vitest';
import { clientOf } from '../../../../src/balancer/proxy/client.ts';

const trusted = (address: string) => address.startsWith('10.');
const addressOf = (peer: string, claim: string) =>
  clientOf({ trusted }, { address: peer }, claim === '' ? [] : ['X-Forwarded-For', claim]).address;

describe('the client of a request', () => {
  it.each([
    ['192.0.2.1', '', '192.0.2.1'],
    ['::ffff:192.0.2.1', '', '192.0.2.1'],
    ['192.0.2.1', '1.1.1.1', '192.0.2.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '1.1.1.1', '1.1.1.1'],
    ['10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', '1.1.1.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', 'unknown, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', 'nonsense', '10.0.0.1'],
    ['10.0.0.1', '192.0.2.1:5000', '192.0.2.1'],
    ['10.0.0.1', '[2001:DB8::1]:5000', '2001:db8::1'],
    ['', '1.1.1.1', ''],
  ])('from %s that claims "%s" is %s', (peer, claim, address) => {
    expect(addressOf(peer, claim)).toBe(address);
  });

  it('came as the first trusted claim says, else as the connection does', () => {
    const schemeOf = (address: string, claim: string, isEncrypted = false) =>
      clientOf({ trusted }, { address, isEncrypted }, ['X-Forwarded-Proto', claim]).scheme;
    expect(schemeOf('10.0.0.1', 'HTTPS, http')).toBe('https');
    expect(schemeOf('10.0.0.1', 'wss')).toBe('https');
    expect(schemeOf('10.0.0.1', 'ws', true)).toBe('http');
    expect(schemeOf('10.0.0.1', 'gopher', true)).toBe('https');
    expect(schemeOf('192.0.2.1', 'https')).toBe('http');
    expect(schemeOf('192.0.2.1', 'http', true)).toBe('https');
  });
});
