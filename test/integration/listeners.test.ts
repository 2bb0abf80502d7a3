// Listeners that are no plain TCP port of IPv4: UNIX sockets, IPv6, PROXY headers in front, raw TCP; and what nodes are
// told by PROXY headers. Real peers: curl, HAProxy, `ws`.
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { localProxyHeader, proxyHeader, readProxyHeader } from '../../src/protocol/proxy-protocol.ts';
import { createTransport } from '../../src/balancer/proxy/transport.ts';
import { ListeningSockets, unixKey } from '../../src/platform/listening-sockets.ts';
import { aPublicNode } from '../support/a-public-node.ts';
import { eventually } from '../support/eventually.ts';
import { hasHaproxy } from '../support/haproxy.ts';
import { startHaproxyRelay } from '../support/haproxy-relay.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { exchange } from '../support/raw-http.ts';
import { runTool } from '../support/run-tool.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hl-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Listeners in front of one pool. */
function aFront(
  listeners: readonly object[],
  pool: object,
  more: { form?: string; policy?: object } = {},
): Promise<Balancer> {
  return aBalancer({
    config: aConfig({ listeners, relay: { form: more.form ?? 'auto' } }),
    pools: { chat: { policy: 'chat', ...pool } },
    policies: { chat: aPolicy(more.policy ?? {}) },
  });
}

async function untilTurnedAway(balancer: Balancer, reason: string, count: number): Promise<void> {
  const line = `herald_connections_turned_away_total{listener="public",reason="${reason}"} ${count}\n`;
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${balancer.intakePort}/metrics`)).text(),
    (text) => text.includes(line),
  );
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const nodes = (address: string) => ({ nodes: [{ id: 'a', address }] });

/** The fields that the node was sent, of an answer that holds them. */
function fieldsIn(answer: string): Record<string, string> {
  return JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Record<string, string>;
}

describe('a listener on a UNIX socket', () => {
  it.each(['fast', 'plain'])(
    'serves requests and WebSockets, and is gone when it is stopped (%s)',
    async (form) => {
      const path = join(aFolder(), 'new', 'public.sock');
      const node = await aPublicNode();
      const balancer = await aFront([{ bind: `unix:${path}`, mode: '0640' }], nodes(node.address), { form });
      expect(statSync(path).mode & 0o777).toBe(0o640);
      const claim = ['-H', 'X-Forwarded-For: 192.0.2.7'];
      const { stdout } = await runTool('curl', ['-sS', '--unix-socket', path, ...claim, 'http://chat/']);
      expect(fieldsIn(stdout)).toMatchObject({ host: 'chat', 'x-forwarded-for': '192.0.2.7' });
      const client = await connectWs(0, { url: `ws+unix:${path}:/chat` });
      client.socket.send('over a file');
      expect(String((await client.message(1)).data)).toBe('over a file');
      await balancer.stop();
      expect(existsSync(path)).toBe(false);
    },
  );

  it('takes the place of a file that a dead process has left, and of nothing else', async () => {
    const folder = aFolder();
    const [stale, file, taken] = ['stale', 'file', 'taken'].map((name) => join(folder, name));
    const leave = `import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('${stale}')\n`;
    expect((await runTool('python3', ['-c', leave])).code).toBe(0);
    writeFileSync(file ?? '', 'dear data');
    const owner = createServer().listen(taken);
    onTestFinished(() => void owner.close());
    const node = await aPublicNode();
    await aFront([{ bind: `unix:${stale}` }], nodes(node.address));
    expect(await exchange({ path: stale ?? '' }, [get])).toContain('200 OK');
    await expect(aFront([{ bind: `unix:${file}` }], {})).rejects.toThrow(
      'there is a file there that is no socket',
    );
    await expect(aFront([{ bind: `unix:${taken}` }], {})).rejects.toThrow('another process listens there');
  });
});

describe('a UNIX socket that another process has taken over', () => {
  it('keeps its file when the first one stops', async () => {
    const path = join(aFolder(), 'public.sock');
    const transport = await createTransport({ form: 'fast' });
    const sockets = new ListeningSockets();
    const bind = { path, mode: 0o600, slot: sockets.slot(unixKey(path)) };
    const listener = await transport.listen(bind, (wire) => wire.destroy());
    expect([...sockets.descriptors().keys()]).toEqual([unixKey(path)]);
    sockets.handOn([unixKey(path)]);
    await listener.close();
    expect(existsSync(path)).toBe(true);
  });
});

describe('IPv6', () => {
  it.each(['fast', 'plain'])(
    'clients and nodes are served, beside IPv4 on the same port (%s)',
    async (form) => {
      const node = await aPublicNode({ host: '::1' });
      const balancer = await aFront([{ bind: '[::]:0' }], nodes(node.address), { form });
      const port = balancer.listenerPort('public');
      const six = await exchange({ host: '::1', port }, [get]);
      expect(fieldsIn(six)).toMatchObject({
        'x-forwarded-for': '::1',
        forwarded: expect.stringContaining('for="[::1]"'),
      });
      const four = await exchange({ host: '127.0.0.1', port }, [get]);
      expect(fieldsIn(four)).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
      const client = await connectWs(port, { url: `ws://[::1]:${port}/` });
      client.socket.send('six');
      expect(String((await client.message(1)).data)).toBe('six');
    },
  );
});

