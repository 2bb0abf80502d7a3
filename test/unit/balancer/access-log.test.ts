import { describe, expect, it } from 'vitest';
import { AccessLog } from '../../../src/balancer/access-log.ts';
import type { AccessStart } from '../../../src/balancer/proxy/access.ts';
import type { Lease } from '../../../src/balancer/state/ports.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { createSilentLogger } from '../../../src/platform/logger.ts';
import type { AccessLogConfig } from '../../../src/policy/config.ts';
import { aClient, aHead } from '../../support/a-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const everything: AccessLogConfig = { file: undefined, sampledPart: 1, pools: 'all', withQuery: false };

/** An access log into a list, on a clock that the test moves. */
function aLog(config: AccessLogConfig | undefined) {
  const lines: { event: string; facts: Record<string, unknown> }[] = [];
  const info = (facts: Record<string, unknown>, event: string) => void lines.push({ event, facts });
  const clock = new ManualClock();
  // Proof of `as`: it is called in this way only.
  const log = { ...createSilentLogger(), info: info as ReturnType<typeof createSilentLogger>['info'] };
  return { access: new AccessLog(config, { clock, rng: pcg32(1), log }), lines, clock };
}

function aStart(parts: Partial<AccessStart> = {}): AccessStart {
  const client = aClient('192.0.2.1');
  return { connection: {}, client, head: aHead(), method: 'GET', pool: 'chat', requestId: 'r1', ...parts };
}

function aLease(id: string): Lease {
  const nothing = () => {};
  const counts = { opened: nothing, failed: nothing, release: nothing, toNode: nothing, toClient: nothing };
  return { node: { id, host: '127.0.0.1', port: 1 }, affinity: 'kept', carriedBy: nothing, ...counts };
}

describe('the access log', () => {
  it('begins no story while it is off, or of a pool that is not logged', () => {
    expect(aLog(undefined).access.begin('public', aStart())).toBeUndefined();
    const { access } = aLog({ ...everything, pools: ['chat'] });
    expect(access.begin('public', aStart())).toBeDefined();
    expect(access.begin('public', aStart({ pool: '' }))).toBeUndefined();
    access.reconfigure(undefined);
    expect(access.begin('public', aStart())).toBeUndefined();
  });

  it('tells once how long each stage took, and where the client ended up', () => {
    const { access, lines, clock } = aLog(everything);
    const client = aClient('10.0.0.1', true, ['X-Forwarded-For', '192.0.2.9']);
    const story = access.begin('public', aStart({ client }));
    clock.advance(5);
    story?.placed(aLease('a'));
    clock.advance(100);
    story?.placed(aLease('b'));
    clock.advance(2);
    story?.dialled();
    clock.advance(3);
    story?.answered(101);
    clock.advance(1000);
    const totals = { toNodeBytes: 1, toNodeMessages: 2, toClientBytes: 3, toClientMessages: 4 };
    story?.ended('idle', 'websocket', totals);
    story?.ended('client', 'websocket', totals);
    expect(lines).toEqual([
      {
        event: 'connection ended',
        facts: {
          connection: 1,
          requestId: 'r1',
          listener: 'public',
          client: '192.0.2.9',
          peer: '10.0.0.1',
          kind: 'websocket',
          method: 'GET',
          host: 'chat',
          path: '/a',
          pool: 'chat',
          node: 'b',
          affinity: 'kept',
          attempts: 2,
          status: 101,
          end: 'idle',
          code: undefined,
          ...totals,
          placeMs: 105,
          dialMs: 2,
          answerMs: 3,
          totalMs: 1110,
        },
      },
    ]);
  });

  it('counts what a watched lease carries, and passes it on', () => {
    const { access, lines } = aLog(everything);
    const seen: string[] = [];
    const lease: Lease = {
      ...aLease('a'),
      opened: () => seen.push('opened'),
      toNode: (messages, bytes) => seen.push(`toNode ${messages} ${bytes}`),
      toClient: (messages, bytes) => seen.push(`toClient ${messages} ${bytes}`),
      failed: (reason) => seen.push(reason),
      release: () => seen.push('released'),
      carriedBy: ({ nodeId }) => seen.push(nodeId),
    };
    const story = access.begin('public', aStart());
    const watched = story?.watched(lease);
    watched?.opened();
    watched?.toNode(1, 10);
    watched?.toClient(2, 20);
    watched?.toClient(0, 5);
    watched?.carriedBy({ nodeId: 'a', kind: 'sse', leave: () => {} });
    watched?.release();
    watched?.failed('local');
    story?.ended('done', 'sse');
    expect(seen).toEqual([
      'opened',
      'toNode 1 10',
      'toClient 2 20',
      'toClient 0 5',
      'a',
      'released',
      'local',
    ]);
    expect(lines[0]).toMatchObject({
      event: 'exchange ended',
      facts: { toNodeMessages: 1, toNodeBytes: 10, toClientMessages: 2, toClientBytes: 25 },
    });
  });

  it('samples what ends well, and tells everything else', () => {
    const { access, lines } = aLog({ ...everything, sampledPart: 0.1 });
    for (let round = 0; round < 1000; round += 1) access.begin('public', aStart())?.ended('done', 'http');
    // 1,000 draws at a tenth: a standard deviation of 9.5, four of them are allowed.
    expect(Math.abs(lines.length - 100)).toBeLessThan(38);
    lines.length = 0;
    for (const end of ['nodeReset', 'clientReset', 'cut', 'halfClosed'] as const)
      access.begin('public', aStart())?.ended(end, 'websocket');
    access.begin('public', aStart())?.refused('HERALD_NO_NODE', 'http', 503);
    const retried = access.begin('public', aStart());
    retried?.placed(aLease('a'));
    retried?.placed(aLease('b'));
    retried?.ended('done', 'http');
    const failed = access.begin('public', aStart());
    failed?.answered(500);
    failed?.ended('done', 'http');
    expect(lines).toHaveLength(7);
  });

  it('gives each connection one number, and shows the query only where that is wanted', () => {
    const { access, lines } = aLog({ ...everything, withQuery: true });
    const connection = {};
    for (const each of [connection, {}, connection])
      access.begin('public', aStart({ connection: each, requestId: '' }))?.ended('done', 'http');
    expect(lines.map(({ facts }) => facts['connection'])).toEqual([1, 2, 1]);
    expect(lines[0]?.facts).toMatchObject({ path: '/a?b', requestId: undefined });
  });
});
