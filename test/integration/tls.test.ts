// TLS for clients with real peers: openssl, curl, python, `ws`, node:tls.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { proxyHeader } from '../../src/protocol/proxy-protocol.ts';
import { aPublicNode } from '../support/a-public-node.ts';
import { anAuthority, type Authority } from '../support/authority.ts';
import { eventually } from '../support/eventually.ts';
import { aConfig } from '../support/herald-setup.ts';
import { aBalancer, reloaded } from '../support/in-process.ts';
import { runTool } from '../support/run-tool.ts';
import { exchange } from '../support/raw-http.ts';
import { testedForm } from '../support/counting-transport.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

interface Front {
  readonly balancer: Balancer;
  readonly port: number;
  readonly authority: Authority;
}

/** A balancer with TLS for a.test and *.b.test in front of one node. */
async function aFront({ tls = {}, listener = {}, form = testedForm as string } = {}): Promise<Front> {
  const authority = anAuthority();
  authority.issue('a', ['DNS:a.test', 'IP:127.0.0.1']);
  authority.issue('b', ['DNS:*.b.test']);
  const { folder } = authority;
  const certificates = ['a', 'b'].map((name) => {
    return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  });
  const node = await aPublicNode();
  const balancer = await aBalancer({
    config: aConfig({
      listeners: [
        {
          name: 'public',
          bind: '127.0.0.1:0',
          tls: { certificates, ...tls },
          timeouts: { head: '500ms' },
          ...listener,
        },
      ],
      relay: { form },
    }),
    pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address: node.address }] } },
  });
  return { balancer, port: balancer.listenerPort('public'), authority };
}

