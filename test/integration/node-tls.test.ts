// TLS to nodes: who is believed, what a failure is called, and that checks, sessions and reloads go the same way.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { aPublicNode } from '../support/a-public-node.ts';
import { anAuthority } from '../support/authority.ts';
import { eventually } from '../support/eventually.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { aBalancer, reloaded } from '../support/in-process.ts';
import { exchange } from '../support/raw-http.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function aFront(address: string, pool: object, { form = 'auto', check = 'off' as string | object } = {}) {
  return aBalancer({
    config: aConfig({ relay: { form } }),
    pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address }], ...pool } },
    policies: { chat: aPolicy({ health: { check, passive: { errors: 0 } } }) },
  });
}

function ask(balancer: Balancer): Promise<string> {
  return exchange({ port: balancer.listenerPort('public'), host: '127.0.0.1' }, [get]);
}

/** A node with TLS for 127.0.0.1 and node.test; `more` are options of its server. */
async function aTlsNode(more: object = {}) {
  const authority = anAuthority();
  const { certPem: cert, keyPem: key } = authority.issue('node', ['IP:127.0.0.1', 'DNS:node.test']);
  return { authority, node: await aPublicNode({ tls: { cert, key, ...more } }) };
}

describe('a pool with TLS to its nodes', () => {
  it.each([
    ['fast', 'http'],
    ['plain', 'http'],
    ['fast', 'websocket'],
  ])('carries requests, WebSockets and checks by it (%s, %s)', async (form, kind) => {
    const { authority, node } = await aTlsNode();
    const check = { kind, path: '/', interval: '1s', timeout: '1s', fall: 1, rise: 1 };
    const balancer = await aFront(node.address, { tls: { ca: authority.ca } }, { form, check });
    expect(await ask(balancer)).toContain('200 OK');
    const client = await connectWs(balancer.listenerPort('public'));
    for (const size of [1, 70_000, 2_000_000]) client.socket.send(Buffer.alloc(size, 7));
    await client.message(3);
    expect(client.messages.map(({ data }) => data.length)).toEqual([1, 70_000, 2_000_000]);
    await until(
      () => node.requests.length >= 4,
      () => 'not checked',
    );
    expect(balancer.registry.pool('chat').nodes.get('a')?.checkFailure).toBe('');
  });

  it('takes up its sessions again', async () => {
    const { authority, node } = await aTlsNode();
    const balancer = await aFront(node.address, { tls: { ca: authority.ca } });
    const reused = () =>
      node.requests.map(
        ({ socket }) => 'isSessionReused' in socket && (socket.isSessionReused as () => boolean)(),
      );
    for (let i = 0; i < 3; i++) {
      const client = await connectWs(balancer.listenerPort('public'));
      client.socket.send('x');
      await client.message(1);
    }
    expect(reused()).toEqual([false, true, true]);
  });

  it('believes nobody whom it is not told to, and says so as a failure of TLS', async () => {
    const { node } = await aTlsNode();
    const balancer = await aFront(node.address, { tls: { ca: anAuthority().ca } });
    const answer = await ask(balancer);
    expect(answer).toContain('502 Bad Gateway');
    expect(answer).toContain('the node tried made no TLS with the balancer');
    await expect(connectWs(balancer.listenerPort('public'))).rejects.toThrow();
    expect(node.requests).toEqual([]);
  });

  it('looks for the name that it is told, and for the host otherwise', async () => {
    const { authority, node } = await aTlsNode();
    const wrong = await aFront(node.address, { tls: { ca: authority.ca, serverName: 'other.test' } });
    expect(await ask(wrong)).toContain('made no TLS');
    const right = await aFront(node.address, { tls: { ca: authority.ca, serverName: 'node.test' } });
    expect(await ask(right)).toContain('200 OK');
    const [socket] = node.requests.map((request) => request.socket);
    expect(socket).toMatchObject({ servername: 'node.test' });
  });

  it('asks for nothing where verify is none', async () => {
    const { node } = await aTlsNode();
    expect(await ask(await aFront(node.address, { tls: { verify: 'none' } }))).toContain('200 OK');
  });

  it('shows its own certificate to nodes that want one', async () => {
    const authority = anAuthority();
    const { certPem: cert, keyPem: key } = authority.issue('node', ['IP:127.0.0.1']);
    const own = authority.issue('herald', ['DNS:herald']);
    const ca = readFileSync(authority.ca, 'utf8');
    const node = await aPublicNode({ tls: { cert, key, ca, requestCert: true, rejectUnauthorized: true } });
    const without = await aFront(node.address, { tls: { ca: authority.ca } });
    expect(await ask(without)).toMatch(/50[24] /);
    const withOne = await aFront(node.address, { tls: { ca: authority.ca, cert: own.cert, key: own.key } });
    expect(await ask(withOne)).toContain('200 OK');
    const client = await connectWs(withOne.listenerPort('public'));
    client.socket.send('known');
    expect(String((await client.message(1)).data)).toBe('known');
  });

  it('fails on a node that speaks no TLS, and its checks fail, too', async () => {
    const node = await aPublicNode();
    const check = { kind: 'tcp', interval: '1s', timeout: '1s', fall: 1, rise: 1 };
    const balancer = await aFront(node.address, { tls: { verify: 'none' } }, { check });
    await eventually(
      () => balancer.registry.pool('chat').nodes.get('a')?.checkFailure ?? '',
      (failure) => failure.includes('TLS with 127.0.0.1:'),
    );
    expect(await ask(balancer)).toMatch(/50[23] /);
  });

  it('is taken over at a reload, while what is open goes on', async () => {
    const { authority, node } = await aTlsNode();
    const balancer = await aFront(node.address, { tls: { ca: authority.ca } });
    const client = await connectWs(balancer.listenerPort('public'));
    expect(await ask(balancer)).toContain('200 OK');
    const other = anAuthority();
    const { needRestart } = await reloaded(balancer, (text) => text.replace(authority.ca, other.ca));
    expect(needRestart).toEqual([]);
    expect(await ask(balancer)).toContain('made no TLS');
    client.socket.send('still here');
    expect(String((await client.message(1)).data)).toBe('still here');
  });
});
