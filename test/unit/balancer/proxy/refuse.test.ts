import { describe, expect, it } from 'vitest';
import {
  eventStreamRefusal,
  isEventSource,
  retryAfterMs,
  upgradeRefusal,
} from '../../../../src/balancer/proxy/refuse.ts';
import { pcg32 } from '../../../../src/core/rng.ts';

const noNode = { code: 'HERALD_NO_NODE', message: '1 down', retryAfterMs: 1_500 } as const;
const key = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='];

/** The refusal of a client that offers these sub-protocols. */
function offered(protocols: string): string {
  return upgradeRefusal(noNode, [...key, 'Sec-WebSocket-Protocol', protocols]).toString('latin1');
}

describe('a refused upgrade', () => {
  it('for want of a node is a handshake and a Close that fits a control frame', () => {
    const bytes = upgradeRefusal(noNode, key);
    const frame = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
    expect(bytes.toString('latin1')).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(frame[1]).toBe(frame.length - 2);
    expect(frame.length).toBeLessThanOrEqual(127);
    expect(frame.subarray(4).toString()).toBe('HERALD_NO_NODE retry-ms=1500');
  });

  it('chooses the first sub-protocol offered, and none that is not a token', () => {
    expect(offered('a, b')).toContain('Sec-WebSocket-Protocol: a\r\n');
    expect(offered('a b')).not.toContain('Sec-WebSocket-Protocol');
  });

  it('without a key, or for any other reason, is problem+json', () => {
    expect(upgradeRefusal(noNode, []).toString()).toMatch(/^HTTP\/1\.1 503 /);
    expect(upgradeRefusal({ code: 'HERALD_DIAL_FAILED', message: 'x' }, key).toString()).toMatch(
      /^HTTP\/1\.1 502 /,
    );
  });
});

describe('a refused upgrade for want of a place', () => {
  const notAdmitted = { code: 'HERALD_NOT_ADMITTED', message: 'x', retryAfterMs: 62_500 } as const;

  it('is told inside WebSocket as well, or by status where the policy says so', () => {
    expect(upgradeRefusal(notAdmitted, key).toString('latin1')).toMatch(/ retry-ms=62500$/);
    expect(upgradeRefusal(notAdmitted, key, { form: 'http' }).toString()).toMatch(
      /^HTTP\/1\.1 503 [^]*Retry-After: 63\r\n/,
    );
  });
});

describe('coming back', () => {
  it('is behind the wait that is expected, give or take a tenth', () => {
    const rng = pcg32(3);
    const delays = Array.from({ length: 1_000 }, () => retryAfterMs(rng, 20_000));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(19_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(27_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(5_000);
  });

  it('is spread over one to five seconds', () => {
    const rng = pcg32(3);
    const delays = Array.from({ length: 1_000 }, () => retryAfterMs(rng));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5_000);
    expect(new Set(delays).size).toBeGreaterThan(500);
  });

  it('is told to an EventSource in its own words', () => {
    expect(isEventSource(['Accept', 'text/event-stream'])).toBe(true);
    expect(isEventSource(['Accept', 'text/html'])).toBe(false);
    expect(eventStreamRefusal(noNode)).toBe(': HERALD_NO_NODE\nretry: 1500\n\n');
  });
});