async function page(balancer: Balancer): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${balancer.intakePort}/metrics`);
  return response.text();
}

async function untilTurnedAway(balancer: Balancer, reason: string, count: number): Promise<void> {
  const line = `herald_connections_turned_away_total{listener="public",reason="${reason}"} ${count}`;
  await eventually(
    () => page(balancer),
    (text) => text.includes(line),
  );
}

/** The certificate's common name that a client is shown, and whether its session was taken up again. */
function shake(port: number, options: ConnectionOptions) {
  return new Promise<{ subject: string; isReused: boolean; session: Buffer; protocol: string | null }>(
    (resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, ...options });
      let session: Buffer = Buffer.alloc(0);
      socket.on('session', (ticket: Buffer) => (session = ticket));
      socket.on('error', reject);
      socket.on('secureConnect', () =>
        socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'),
      );
      let isAnswered = false;
      socket.on('data', () => (isAnswered = true));
      socket.on('close', () => {
        if (!isAnswered) return reject(new Error('no answer'));
        resolve({ subject, isReused, session, protocol });
      });
      let subject = '';
      let isReused = false;
      let protocol: string | null = null;
      socket.on('secureConnect', () => {
        // Absent where a session is taken up again: nothing is shown then.
        const { subject: shown } = socket.getPeerCertificate() as Partial<PeerCertificate>;
        subject = String(shown?.CN ?? '');
        isReused = socket.isSessionReused();
        protocol = socket.getProtocol();
      });
    },
  );
}

describe('a listener with TLS', () => {
  it.each(['fast', 'plain'])('relays messages byte by byte, stalls included (%s)', async (form) => {
    const { port, authority } = await aFront({ form });
    const client = await connectWs(port, {
      url: `wss://127.0.0.1:${port}/chat`,
      ca: authority.caPem,
    });
    const sizes = [1, 125, 126, 16_384, 65_536, 1_000_000, 3_000_000];
    for (const size of sizes) client.socket.send(Buffer.alloc(size, size % 251));
    client.socket.pause();
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    await client.message(sizes.length);
    expect(client.messages.map(({ data }) => data.length)).toEqual(sizes);
    for (const [index, { data }] of client.messages.entries())
      expect(data.every((byte) => byte === (sizes[index] ?? 0) % 251)).toBe(true);
  });

  it('tells nodes that the client came over https', async () => {
    const { port, authority } = await aFront();
    const { ca } = authority;
    const { stdout, stderr } = await runTool('curl', [
      '-sS',
      '--cacert',
      ca,
      '--http1.1',
      `https://127.0.0.1:${port}/`,
    ]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
      forwarded: expect.stringContaining('proto=https'),
    });
  });

  it('shows each client the certificate of the name it asks for, wildcards too, and the first to others', async () => {
    const { port, authority } = await aFront();
    const shown = async (servername: string) => {
      const words = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authority.ca];
      const { stdout } = await runTool('openssl', [...words, '-servername', servername]);
      return /subject=CN = (\w+)/.exec(stdout)?.[1];
    };
    expect(await shown('a.test')).toBe('a');
    expect(await shown('x.b.test')).toBe('b');
    expect(await shown('X.B.TEST')).toBe('b');
    expect(await shown('x.y.b.test')).toBe('a');
    expect(await shown('b.test')).toBe('a');
  });

  it('speaks http/1.1 by ALPN, and refuses clients that speak something else only', async () => {
    const { port, balancer } = await aFront();
    const words = ['s_client', '-connect', `127.0.0.1:${port}`, '-alpn'];
    expect((await runTool('openssl', [...words, 'h2,http/1.1'])).stdout).toContain('ALPN protocol: http/1.1');
    const { stdout, stderr } = await runTool('openssl', [...words, 'h2']);
    expect(stdout + stderr).toContain('no application protocol');
    await untilTurnedAway(balancer, 'tlsHandshake', 1);
  });

  it('takes no lower version than it is told', async () => {
    const { port } = await aFront({ tls: { minVersion: 'TLSv1.3' } });
    const words = ['s_client', '-connect', `127.0.0.1:${port}`];
    expect((await runTool('openssl', [...words, '-tls1_2'])).stderr).toContain('protocol version');
    expect((await runTool('openssl', [...words, '-tls1_3'])).stdout).toContain('TLSv1.3');
  });

  it('closes what is no TLS, what says nothing, and what breaks off, and counts each', async () => {
    const { port, balancer, authority } = await aFront();
    expect(await exchange({ port, host: '127.0.0.1' }, ['GET / HTTP/1.1\r\n\r\n'])).toBe('');
    await untilTurnedAway(balancer, 'tlsPlain', 1);
    expect(await exchange({ port, host: '127.0.0.1' }, ['\x16\x03\x01'])).toBe('');
    await untilTurnedAway(balancer, 'tlsTimeout', 1);
    const socket = connectTcp({ port, host: '127.0.0.1' });
    socket.on('connect', () => socket.resetAndDestroy());
    await untilTurnedAway(balancer, 'tlsHandshake', 1);
    expect(await exchange({ port, host: '127.0.0.1' }, [Buffer.alloc(600, 0x80)])).not.toContain('HTTP');
    await untilTurnedAway(balancer, 'tlsHandshake', 2);
    expect(balancer.openCount).toBe(0);
    expect((await shake(port, { ca: authority.caPem, servername: 'a.test' })).subject).toBe('a');
  });

  it('reads a PROXY header in front of TLS', async () => {
    const { port, authority } = await aFront({
      listener: { proxyProtocol: 'required', trusted: ['127.0.0.1'] },
    });
    const url = `https://127.0.0.1:${port}/`;
    const { stdout } = await runTool('curl', ['-sS', '--haproxy-protocol', '--cacert', authority.ca, url]);
    expect(JSON.parse(stdout)).toMatchObject({ 'x-forwarded-proto': 'https' });
    const ends = { address: '192.0.2.9', port: 1, localAddress: '198.51.100.1', localPort: 443 };
    const socket = connectTcp({ port, host: '127.0.0.1' });
    socket.cork();
    socket.write(proxyHeader('v2', ends));
    const secure = connectTls({ socket, ca: authority.caPem, servername: 'a.test' });
    socket.uncork();
    let answer = '';
    secure.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    secure.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    await once(secure, 'close');
    expect(answer).toContain('"x-forwarded-for":"192.0.2.9"');
  });

  it('keeps records of one segment in their order', async () => {
    const { port, authority } = await aFront();
    const socket = connectTcp({ port, host: '127.0.0.1' });
    const secure = connectTls({ socket, ca: authority.caPem, servername: 'a.test' });
    await once(secure, 'secureConnect');
    let answers = '';
    secure.on('data', (chunk: Buffer) => (answers += chunk.toString()));
    const body = 'x'.repeat(3000);
    socket.cork();
    // A record each: what follows the first must not come before it to whoever takes the connection over.
    for (const part of [
      'POST / HTTP/1.1\r\nHost: a.test\r\nX-Turn: 1\r\n',
      'Content-Length: 3000\r\n\r\n',
      body,
    ])
      secure.write(part);
    secure.write('GET / HTTP/1.1\r\nHost: a.test\r\nX-Turn: 2\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => setImmediate(resolve));
    socket.uncork();
    await once(secure, 'close');
    expect([...answers.matchAll(/"x-turn":"(\d)"/g)].map(([, turn]) => turn)).toEqual(['1', '2']);
    expect(answers.match(/HTTP\/1.1 200 /g)).toHaveLength(2);
  });

  it('lets python talk to it', async () => {
    const { port, authority } = await aFront();
    const code = `
import ssl, socket
context = ssl.create_default_context(cafile='${authority.ca}')
with socket.create_connection(('127.0.0.1', ${port})) as raw:
    with context.wrap_socket(raw, server_hostname='x.b.test') as tls:
        tls.sendall(b'GET /py HTTP/1.1\\r\\nHost: x.b.test\\r\\nConnection: close\\r\\n\\r\\n')
        print(tls.version(), tls.recv(15).decode())
`;
    const { stdout, stderr } = await runTool('python3', ['-c', code]);
    expect(stderr).toBe('');
    expect(stdout).toBe('TLSv1.3 HTTP/1.1 200 OK\n');
  });
});