describe('a listener that requires PROXY headers', () => {
  const listener = {
    bind: '127.0.0.1:0',
    proxyProtocol: 'required',
    trusted: ['127.0.0.1'],
    timeouts: { head: '400ms' },
  };
  const ends = { address: '192.0.2.1', port: 5555, localAddress: '198.51.100.1', localPort: 80 };

  it.each(['fast', 'plain'])('takes the client from the header, however it is cut (%s)', async (form) => {
    const node = await aPublicNode();
    const balancer = await aFront([listener], nodes(node.address), { form });
    const target = { port: balancer.listenerPort('public'), host: '127.0.0.1' };
    const both = Buffer.concat([proxyHeader('v2', ends), Buffer.from(get)]);
    expect(fieldsIn(await exchange(target, [both]))).toMatchObject({ 'x-forwarded-for': '192.0.2.1' });
    const client = new RawClient(target.port);
    for (const byte of `${proxyHeader('v1', ends).toString()}${get}`) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(fieldsIn(await client.over())).toMatchObject({ 'x-forwarded-for': '192.0.2.1' });
    const local = Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), Buffer.from(get)]);
    expect(fieldsIn(await exchange(target, [local]))).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
  });

  it('believes nothing that a client behind a trusted proxy says of itself', async () => {
    const node = await aPublicNode();
    const balancer = await aFront([listener], nodes(node.address));
    const target = { port: balancer.listenerPort('public'), host: '127.0.0.1' };
    const lying = get.replace('\r\n\r\n', '\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n');
    const answer = await exchange(target, [proxyHeader('v1', ends), lying]);
    expect(fieldsIn(answer)['x-forwarded-for']).toBe('192.0.2.1');
  });

  it('closes and counts what has none, a wrong one, or is too slow', async () => {
    const balancer = await aFront([listener], {});
    const target = { port: balancer.listenerPort('public'), host: '127.0.0.1' };
    expect(await exchange(target, [get])).toBe('');
    await untilTurnedAway(balancer, 'proxyHeader', 1);
    expect(await exchange(target, ['PROXY TCP4 no no 1 2\r\n'])).toBe('');
    await untilTurnedAway(balancer, 'proxyHeader', 2);
    expect(await exchange(target, ['PROXY TCP4 ']));
    await untilTurnedAway(balancer, 'proxyTimeout', 1);
    await until(
      () => balancer.openCount === 0,
      () => 'left open',
    );
  });

  it('turns away who is not trusted, header or not', async () => {
    const balancer = await aFront([{ ...listener, trusted: ['10.0.0.0/8'] }], {});
    const target = { port: balancer.listenerPort('public'), host: '127.0.0.1' };
    expect(await exchange(target, [proxyHeader('v1', ends), get])).toBe('');
    await untilTurnedAway(balancer, 'proxySource', 1);
  });

  it('is spoken to by curl', async () => {
    const node = await aPublicNode();
    const balancer = await aFront([listener], nodes(node.address));
    const url = `http://127.0.0.1:${balancer.listenerPort('public')}/`;
    const { stdout } = await runTool('curl', ['-sS', '--haproxy-protocol', url]);
    expect(fieldsIn(stdout)).toMatchObject({ 'x-forwarded-for': '127.0.0.1' });
  });

  it.skipIf(!hasHaproxy)('is spoken to by HAProxy, checks and WebSockets included', async () => {
    const node = await aPublicNode();
    const balancer = await aFront([listener], nodes(node.address));
    const port = balancer.listenerPort('public');
    const { socket } = await startHaproxyRelay(
      (path) =>
        `listen front\n  mode tcp\n  bind unix@${path} accept-proxy\n  server herald 127.0.0.1:${port} send-proxy-v2 check check-send-proxy\n`,
    );
    const answer = await exchange({ path: socket }, [proxyHeader('v1', ends), get]);
    expect(fieldsIn(answer)).toMatchObject({ 'x-forwarded-for': '192.0.2.1' });
  });
});

