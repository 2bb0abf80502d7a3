// Limits of listeners whose clients come through something first: TLS, a PROXY header; and of those that know no HTTP.
import { once } from 'node:events';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { proxyHeader } from '../../src/protocol/proxy-protocol.ts';
import { aPublicNode } from '../support/a-public-node.ts';
import { anAuthority } from '../support/authority.ts';
import { eventually } from '../support/eventually.ts';
import { aConfig } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { RawClient } from '../support/raw-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function aFront(listener: object, form = 'auto'): Promise<{ balancer: Balancer; port: number }> {
  const node = await aPublicNode();
  const balancer = await aBalancer({
    config: aConfig({
      listeners: [{ name: 'public', bind: '127.0.0.1:0', ...listener }],
      relay: { form },
    }),
    pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address: node.address }] } },
  });
  return { balancer, port: balancer.listenerPort('public') };
}

async function untilRefused(balancer: Balancer, code: string, count: number): Promise<void> {
  const line = `herald_refusals_total{pool="",code="${code}"} ${count}\n`;
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${balancer.intakePort}/metrics`)).text(),
    (text) => text.includes(line),
  );
}

/** How a connection ended on which nothing could be heard. */
async function endOf(client: RawClient): Promise<string> {
  const errors: string[] = [];
  client.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
  return `${await client.over()}${errors.join(' ')}`;
}

describe('a full listener', () => {
  it.each(['fast', 'plain'])('with TLS resets who comes, before its handshake (%s)', async (form) => {
    const authority = anAuthority();
    authority.issue('a', ['IP:127.0.0.1']);
    const certificates = [{ cert: join(authority.folder, 'a.pem'), key: join(authority.folder, 'a.key') }];
    const { balancer, port } = await aFront({ tls: { certificates }, limits: { connections: 1 } }, form);
    const first = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await once(first, 'secureConnect');
    expect(await endOf(new RawClient(port))).toBe('ECONNRESET');
    await untilRefused(balancer, 'HERALD_LISTENER_FULL', 1);
    first.end();
    await once(first, 'close');
    const answer = await eventually(
      async () => {
        const next = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
        let heard = '';
        next.on('data', (chunk: Buffer) => (heard += chunk.toString()));
        next.on('error', () => {});
        next.write(get);
        await new Promise((resolve) => next.once('close', resolve));
        return heard;
      },
      (heard) => heard !== '',
    );
    expect(answer).toContain('200 OK');
  });

  it.each(['fast', 'plain'])('of raw TCP resets who comes, and counts addresses (%s)', async (form) => {
    const limits = { connectionsPerAddress: 1 };
    const { balancer, port } = await aFront({ protocol: 'tcp', pool: 'chat', limits }, form);
    const first = new RawClient(port);
    await eventually(
      async () => balancer.openCount,
      (count) => count === 1,
    );
    expect(await endOf(new RawClient(port))).toBe('ECONNRESET');
    await untilRefused(balancer, 'HERALD_ADDRESS_FULL', 1);
    first.send(get);
    expect(await first.over()).toContain('200 OK');
  });
});

describe('behind PROXY headers', () => {
  it.each(['fast', 'plain'])('the address that the header names is counted (%s)', async (form) => {
    const proxied = { proxyProtocol: 'required', trusted: ['127.0.0.1'] };
    const { balancer, port } = await aFront({ ...proxied, limits: { connectionsPerAddress: 1 } }, form);
    const from = (address: string) => {
      const ends = { address, port: 5555, localAddress: '198.51.100.1', localPort: 80 };
      return new RawClient(port).send(proxyHeader('v1', ends).toString());
    };
    const first = from('192.0.2.1').send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await first.heard('200 OK');
    const second = await from('192.0.2.1').send(get).over();
    expect(second).toContain('429 Too Many Requests');
    expect(second).toContain('HERALD_ADDRESS_FULL');
    expect(await from('192.0.2.2').send(get).over()).toContain('200 OK');
    await untilRefused(balancer, 'HERALD_ADDRESS_FULL', 1);
    first.socket.destroy();
    await eventually(
      () => from('192.0.2.1').send(get).over(),
      (answer) => answer.includes('200 OK'),
    );
  });
});
