import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { AccessLog } from '../../../../src/balancer/access-log.ts';
import { logRefusal, uncheckedRequest } from '../../../../src/balancer/proxy/access-refusal.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { createSilentLogger } from '../../../../src/platform/logger.ts';
import type { AccessLogConfig } from '../../../../src/policy/config.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** How often the origin of a refused connection is asked for under `config`. */
function timesAsked(config: AccessLogConfig | undefined): number {
  const log = new AccessLog(config, { clock: new ManualClock(), rng: pcg32(1), log: createSilentLogger() });
  let asked = 0;
  const origin = () => {
    asked += 1;
    return { address: '192.0.2.1' };
  };
  const access = log.begin.bind(log, 'public');
  logRefusal({ access }, { connection: {}, origin }, 'HERALD_LISTENER_FULL');
  return asked;
}

const everything: AccessLogConfig = { file: undefined, sampledPart: 1, pools: 'all', withQuery: false };

describe('a refusal', () => {
  it('makes nobody ask where its client is while nothing is logged, nor where its pool is not', () => {
    expect(timesAsked(undefined)).toBe(0);
    expect(timesAsked({ ...everything, pools: ['chat'] })).toBe(0);
    expect(timesAsked({ ...everything, sampledPart: 0 })).toBe(1);
  });
});

describe('a request that has passed no check', () => {
  const told = (url: string, rawHeaders: string[] = []) => {
    // Proof of `as`: nothing else of the message is read.
    const { head } = uncheckedRequest({ method: 'GET', url, rawHeaders } as IncomingMessage);
    return [head.hostName, head.target];
  };

  it.each([
    ['/a?b', ['Host', 'A.Example:80'], ['a.example', '/a?b']],
    ['/a#token', [], ['', '/a']],
    ['https://user:word@a/b@c', ['Host', 'x', 'Host', 'y'], ['x', 'https://a/b@c']],
    ['b.example:443', ['Host', '[::1]:443'], ['[::1]', 'b.example:443']],
  ])('is told as sent, without what may be secret: %s', (url, fields, expected) => {
    expect(told(url, fields)).toEqual(expected);
  });
});
