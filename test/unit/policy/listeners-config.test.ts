// What herald.yaml says of public listeners and of the way to nodes: compiled, and every mistake in it.
import { describe, expect, it } from 'vitest';
import { compileConfig, readConfig } from '../../../src/policy/compile-config.ts';
import { formatProblem } from '../../../src/policy/problem.ts';

const head = 'apiVersion: herald/v1\nkind: Config\n';
const pool = 'pools: { app: {} }\n';

function read(body: string) {
  return readConfig('h.yaml', head + body, {});
}

function configOf(body: string) {
  const { document, problems } = read(body);
  if (document === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  const pems = new Map(['a.pem', 'a.key', 'ca.pem'].map((file) => [file, `text of ${file}`]));
  return compileConfig(document, {
    resolvePath: (path) => `/at/${path}`,
    secrets: new Map(),
    pems,
    stateTexts: new Map(),
  });
}

function problemOf(listener: string, pools = pool): string {
  const [problem, ...more] = read(`listeners: [${listener}]\n${pools}`).problems.map(formatProblem);
  expect(more).toEqual([]);
  return problem ?? '';
}

const certificates = 'certificates: [{ cert: a.pem, key: a.key }]';

describe('a listener', () => {
  it('has TLS with all its texts, and its secret beside the admin socket', () => {
    const [listener] = configOf(
      `listeners: [{ bind: "[::]:443", tls: { ${certificates}, clientCa: ca.pem, minVersion: TLSv1.3 } }]\n${pool}`,
    ).listeners;
    expect(listener?.bind).toEqual({ host: '::', port: 443 });
    expect(listener?.tls).toEqual({
      certificates: [{ name: 'a.pem', cert: 'text of a.pem', key: 'text of a.key' }],
      minVersion: 'TLSv1.3',
      clientCa: 'text of ca.pem',
      clientCertificates: 'required',
      ticketSecretPath: '/at/./run/herald-tickets',
    });
  });

  it('goes without tickets where they are off', () => {
    const [listener] = configOf(
      `listeners: [{ bind: "a:443", tls: { ${certificates}, ticketSecret: off } }]\n${pool}`,
    ).listeners;
    expect(listener?.tls).toMatchObject({ ticketSecretPath: undefined, clientCa: undefined });
  });

  it('may be on a UNIX socket, whose mode is 0660 unless written', () => {
    const { listeners } = configOf(
      `listeners: [{ bind: "unix:run/a.sock" }, { name: b, bind: "unix:/b", mode: "600" }]\n${pool}`,
    );
    expect(listeners.map(({ bind }) => bind)).toEqual([
      { path: '/at/run/a.sock', mode: 0o660 },
      { path: '/at//b', mode: 0o600 },
    ]);
  });

  it('takes raw TCP for a pool', () => {
    const [listener] = configOf(`listeners: [{ bind: "a:1", protocol: tcp, pool: app }]\n${pool}`).listeners;
    expect(listener).toMatchObject({ protocol: 'tcp', pool: 'app' });
  });

  it.each([
    [
      '{ bind: "unix:" }',
      'listeners[0].bind: "unix:" names no socket (such as unix:/run/herald/public.sock)',
    ],
    [
      '{ bind: "unix:/a", mode: 0660 }',
      'listeners[0].mode: 660 is no mode of a file (in quotes, such as "0660")',
    ],
    [
      '{ bind: "a:1", mode: "0660" }',
      'listeners[0].mode: only a UNIX socket has a mode (leave it out, or bind: unix:/path)',
    ],
    [
      '{ bind: "a:1", pool: app }',
      'listeners[0].pool: an http listener has no pool (the routes of the pools say where requests go)',
    ],
    [
      '{ bind: "a:1", protocol: tcp }',
      'listeners[0]: a tcp listener needs a pool (there is no path to find one by)',
    ],
    [
      '{ bind: "a:1", protocol: tcp, pool: ap }',
      'listeners[0].pool: no pool is named ap (did you mean app?)',
    ],
    [
      '{ bind: "a:1", proxyProtocol: required }',
      'listeners[0].proxyProtocol: nobody is trusted to send PROXY headers (name the proxies in front in `trusted`)',
    ],
    [
      '{ bind: "a:1", tls: { certificates: [] } }',
      'listeners[0].tls.certificates: has too few entries (at least 1)',
    ],
    [
      '{ bind: "a:1", tls: { certificates: [{ cert: a }] } }',
      'listeners[0].tls.certificates[0].key: is missing',
    ],
    [
      `{ bind: "a:1", tls: { ${certificates}, minVersion: TLSv1.1 } }`,
      'listeners[0].tls.minVersion: "TLSv1.1" is not one of TLSv1.2, TLSv1.3 (did you mean TLSv1.2?)',
    ],
    [
      `{ bind: "a:1", tls: { ${certificates}, clientCertificates: optional } }`,
      'listeners[0].tls: clientCertificates needs a clientCa (name who signs them)',
    ],
    [`{ bind: "a:1", tls: { ${certificates}, cert: x } }`, 'listeners[0].tls.cert: unknown key'],
    ['{ bind: "unix:./run/herald.sock" }, { name: b, bind: "unix:./run/herald.sock" }', 'listeners[1].bind'],
  ])('is wrong as %s', (listener, expected) => {
    const found = read(`listeners: [${listener}]\n${pool}`).problems.map(formatProblem);
    expect(found.join('\n')).toContain(expected);
    expect(found.every((problem) => /^h\.yaml:\d+:\d+ /.test(problem))).toBe(true);
  });

  it('may not listen where the admin socket does', () => {
    const problem = 'h.yaml:5:9 admin.socket: x.sock is taken by listeners[0].bind (choose another path)';
    const found = read(`listeners: [{ bind: "unix:x.sock" }]\n${pool}admin: { socket: x.sock }\n`).problems;
    expect(found.map(formatProblem)).toEqual([problem.replace('5:9', '5:18')]);
  });
});

describe('a pool', () => {
  it('has TLS and PROXY headers to its nodes', () => {
    const { pools } = configOf(
      'listeners: [{ bind: "a:1" }]\npools: { app: { proxyProtocol: v2, tls: { ca: ca.pem, serverName: Nodes.Internal, cert: a.pem, key: a.key } } }\n',
    );
    expect(pools[0]).toMatchObject({
      proxyProtocol: 'v2',
      tls: {
        ca: 'text of ca.pem',
        serverName: 'nodes.internal',
        verifies: true,
        cert: 'text of a.pem',
        key: 'text of a.key',
      },
    });
  });

  it.each([
    ['tls: { cert: a.pem }', 'pools.app.tls: cert and key go together (write both or neither)'],
    [
      'tls: { ca: a.pem, verify: none }',
      'pools.app.tls: ca is of no use where nothing is verified (leave one of the two out)',
    ],
    [
      'tls: { serverName: "a:443" }',
      'pools.app.tls.serverName: "a:443" is not a host name (such as nodes.internal, without a port)',
    ],
    ['proxyProtocol: v3', 'pools.app.proxyProtocol: "v3" is not one of off, v1, v2'],
  ])('is wrong with %s', (keys, expected) => {
    expect(problemOf('{ bind: "a:1" }', `pools: { app: { ${keys} } }\n`)).toContain(expected);
  });
});
