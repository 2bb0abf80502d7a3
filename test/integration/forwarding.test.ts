// What nodes and clients are told of a request: who asked, its id, its trace; through a whole balancer.
import { request, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { aTellingNode } from '../support/telling-node.ts';

type Headers = Readonly<Record<string, string>>;

async function aHouse(trusted: readonly string[], config: object = {}): Promise<Balancer> {
  const node = await aTellingNode('a');
  return aBalancer({
    pools: { chat: { policy: 'chat', routes: [{ path: '/chat' }], nodes: [node] }, none: { policy: 'chat' } },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
    config: { ...config, listeners: [{ name: 'public', bind: '127.0.0.1:0', trusted }] },
  });
}

/** What the node saw, and what the client got. */
interface Seen {
  readonly status: number;
  readonly node: IncomingHttpHeaders;
  readonly client: IncomingHttpHeaders;
}

function ask(balancer: Balancer, headers: Headers, path = '/chat'): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const port = balancer.listenerPort('public');
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const body = JSON.parse(text) as { headers?: IncomingHttpHeaders };
        resolve({ status: response.statusCode ?? 0, node: body.headers ?? {}, client: response.headers });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

function upgrade(balancer: Balancer, headers: Headers): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${balancer.listenerPort('public')}/chat`, { headers });
    onTestFinished(() => socket.terminate());
    let client: IncomingHttpHeaders = {};
    socket.on('upgrade', (response) => (client = response.headers));
    socket.on('message', (data) => {
      const { headers: node } = JSON.parse(String(data)) as { headers: IncomingHttpHeaders };
      resolve({ status: 101, node, client });
    });
    socket.on('error', reject);
  });
}

const claims = {
  host: 'chat.example.com:8443',
  'x-forwarded-for': '198.51.100.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'www.example.com',
  'x-forwarded-port': '443',
  forwarded: 'for=198.51.100.7;proto=https',
  'x-request-id': 'from-outside',
};
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe.each([
  ['a request', (balancer: Balancer, headers: Headers) => ask(balancer, headers)],
  ['an upgrade', upgrade],
])('%s', (_, send) => {
  it('of a stranger has our account of it alone', async () => {
    const { node, client } = await send(await aHouse([]), claims);
    expect(node).toMatchObject({
      host: 'chat.example.com:8443',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'chat.example.com:8443',
      'x-forwarded-port': '8443',
      forwarded: 'for=127.0.0.1;host="chat.example.com:8443";proto=http',
    });
    expect(node['x-request-id']).toMatch(uuid);
    expect(client['x-request-id']).toBe(node['x-request-id']);
  });

  it('of a trusted peer has its account, and the peer behind it', async () => {
    const { node, client } = await send(await aHouse(['127.0.0.0/8']), claims);
    expect(node).toMatchObject({
      'x-forwarded-for': '198.51.100.7, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'www.example.com',
      'x-forwarded-port': '443',
      forwarded: 'for=198.51.100.7;proto=https, for=127.0.0.1;host="chat.example.com:8443";proto=http',
      'x-request-id': 'from-outside',
    });
    expect(client['x-request-id']).toBe('from-outside');
  });

  it('keeps a sound trace, loses another, and begins one where that is wanted', async () => {
    const sound = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const balancer = await aHouse([]);
    const kept = await send(balancer, { traceparent: sound, tracestate: 'a=1' });
    expect(kept.node).toMatchObject({ traceparent: sound, tracestate: 'a=1' });
    const lost = await send(balancer, { traceparent: 'nonsense', tracestate: 'a=1' });
    expect(lost.node['traceparent']).toBeUndefined();
    expect(lost.node['tracestate']).toBeUndefined();
    const making = await aHouse([], { forwarding: { trace: 'make', requestId: false } });
    const made = await send(making, { 'x-request-id': 'mine' });
    expect(made.node['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(made.node['x-request-id']).toBe('mine');
    expect(made.client['x-request-id']).toBeUndefined();
    expect((await send(making, { traceparent: sound })).node['traceparent']).toBe(sound);
  });
});

describe('a refused request', () => {
  it('is told its id, too', async () => {
    const refused = await ask(await aHouse(['127.0.0.0/8']), { 'x-request-id': 'r1' }, '/elsewhere');
    expect(refused).toMatchObject({ status: 503, client: { 'x-request-id': 'r1' } });
  });
});
