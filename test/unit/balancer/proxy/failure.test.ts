import { describe, expect, it } from 'vitest';
import { failureOf, wasNeverSent } from '../../../../src/balancer/proxy/failure.ts';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

describe('failureOf', () => {
  it.each([
    ['ECONNREFUSED', 'refused', true],
    ['ENOTFOUND', 'refused', true],
    ['EHOSTUNREACH', 'refused', true],
    ['ETIMEDOUT', 'timeout', false],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', true],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', false],
    ['ECONNRESET', 'reset', false],
    ['UND_ERR_SOCKET', 'reset', false],
    ['EMFILE', 'local', true],
    ['EADDRNOTAVAIL', 'local', true],
    ['EAI_AGAIN', 'local', true],
    ['HPE_INVALID_CONSTANT', 'handshake', false],
  ] as const)('tells %s as %s', (code, reason, neverSent) => {
    expect(failureOf(coded(code))).toBe(reason);
    expect(wasNeverSent(coded(code))).toBe(neverSent);
  });

  it('looks into an error made of several', () => {
    expect(failureOf(new AggregateError([coded('ECONNREFUSED'), coded('EMFILE')]))).toBe('refused');
  });

  it('takes what it does not know for a failed handshake', () => {
    for (const error of [undefined, null, 'x', new Error('x'), { code: 7 }, new AggregateError([])])
      expect(failureOf(error)).toBe('handshake');
  });
});
