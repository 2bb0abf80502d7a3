// Hosts and paths on the wire, through a whole balancer: requests and upgrades find the same pool.
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { aTellingNode } from '../support/telling-node.ts';
import { until } from '../support/until.ts';

async function aHouse(): Promise<Balancer> {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(aTellingNode));
  const balancer = await aBalancer({
    pools: {
      chat: {
        policy: 'chat',
        routes: [{ host: 'bücher.example' }, { path: '/chat' }],
        nodes: [a],
      },
      tenants: { policy: 'chat', routes: [{ host: '*.example' }], nodes: [b] },
      door: { policy: 'chat', routes: [{ path: '/chat/health', match: 'exact' }], nodes: [c] },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
  });
  return balancer;
}

interface Told {
  readonly id: string;
  readonly url: string;
}

/** Where a request for `path` of `host` ends: what the node told, or the status and code of the problem. */
function ask(balancer: Balancer, host: string, path: string): Promise<Told | string> {
  return new Promise((resolve, reject) => {
    const port = balancer.listenerPort('public');
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const body = JSON.parse(text) as Told & { code: string };
        resolve(response.statusCode === 200 ? body : `${response.statusCode} ${body.code}`);
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** The same for an upgrade; the status alone for one that fails. */
function upgrade(balancer: Balancer, host: string, path: string): Promise<Told | string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${balancer.listenerPort('public')}${path}`, {
      headers: { host },
    });
    onTestFinished(() => socket.terminate());
    socket.on('message', (data) => resolve(JSON.parse(String(data)) as Told));
    socket.on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
    socket.on('error', reject);
  });
}

describe('routes', () => {
  it('lead requests and upgrades to one pool, and pass the path as it was sent', async () => {
    const balancer = await aHouse();
    await until(
      () => balancer.assess('chat').ineligible.length === 1,
      () => 'no node',
    );
    const expected = [
      ['XN--bcher-kva.example:8080', '/x?y=/z', 'a'],
      ['acme.example.', '/', 'b'],
      ['elsewhere', '/x/%2e%2e/chat/1', 'a'],
      ['elsewhere', '/chat/health', 'c'],
      ['elsewhere', '/chat/health/1', 'a'],
    ] as const;
    for (const [host, path, id] of expected) {
      expect(await ask(balancer, host, path)).toMatchObject({ id, url: path });
      // ws works dot segments off itself, as browsers do.
      if (!path.includes('%2e')) expect(await upgrade(balancer, host, path)).toMatchObject({ id, url: path });
    }
  });

  it('that do not match end in 404 for both', async () => {
    const balancer = await aHouse();
    expect(await ask(balancer, 'elsewhere', '/chatter')).toBe('404 HERALD_ROUTE_UNKNOWN');
    expect(await upgrade(balancer, 'elsewhere', '/chatter')).toBe('404');
    expect(await ask(balancer, 'example', '/')).toBe('404 HERALD_ROUTE_UNKNOWN');
  });
});
