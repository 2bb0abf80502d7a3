import { describe, expect, it } from 'vitest';
import { failureOf, isRepeatable } from '../../../../src/balancer/proxy/failure.ts';

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
    ['UND_ERR_INVALID_ARG', 'local', false],
    ['HPE_INVALID_CONSTANT', 'handshake', false],
  ] as const)('tells %s as %s', (code, reason, isNeverSent) => {
    expect(failureOf(coded(code))).toBe(reason);
    expect(isRepeatable('POST', coded(code), 1)).toBe(isNeverSent);
  });

  it('lets an idempotent request go elsewhere after a reset, and none after a timeout', () => {
    expect(isRepeatable('GET', coded('ECONNRESET'), 1)).toBe(true);
    expect(isRepeatable('PATCH', coded('ECONNRESET'), 1)).toBe(false);
    // A request that kills whoever takes it must not be handed round the fleet.
    expect(isRepeatable('GET', coded('ECONNRESET'), 2)).toBe(false);
    expect(isRepeatable('GET', coded('ECONNREFUSED'), 2)).toBe(true);
    expect(isRepeatable('GET', coded('UND_ERR_HEADERS_TIMEOUT'), 1)).toBe(false);
  });

  it('looks into an error made of several', () => {
    expect(failureOf(new AggregateError([coded('ECONNREFUSED'), coded('EMFILE')]))).toBe('refused');
  });

  it('takes what it does not know for a failed handshake', () => {
    for (const error of [undefined, null, 'x', new Error('x'), { code: 7 }, new AggregateError([])])
      expect(failureOf(error)).toBe('handshake');
  });
});
