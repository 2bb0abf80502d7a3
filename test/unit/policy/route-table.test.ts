import { describe, expect, it } from 'vitest';
import { buildRouteTable } from '../../../src/policy/route-table.ts';

const route = buildRouteTable([
  { name: 'any', routes: [{ host: '*', path: '/' }] },
  {
    name: 'chat',
    routes: [
      { host: 'chat.example.com', path: '/' },
      { host: '*', path: '/chat' },
    ],
  },
  { name: 'tenants', routes: [{ host: '*.example.com', path: '/' }] },
  { name: 'live', routes: [{ host: '*.eu.example.com', path: '/live/' }] },
]);

describe('route table', () => {
  it.each([
    ['chat.example.com', '/x', 'chat'],
    ['a.example.com', '/', 'tenants'],
    ['example.com', '/', 'any'],
    ['a.eu.example.com', '/live/1', 'live'],
    ['a.eu.example.com', '/other', 'tenants'],
    ['elsewhere', '/chat', 'chat'],
    ['elsewhere', '/chat/room?x=/y', 'chat'],
    ['elsewhere', '/chat?room=1', 'chat'],
    ['elsewhere', '/chatter', 'any'],
    ['', '/', 'any'],
  ])('sends %s%s to %s', (host, path, pool) => {
    expect(route(host, path)).toBe(pool);
  });

  it('matches nothing without routes', () => {
    expect(buildRouteTable([])('a', '/')).toBeUndefined();
  });
});