describe('certificates of clients', () => {
  const options = (authority: Authority, who?: string): ConnectionOptions => {
    const own = who === undefined ? undefined : anAuthorityOf(authority, who);
    return { ca: authority.caPem, servername: 'a.test', ...(own && { cert: own.certPem, key: own.keyPem }) };
  };
  const anAuthorityOf = (authority: Authority, who: string) =>
    who === 'foreign' ? anAuthority().issue('foreign', ['DNS:me']) : authority.issue(who, ['DNS:me']);

  it('are required where it is written so', async () => {
    const { balancer, port, authority } = await aFront();
    await reloaded(balancer, withClients(authority, 'required'));
    await expect(shake(port, options(authority))).rejects.toThrow();
    await untilTurnedAway(balancer, 'tlsHandshake', 1);
    await expect(shake(port, options(authority, 'foreign'))).rejects.toThrow();
    await untilTurnedAway(balancer, 'tlsHandshake', 2);
    expect((await shake(port, options(authority, 'me'))).subject).toBe('a');
  });

  it('may be left out where they are optional, but not be wrong', async () => {
    const { balancer, port, authority } = await aFront();
    await reloaded(balancer, withClients(authority, 'optional'));
    expect((await shake(port, options(authority))).subject).toBe('a');
    expect((await shake(port, options(authority, 'me'))).subject).toBe('a');
    await expect(shake(port, options(authority, 'foreign'))).rejects.toThrow();
    await untilTurnedAway(balancer, 'clientCertificate', 1);
  });
});

function withClients(authority: Authority, clientCertificates: string) {
  return (text: string) =>
    text.replace(
      '    timeouts:',
      `      clientCa: ${authority.ca}\n      clientCertificates: ${clientCertificates}\n    timeouts:`,
    );
}

describe('sessions', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'are taken up again, by another balancer with the same secret too (%s)',
    async (version) => {
      const secret = join(anAuthority().folder, 'secret');
      const one = await aFront({ tls: { ticketSecret: secret } });
      const client = { rejectUnauthorized: false, servername: 'a.test', maxVersion: version };
      const first = await shake(one.port, client);
      expect([first.isReused, first.protocol]).toEqual([false, version]);
      expect((await shake(one.port, { ...client, session: first.session })).isReused).toBe(true);
      const other = await aFront({ tls: { ticketSecret: secret } });
      expect((await shake(other.port, { ...client, session: first.session })).isReused).toBe(true);
    },
  );

  it('are not given where tickets are off, nor good at a balancer with another secret', async () => {
    const [one, other] = [await aFront(), await aFront()];
    const client = { rejectUnauthorized: false, servername: 'a.test' };
    const { session } = await shake(one.port, client);
    expect((await shake(other.port, { ...client, session })).isReused).toBe(false);
    const none = await aFront({ tls: { ticketSecret: 'off' } });
    const { stdout } = await runTool('openssl', [
      's_client',
      '-reconnect',
      '-tls1_2',
      '-connect',
      `127.0.0.1:${none.port}`,
    ]);
    expect(stdout).not.toContain('Reused');
  });
});

