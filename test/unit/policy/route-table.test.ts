import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRouteTable } from '../../../src/policy/route-table.ts';

const to = (host: string, path: string, isExact = false) => ({ host, path, isExact });

const pools = [
  { name: 'any', routes: [to('*', '/')] },
  { name: 'chat', routes: [to('chat.example.com', '/'), to('*', '/chat')] },
  { name: 'tenants', routes: [to('*.example.com', '/')] },
  { name: 'live', routes: [to('*.eu.example.com', '/live/')] },
  { name: 'door', routes: [to('*', '/chat', true), to('chat.example.com', '/health', true)] },
  { name: 'six', routes: [to('[0:0:0:0:0:0:0:1]', '/')] },
];
const route = buildRouteTable(pools);

describe('route table', () => {
  it.each([
    ['chat.example.com', '/x', 'chat'],
    ['a.example.com', '/', 'tenants'],
    ['b.a.example.com', '/', 'tenants'],
    ['example.com', '/', 'any'],
    ['notexample.com', '/', 'any'],
    ['.example.com', '/', 'any'],
    ['a.eu.example.com', '/live/1', 'live'],
    ['a.eu.example.com', '/live/', 'live'],
    ['a.eu.example.com', '/live', 'tenants'],
    ['a.eu.example.com', '/other', 'tenants'],
    ['elsewhere', '/chat', 'door'],
    ['elsewhere', '/chat/', 'chat'],
    ['elsewhere', '/chat/room?x=/y', 'chat'],
    ['elsewhere', '/chat?room=1', 'door'],
    ['elsewhere', '/chatter', 'any'],
    ['elsewhere', '/Chat/x', 'any'],
    ['chat.example.com', '/health', 'door'],
    ['chat.example.com', '/health/', 'chat'],
    ['', '/', 'any'],
  ])('sends %s%s to %s', (host, path, pool) => {
    expect(route(host, path)).toBe(pool);
  });

  it('takes a final dot, and every form of an IPv6 address, for the same host', () => {
    expect(route('chat.example.com.', '/x')).toBe('chat');
    expect(route('a.example.com.', '/')).toBe('tenants');
    expect(route('[::1]', '/')).toBe('six');
    expect(route('[0:0::0001]', '/')).toBe('six');
    expect(route('[::2]', '/')).toBe('any');
  });

  it('compares paths in one form, so that no spelling leads past a route', () => {
    for (const path of ['/%63hat/x', '/x/../chat/y', '/x/%2e%2E/chat/y', '/./chat/y', '/../chat/y'])
      expect(route('elsewhere', path)).toBe('chat');
    for (const path of ['/chat%2fy', '/chat/..', '/chat/../y', '/%zzchat', '/chat.'])
      expect(route('elsewhere', path)).toBe('any');
  });

  it('matches nothing without routes', () => {
    expect(buildRouteTable([])('a', '/')).toBeUndefined();
  });

  it('finds the same pool in whatever order routes stand', () => {
    const hosts = ['chat.example.com', 'a.eu.example.com', 'x.example.com', 'elsewhere'];
    const paths = ['/', '/chat', '/chat/1', '/live/2', '/health'];
    fc.assert(
      fc.property(fc.shuffledSubarray(pools, { minLength: pools.length }), (shuffled) => {
        const other = buildRouteTable(
          shuffled.map(({ name, routes }) => ({ name, routes: routes.toReversed() })),
        );
        for (const host of hosts) for (const path of paths) expect(other(host, path)).toBe(route(host, path));
      }),
      { numRuns: 50 },
    );
  });

  it('answers at once however deep a path is', () => {
    expect(route('elsewhere', '/'.repeat(16_000))).toBe('any');
    expect(route('elsewhere', `/chat${'/a'.repeat(8000)}`)).toBe('chat');
  });
});