describe('a pool whose nodes expect PROXY headers', () => {
  it.each(['v1', 'v2'] as const)(
    'tells them of each client, and of nobody when it checks (%s)',
    async (version) => {
      const node = await aPublicNode();
      const seen: Buffer[] = [];
      const port = await aProxiedNode(seen, node.port);
      const balancer = await aFront([{ bind: '127.0.0.1:0' }], {
        ...nodes(`127.0.0.1:${port}`),
        proxyProtocol: version,
      });
      const own = balancer.listenerPort('public');
      const wasSeen = async (header: Buffer) => {
        const isThere = () => seen.some((bytes) => bytes.equals(header));
        await until(
          isThere,
          () => `${seen.map((bytes) => bytes.toString('hex')).join('\n')} has no ${header.toString('hex')}`,
        );
      };
      const ofClient = (localPort: number) =>
        proxyHeader(version, {
          address: '127.0.0.1',
          port: localPort,
          localAddress: '127.0.0.1',
          localPort: own,
        });
      const client = new RawClient(own);
      await once(client.socket, 'connect');
      const { localPort = 0 } = client.socket;
      expect(await client.send(get).over()).toContain('200 OK');
      await wasSeen(ofClient(localPort));
      const websocket = await connectWs(own);
      websocket.socket.send('told');
      expect(String((await websocket.message(1)).data)).toBe('told');
      await wasSeen(localProxyHeader(version));
      expect(balancer.registry.pool('chat').nodes.get('a')?.checkFailure).toBe('');
    },
  );

  it.skipIf(!hasHaproxy).each(['v1', 'v2'])('may be behind HAProxy (%s)', async (proxyProtocol) => {
    const node = await aPublicNode();
    const { port } = await startHaproxyRelay(
      (path) =>
        `listen front\n  mode http\n  bind unix@${path}\n  bind fd@3 accept-proxy\n  option forwardfor header X-Told\n  server node ${node.address}\n`,
    );
    const balancer = await aFront([{ bind: '127.0.0.1:0' }], {
      ...nodes(`127.0.0.1:${port}`),
      proxyProtocol,
    });
    const own = balancer.listenerPort('public');
    const answer = await exchange({ port: own, host: '127.0.0.1', localAddress: '127.0.0.77' }, [get]);
    expect(fieldsIn(answer)).toMatchObject({ 'x-told': '127.0.0.77' });
    const websocket = await connectWs(own);
    websocket.socket.send('through both');
    expect(String((await websocket.message(1)).data)).toBe('through both');
  });
});

/** A node that takes a PROXY header off each connection, keeps it, and passes the rest on. */
async function aProxiedNode(seen: Buffer[], toPort: number): Promise<number> {
  const server = createServer((near) => {
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const reading = readProxyHeader(bytes);
      if (reading.kind === 'wrong') return void near.destroy();
      if (reading.kind === 'more') return;
      near.off('data', onData);
      seen.push(bytes.subarray(0, reading.length));
      const far = connect(toPort, '127.0.0.1');
      far.on('error', () => near.destroy());
      far.write(bytes.subarray(reading.length));
      near.pipe(far).pipe(near);
    };
    near.on('data', onData);
    near.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

describe('a raw TCP listener', () => {
  /** A node that greets, echoes, and ends when its client does. */
  async function anEcho(): Promise<{ address: string; sockets: Set<Socket> }> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.write('hello ');
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    // Proof of `as`: bound to a TCP port.
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
  }
  const listener = { bind: '127.0.0.1:0', protocol: 'tcp', pool: 'chat' };

  it.each(['fast', 'plain'])('relays bytes of any kind, each half to its end (%s)', async (form) => {
    const echo = await anEcho();
    const balancer = await aFront([listener], nodes(echo.address), { form });
    const client = new RawClient(balancer.listenerPort('public'));
    await client.heard('hello ');
    const { kind } = balancer.dataPlane.connections('chat');
    expect(kind).toEqual(['tcp']);
    const text = 'GET \0\r\n\r\n'.repeat(50_000);
    client.send(text);
    client.socket.end();
    expect(await client.over()).toBe(`hello ${text}`);
    await until(
      () => balancer.openCount === 0,
      () => 'left open',
    );
  });

  it('passes on what a client says and ends before its node is there', async () => {
    const echo = await anEcho();
    const balancer = await aFront([listener], nodes(echo.address));
    const client = new RawClient(balancer.listenerPort('public')).send('early');
    client.socket.end();
    expect(await client.over()).toBe('hello early');
  });

  it('resets whom no node can take, and tries another node first', async () => {
    const balancer = await aFront([listener], {});
    const client = new RawClient(balancer.listenerPort('public')).send('anybody?');
    const errors: string[] = [];
    client.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
    expect(await client.over()).toBe('');
    expect(errors).toEqual(['ECONNRESET']);
    const echo = await anEcho();
    const pair = await aFront(
      [listener],
      {
        nodes: [
          { id: 'dead', address: '127.0.0.1:1' },
          { id: 'a', address: echo.address },
        ],
      },
      { policy: { health: { check: 'off' } } },
    );
    for (let i = 0; i < 5; i++) await new RawClient(pair.listenerPort('public')).heard('hello ');
  });

  it('says goodbye by ending its half, and the client leaves in order', async () => {
    const echo = await anEcho();
    const balancer = await aFront([listener], nodes(echo.address));
    const client = new RawClient(balancer.listenerPort('public'));
    await client.heard('hello ');
    const outcomes: string[] = [];
    balancer.dataPlane.shed({
      pool: 'chat',
      connectionIds: balancer.dataPlane.connections('chat').id,
      goodbye: { code: 1012, reason: '', retryAfterMs: 0, byMs: performance.now() + 10_000 },
      settled: (_id, outcome) => outcomes.push(outcome),
    });
    expect(await client.over()).toBe('hello ');
    await until(
      () => balancer.openCount === 0 && echo.sockets.size === 0,
      () => 'left open',
    );
    expect(outcomes).toEqual(['closed']);
  });
});