describe('a reload', () => {
  it('shows the new certificate to new clients and drops nobody', async () => {
    const { balancer, port, authority } = await aFront();
    const client = await connectWs(port, { url: `wss://127.0.0.1:${port}/`, ca: authority.caPem });
    const renewed = authority.issue('renewed', ['DNS:a.test', 'IP:127.0.0.1'], 3);
    writeFileSync(join(authority.folder, 'a.pem'), renewed.certPem);
    writeFileSync(join(authority.folder, 'a.key'), renewed.keyPem);
    const { needRestart } = await reloaded(balancer);
    expect(needRestart).toEqual([]);
    expect((await shake(port, { ca: authority.caPem, servername: 'a.test' })).subject).toBe('renewed');
    client.socket.send('still here');
    expect(String((await client.message(1)).data)).toBe('still here');
    const expires =
      /herald_certificate_expires_timestamp_seconds\{listener="public",certificate="[^"]*a.pem"\} (\d+)/;
    const [, seconds] = expires.exec(await page(balancer)) ?? [];
    expect(Number(seconds) * 1000).toBeLessThan(Date.now() + 4 * 86_400_000);
  });

  it('names what takes a restart: whether there is TLS at all, and where tickets come from', async () => {
    const { balancer } = await aFront();
    const changed = (text: string) =>
      text.replace('    timeouts:', '      ticketSecret: other\n    timeouts:');
    expect((await reloaded(balancer, changed)).needRestart).toEqual(['listeners']);
  });

  it('refuses a certificate that does not fit, and the old one goes on', async () => {
    const { balancer, port, authority } = await aFront();
    const other = authority.issue('other', ['DNS:a.test']);
    writeFileSync(join(authority.folder, 'a.pem'), other.certPem);
    await expect(reloaded(balancer)).rejects.toThrow(
      /herald\.yaml:\d+:\d+ listeners\[0\]\.tls\.certificates\[0\]\.key: .*a\.key: is not the key of /,
    );
    expect((await shake(port, { ca: authority.caPem, servername: 'a.test' })).subject).toBe('a');
  });
});

describe('the end of a connection over TLS', () => {
  it('comes by reset to a client that takes nothing of its answer', async () => {
    const { balancer, port, authority } = await aFront({ listener: { timeouts: { stall: '1s' } } });
    const client = connectTls({ port, host: '127.0.0.1', ca: authority.caPem, servername: 'a.test' });
    client.on('error', () => {});
    const gone = new Promise((resolve) => client.once('close', resolve));
    client.write('GET /endless HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await once(client, 'readable');
    await eventually(
      () => page(balancer),
      (text) => text.includes('herald_stalled_answers_total{pool="chat"} 1'),
    );
    await until(
      () => balancer.openCount === 0,
      () => 'left open',
    );
    client.resume();
    await gone;
  });

  it('says goodbye in order', async () => {
    const { balancer, port, authority } = await aFront();
    const client = await connectWs(port, { url: `wss://127.0.0.1:${port}/`, ca: authority.caPem });
    await until(
      () => balancer.openCount === 1,
      () => 'not open',
    );
    const { id } = balancer.dataPlane.connections('chat');
    const outcomes: string[] = [];
    balancer.dataPlane.shed({
      pool: 'chat',
      connectionIds: id,
      goodbye: { code: 1012, reason: 'moved', retryAfterMs: 5, byMs: performance.now() + 10_000 },
      settled: (_id, outcome) => outcomes.push(outcome),
    });
    expect((await client.close()).code).toBe(1012);
    await until(
      () => balancer.openCount === 0,
      () => 'left open',
    );
    expect(outcomes).toEqual(['closed']);
  });

  it('keeps requests apart on a connection that is kept alive', async () => {
    const { port, authority } = await aFront();
    const get = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = httpsRequest({ port, host: '127.0.0.1', ca: authority.caPem }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
        });
        request.on('error', reject);
        request.end();
      });
    expect(await Promise.all([get(), get(), get()])).toEqual([200, 200, 200]);
  });
});
