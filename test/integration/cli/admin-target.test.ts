// Which balancer a command asks, and what it says when it cannot.
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { aFolder } from '../platform/folder.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { runHerald } from '../../support/cli-run.ts';
import { aStubAdmin } from '../../support/stub-admin.ts';

const secret = 'correct-horse-battery-staple';
let certificates: Certificates;

beforeAll(() => {
  certificates = makeCertificates();
});

afterAll(() => certificates.remove());

const answerPools: RequestListener = (request, response) => {
  const isKnown = request.headers.authorization === `Bearer ${secret}`;
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
  const refused = { code: 'HERALD_TOKEN_INVALID', detail: 'this token is not known here' };
  response.end(JSON.stringify(isKnown ? { pools: [] } : refused));
};

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => void (await new Promise((resolve) => server.close(resolve))));
  return (server.address() as AddressInfo).port;
}

const tlsServer = () => {
  const { certPem, keyPem } = certificates.own;
  return createTlsServer({ key: keyPem, cert: certPem }, answerPools);
};

describe('a balancer over TCP', () => {
  it('is asked with the token of a file and the authority of another', async () => {
    const url = `https://localhost:${await portOf(tlsServer())}`;
    const folder = aFolder({ token: `${secret}\n`, wrong: 'another-secret-altogether' });
    const args = ['status', '--url', url, '--ca', certificates.own.cert];
    const known = await runHerald([...args, '--token-file', join(folder, 'token')]);
    expect(known).toEqual({ code: 0, stdout: 'no pools\n', stderr: '' });
    const env = { HERALD_URL: url, HERALD_TOKEN_FILE: join(folder, 'token') };
    expect(await runHerald(['status', '--ca', certificates.own.cert], { env })).toMatchObject({ code: 0 });
    const wrong = await runHerald([...args, '--token-file', join(folder, 'wrong')]);
    expect(wrong.code).toBe(4);
    expect(wrong.stderr).toContain('--token-file');
    expect(wrong.stderr).not.toContain('another-secret');
  });

  it('whose certificate nobody vouches for is not told the token, and --ca is named', async () => {
    const url = `https://localhost:${await portOf(tlsServer())}`;
    const { code, stderr } = await runHerald(['status', '--url', url]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/certificate that is not trusted .*--ca FILE/);
  });

  it('that speaks no TLS, or is not there, or is no balancer, ends with 4 and says where it tried', async () => {
    const plain = await portOf(createHttpServer((_, response) => response.end('<html>')));
    const wrongScheme = await runHerald(['status', '--url', `https://127.0.0.1:${plain}`]);
    expect(wrongScheme.code).toBe(4);
    expect(wrongScheme.stderr).toMatch(/does not speak TLS as expected .*https or http/);
    const noBalancer = await runHerald(['status', '--url', `http://127.0.0.1:${plain}`]);
    expect(noBalancer.stderr).toContain('is that the admin API of a balancer?');
    const closed = await runHerald(['status', '--url', 'http://127.0.0.1:9']);
    expect([noBalancer.code, closed.code]).toEqual([4, 4]);
    expect(closed.stderr).toMatch(
      /no balancer answers at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\); check --url/,
    );
  });
});

describe('flags and environment', () => {
  const mistakes: [string[], Record<string, string>, RegExp][] = [
    [['--socket', 'x', '--url', 'https://x'], {}, /two balancers/],
    [[], { HERALD_SOCKET: 'x', HERALD_URL: 'https://x' }, /both set/],
    [['--url', 'herald.internal'], {}, /such as https:/],
    [['--url', 'ftp://x'], {}, /such as https:/],
    [['--url', 'https://a:b@x'], {}, /--token-file/],
    [['--url', 'https://x/v1'], {}, /scheme, host and port alone: https:\/\/x/],
    [['--url', 'http://10.0.0.1:1', '--token-file', 'x'], {}, /unencrypted/],
    [['--url', 'https://x', '--cert', 'x'], {}, /belong together/],
    [['--url', 'http://localhost:1', '--ca', 'x'], {}, /goes with an https address/],
    [['--socket', 'x', '--token-file', 'x'], {}, /goes with --url/],
  ];

  it.each(mistakes)('%j %j is a mistake', async (args, env, told) => {
    const { code, stderr } = await runHerald(['status', ...args], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(told);
  });

  it('that name a file that is not there, or holds no token, are told so', async () => {
    const folder = aFolder({ empty: '' });
    const args = ['status', '--url', 'https://localhost:1', '--token-file'];
    const gone = await runHerald([...args, join(folder, 'gone')]);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/gone cannot be read \(ENOENT\)/);
    const empty = await runHerald([...args, join(folder, 'empty')]);
    expect(empty.code).toBe(2);
    expect(empty.stderr).toContain('holds no token');
  });

  it('a flag is stronger than the environment', async () => {
    const stub = await aStubAdmin({ 'GET /v1/pools': () => ({ pools: [] }) });
    const env = { HERALD_SOCKET: '/nowhere', HERALD_URL: 'https://nowhere' };
    expect(await runHerald(['status', '-s', stub.socketPath], { env })).toMatchObject({ code: 0 });
  });
});
