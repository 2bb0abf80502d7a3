import { describe, expect, it } from 'vitest';
import { compileConfig, readConfig } from '../../../src/policy/compile-config.ts';
import { checkPolicyNames } from '../../../src/policy/config-checks.ts';
import type { Config } from '../../../src/policy/config.ts';
import type { Environment } from '../../../src/policy/environment.ts';
import { formatProblem, sortProblems } from '../../../src/policy/problem.ts';

const head = 'apiVersion: herald/v1\nkind: Config\n';
const listener = 'listeners: [{ bind: 127.0.0.1:8080 }]\n';
const pool = 'pools: { app: { nodes: [{ address: 127.0.0.1:3000 }] } }\n';

/** The problems of a config whose body starts on line 3. */
function problemsOf(body: string, environment: Environment = {}): string[] {
  return sortProblems(readConfig('h.yaml', head + body, environment).problems).map(formatProblem);
}

function configOf(body: string, environment: Environment = {}): Config {
  const { document, problems } = readConfig('h.yaml', head + body, environment);
  if (document === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return compileConfig(document, {
    resolvePath: (path) => `/at/${path}`,
    secrets: new Map([['./fleet', 'from-the-file']]),
    pems: new Map(['c.pem', 'k.pem', 'ca.pem'].map((file) => [file, `text of ${file}`])),
    stateTexts: new Map(),
  });
}

describe('a config file', () => {
  it('works with one listener and one pool', () => {
    expect(configOf(listener + pool)).toEqual({
      listeners: [
        {
          name: 'public',
          bind: { host: '127.0.0.1', port: 8080 },
          protocol: 'http',
          pool: '',
          tls: undefined,
          takesProxyHeader: false,
          timeouts: {
            headMs: 10_000,
            dialMs: 5000,
            handshakeMs: 10_000,
            tunnelIdleMs: 3_600_000,
            requestIdleMs: 75_000,
            keepAliveMs: 60_000,
            stallMs: 60_000,
          },
          sourceAddresses: [],
          limits: {
            connections: Infinity,
            connectionsPerAddress: Infinity,
            headBytes: 16_384,
            bodyBytes: Infinity,
          },
          trusted: [],
        },
      ],
      intake: {
        bind: { host: '127.0.0.1', port: 9401 },
        register: { from: [], ports: [] },
        tokens: [],
        tls: undefined,
      },
      admin: { socketPath: '/at/./run/herald.sock', tcp: undefined },
      state: { kind: 'memory', file: '/at/./run/herald-state.json' },
      log: { level: 'info', format: 'auto' },
      relay: { form: 'auto', maxWaitingBytes: 256 * 1024 * 1024 },
      workers: 'auto',
      accessLog: undefined,
      forwarding: { givesRequestId: true, trace: 'keep', sampledPart: 0 },
      affinity: { keys: [] },
      takeover: { relayForMs: 3_600_000 },
      policiesDirectory: '/at/./policies',
      pools: [
        {
          name: 'app',
          policy: 'default',
          routes: [{ host: '*', path: '/', isExact: false }],
          nodes: [
            {
              id: '127.0.0.1:3000',
              address: { host: '127.0.0.1', port: 3000 },
              capacity: undefined,
              zone: '',
              maxConnections: undefined,
            },
          ],
          tls: undefined,
          proxyProtocol: 'off',
        },
      ],
      webhooks: [],
      drivers: [],
    });
  });

  it('keeps its state beside the admin socket, elsewhere, or not at all', () => {
    const fileOf = (body: string) => configOf(listener + pool + body).state.file;
    expect(fileOf('admin: { socket: /run/h/h.sock }\n')).toBe('/at//run/h/herald-state.json');
    expect(fileOf('admin: { socket: h.sock }\n')).toBe('/at/herald-state.json');
    expect(fileOf('state: { file: ./s.json }\n')).toBe('/at/./s.json');
    expect(fileOf('state: { kind: memory, file: off }\n')).toBeUndefined();
    expect(problemsOf(`${listener}${pool}state: { file: 3 }\n`)[0]).toContain('state.file: 3 is not text');
  });

  it('is frozen all the way down', () => {
    const config = configOf(`${listener}${pool}intake: { register: { from: [10.0.0.0/8] } }\n`);
    const parts: unknown[] = [config];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (typeof part !== 'object' || part === null) continue;
      expect(Object.isFrozen(part)).toBe(true);
      parts.push(...Object.values(part));
    }
    expect.hasAssertions();
  });

  it('takes secrets from the file itself or from another', () => {
    const tokens = `[{ name: a, role: report, tokenFile: ./fleet }, { name: b, role: read, pools: [app], token: 0123456789abcdef }]`;
    expect(configOf(`${listener}${pool}intake: { tokens: ${tokens} }\n`).intake.tokens).toEqual([
      { name: 'a', role: 'report', pools: 'all', secret: 'from-the-file' },
      { name: 'b', role: 'read', pools: ['app'], secret: '0123456789abcdef' },
    ]);
  });

  it('compares hosts of routes in lower case', () => {
    const { pools } = configOf(
      `${listener}pools: { app: { routes: [{ host: Chat.Example.COM, path: /Ws }] } }\n`,
    );
    expect(pools[0]?.routes).toEqual([{ host: 'chat.example.com', path: '/Ws', isExact: false }]);
  });

  it('tells every problem at once', () => {
    const body = `listeners:
  - { bind: 8080, tls: {}, protocol: tcp, proxyProtocol: accept }
intake: { register: { from: [10.0.0.1/8], ports: [0] } }
state: { kind: redis, url: "http://x" }
log: { level: verbose }
pools:
  "a b": { policy: 5 }
`;
    expect(problemsOf(body)).toEqual([
      'h.yaml:4:13 listeners[0].bind: 8080 is only a port (write 127.0.0.1:8080)',
      'h.yaml:4:24 listeners[0].tls.certificates: is missing',
      'h.yaml:4:58 listeners[0].proxyProtocol: "accept" is not one of off, required',
      'h.yaml:5:30 intake.register.from[0]: 10.0.0.1/8 has bits beyond its prefix (write 10.0.0.0/8)',
      'h.yaml:5:51 intake.register.ports[0]: 0 is too small (at least 1)',
      'h.yaml:6:28 state.url: is not the URL of a Redis (such as redis://10.0.0.5:6379, redis://10.0.0.5:6379/2, or rediss:// for TLS)',
      'h.yaml:7:15 log.level: "verbose" is not one of trace, debug, info, warn, error, fatal, silent',
      'h.yaml:9:3 pools["a b"]: is not a name (letters, digits and . _ : -, at most 64)',
    ]);
  });

  it.each([
    ['no listeners', pool, 'h.yaml:1:1 listeners: is missing'],
    [
      'an empty list of listeners',
      `listeners: []\n${pool}`,
      'h.yaml:3:12 listeners: has too few entries (at least 1)',
    ],
    ['no pool', `${listener}pools: {}\n`, 'h.yaml:4:8 pools: there is no pool (name one, with its nodes)'],
    [
      'two listeners of one name',
      `listeners: [{ bind: "127.0.0.1:1" }, { bind: "127.0.0.1:2" }]\n${pool}`,
      'h.yaml:3:38 listeners[1].name: two listeners are named public, see listeners[0].name (give each a name)',
    ],
    [
      'two listeners on one address',
      `listeners: [{ bind: "127.0.0.1:1" }, { name: b, bind: "0.0.0.0:1" }]\n${pool}`,
      'h.yaml:3:55 listeners[1].bind: 0.0.0.0:1 is taken by listeners[0].bind (choose another port)',
    ],
    [
      'a listener on the address of the intake',
      `listeners: [{ bind: "0.0.0.0:9401" }]\n${pool}intake: { bind: "127.0.0.1:9401" }\n`,
      'h.yaml:5:17 intake.bind: 127.0.0.1:9401 is taken by listeners[0].bind (choose another port)',
    ],
    [
      'two nodes of one id',
      `${listener}pools:\n  a: { nodes: [{ id: n, address: "a:1" }] }\n  b: { routes: [{ path: /b }], nodes: [{ id: n, address: "b:1" }] }\n`,
      'h.yaml:6:46 pools.b.nodes[0].id: two nodes have the id n, see pools.a.nodes[0].id (give each an id of its own)',
    ],
    [
      'one route in two pools',
      `${listener}pools:\n  a: { routes: [{ host: A.example }] }\n  b: { routes: [{ host: a.example }] }\n`,
      'h.yaml:6:17 pools.b.routes[0]: the route a.example/ is here twice, see pool a at h.yaml:5 (requests can go to one pool only: choose another host or path)',
    ],
    [
      'a route with a port',
      `${listener}pools: { a: { routes: [{ host: "a:80" }] } }\n`,
      'h.yaml:4:32 pools.a.routes[0].host: "a:80" is not a host (leave the port out)',
    ],
    [
      'a token for an unknown pool',
      `${listener}${pool}intake: { tokens: [{ name: t, role: read, pools: [ap], token: 0123456789abcdef }] }\n`,
      'h.yaml:5:51 intake.tokens[0].pools[0]: no pool is named ap (did you mean app?)',
    ],
    [
      'a token without secret',
      `${listener}${pool}intake: { tokens: [{ name: t, role: read }] }\n`,
      'h.yaml:5:20 intake.tokens[0]: needs a tokenFile or a token (write one of them)',
    ],
    [
      'a token for no pool',
      `${listener}${pool}intake: { tokens: [{ name: t, role: read, pools: [], tokenFile: f }] }\n`,
      'h.yaml:5:50 intake.tokens[0].pools: has too few entries (at least 1)',
    ],
    [
      'a short token, which is not shown',
      `${listener}${pool}intake: { tokens: [{ name: t, role: read, token: hunter2 }] }\n`,
      'h.yaml:5:50 intake.tokens[0].token: is too short to be a secret: 16 characters or more (such as the output of openssl rand -hex 32)',
    ],
    [
      'a token of digits, which is not shown either',
      `${listener}${pool}intake: { tokens: [{ name: t, role: read, token: 1234567890123456 }] }\n`,
      'h.yaml:5:50 intake.tokens[0].token: is not text: put it in quotes (such as the output of openssl rand -hex 32)',
    ],
    [
      'a token in two places',
      `${listener}${pool}intake: { tokens: [{ name: t, role: read, token: 0123456789abcdef, tokenFile: f }] }\n`,
      'h.yaml:5:20 intake.tokens[0]: needs a tokenFile or a token (write one of them)',
    ],
    [
      // What broke: a mapping with a key `length` was taken for something that has one, and compared.
      'a mapping that claims a length',
      `listeners: { length: [{ toString: 1 }] }\n${pool}`,
      'h.yaml:3:12 listeners: expected a list, got a mapping',
    ],
    [
      'too many trusted sources',
      `listeners: [{ bind: "a:1", trusted: [${Array.from({ length: 257 }, () => '"::1"').join(', ')}] }]\n${pool}`,
      'h.yaml:3:37 listeners[0].trusted: has too many entries (at most 256)',
    ],
    [
      'a protocol misspelt',
      `listeners: [{ bind: "a:1", protocol: htp }]\n${pool}`,
      'h.yaml:3:38 listeners[0].protocol: "htp" is not one of http, tcp (did you mean http?)',
    ],
    [
      'a protocol that is no text',
      `listeners: [{ bind: "a:1", protocol: { toString: 1 } }]\n${pool}`,
      'h.yaml:3:38 listeners[0].protocol: a mapping is not one of http, tcp',
    ],
    [
      'a route to a number',
      `${listener}pools: { a: { routes: [{ host: 5 }] } }\n`,
      'h.yaml:4:32 pools.a.routes[0].host: 5 is not a host (a host name, "*.example.com" or "*", in quotes)',
    ],
    [
      'an empty path',
      `${listener}${pool}policies: ""\n`,
      'h.yaml:5:11 policies: is empty (write something, or leave the key out)',
    ],
    [
      'a path that is no text',
      `${listener}${pool}policies: 5\n`,
      'h.yaml:5:11 policies: 5 is not text (put it in quotes)',
    ],
    [
      'a zone without end',
      `${listener}pools: { a: { nodes: [{ address: "a:1", zone: ${'z'.repeat(65)} }] } }\n`,
      'h.yaml:4:47 pools.a.nodes[0].zone: is too long (at most 64 characters)',
    ],
    [
      'a node without port',
      `${listener}pools: { a: { nodes: [{ address: localhost }] } }\n`,
      'h.yaml:4:34 pools.a.nodes[0].address: "localhost" is not host:port (such as 127.0.0.1:8080, [::1]:8080 or localhost:8080)',
    ],
    [
      'a node without capacity',
      `${listener}pools: { a: { nodes: [{ address: "a:1", capacity: 0 }] } }\n`,
      'h.yaml:4:51 pools.a.nodes[0].capacity: 0 is too small (more than 0)',
    ],
    [
      'an admin port that anybody could use',
      `${listener}${pool}admin: { bind: "127.0.0.1:1" }\n`,
      'h.yaml:5:16 admin.bind: needs tokens: anybody could change everything (write admin.tokens)',
    ],
    [
      'an admin port that shows tokens to the network',
      `${listener}${pool}admin: { bind: "0.0.0.0:1", tokens: [{ name: ops, role: operate, token: 0123456789abcdef }] }\n`,
      'h.yaml:5:16 admin.bind: 0.0.0.0:1 needs tls: tokens would cross the network in the clear (write admin.tls, or bind to 127.0.0.1 behind a TLS proxy)',
    ],
    [
      'an admin token that only reports',
      `${listener}${pool}admin: { bind: "127.0.0.1:1", tokens: [{ name: ops, role: report, token: 0123456789abcdef }] }\n`,
      'h.yaml:5:59 admin.tokens[0].role: report means nothing here (write read or operate, or move it to intake.tokens)',
    ],
    [
      'an admin token that is called as Herald itself is',
      `${listener}${pool}admin: { bind: "127.0.0.1:1", tokens: [{ name: auto, role: read, token: 0123456789abcdef }] }\n`,
      "h.yaml:5:48 admin.tokens[0].name: auto is what audit events call Herald's own (choose another name)",
    ],
    [
      'one name for a token of each listener',
      `${listener}${pool}intake: { tokens: [{ name: x, role: report, token: 0123456789abcdef }] }\nadmin: { bind: "127.0.0.1:1", tokens: [{ name: x, role: read, token: 0123456789abcdef }] }\n`,
      'h.yaml:6:48 admin.tokens[0].name: two tokens are named x, see intake.tokens[0].name (give each a name)',
    ],
    [
      'admin tokens without a port',
      `${listener}${pool}admin: { tokens: [{ name: ops, role: read, token: 0123456789abcdef }] }\n`,
      'h.yaml:5:18 admin.tokens: is for TCP, and there is no bind (write bind, or remove it)',
    ],
    [
      'an admin port that the intake has',
      `${listener}${pool}admin: { bind: "127.0.0.1:9401", tokens: [{ name: ops, role: read, token: 0123456789abcdef }] }\n`,
      'h.yaml:5:16 admin.bind: 127.0.0.1:9401 is taken by intake.bind (choose another port)',
    ],
    [
      'a host with its port',
      `${listener}${pool}admin: { bind: "127.0.0.1:1", hosts: ["h:1"], tokens: [{ name: ops, role: read, token: 0123456789abcdef }] }\n`,
      'h.yaml:5:39 admin.hosts[0]: "h:1" is not a host name (a host name without port, such as herald.internal)',
    ],
  ])('with %s has that problem', (_, body, problem) => {
    expect(problemsOf(body)).toEqual([problem]);
  });

  it('opens the admin API over TCP with tokens, names and TLS', () => {
    const tls = '{ cert: c.pem, key: k.pem, clientCa: ca.pem }';
    const tokens = '[{ name: ops, role: operate, pools: [app], token: 0123456789abcdef }]';
    const { admin, intake } = configOf(
      `${listener}${pool}intake: { tls: { cert: c.pem, key: k.pem } }\nadmin: { bind: "0.0.0.0:9402", hosts: [Herald.Internal], tokens: ${tokens}, tls: ${tls} }\n`,
    );
    expect(admin.tcp).toEqual({
      bind: { host: '0.0.0.0', port: 9402 },
      hosts: ['herald.internal'],
      tokens: [{ name: 'ops', role: 'operate', pools: ['app'], secret: '0123456789abcdef' }],
      tls: { cert: 'text of c.pem', key: 'text of k.pem', clientCa: 'text of ca.pem' },
    });
    expect(intake.tls).toEqual({ cert: 'text of c.pem', key: 'text of k.pem', clientCa: undefined });
  });

  it('may have several listeners on ports that the kernel chooses', () => {
    const body = `listeners: [{ bind: "[::1]:0" }, { name: b, bind: "[::1]:0" }]\n${pool}`;
    expect(configOf(body).listeners.map(({ bind }) => bind)).toEqual([
      { host: '::1', port: 0 },
      { host: '::1', port: 0 },
    ]);
  });
});

describe('checkPolicyNames', () => {
  const body = `${listener}pools: { a: { policy: caht, routes: [{ path: /a }] }, b: {} }\n`;
  const namesIn = (isComplete: boolean): string[] => {
    const { source, sections } = readConfig('h.yaml', head + body, {});
    if (source === undefined) throw new Error('the config of this test is not YAML');
    const known = ['default', 'chat'];
    return checkPolicyNames(source, sections, { known, isComplete }).map(formatProblem);
  };

  it('names the nearest policy', () => {
    expect(namesIn(true)).toEqual([
      'h.yaml:4:23 pools.a.policy: no policy is named caht (did you mean chat?)',
    ]);
  });

  it('says nothing while a policy file could not be understood', () => {
    expect(namesIn(false)).toEqual([]);
  });
});

describe('the environment', () => {
  it('overrides the file, and is checked like it', () => {
    const config = configOf(listener + pool, {
      HERALD_LOG_LEVEL: 'debug',
      HERALD_INTAKE_BIND: '0.0.0.0:9500',
      HERALD_ADMIN_SOCKET: '/run/h.sock',
      HERALD_LISTENERS_PUBLIC_BIND: '[::]:80',
    });
    expect(config.log.level).toBe('debug');
    expect(config.intake.bind).toEqual({ host: '0.0.0.0', port: 9500 });
    expect(config.admin.socketPath).toBe('/at//run/h.sock');
    expect(config.listeners[0]?.bind).toEqual({ host: '::', port: 80 });
  });

  it('says who a balancer is among its peers, as the pod is called, and by which password it comes', () => {
    const state = 'state: { kind: redis, url: "redis://from-file", passwordFile: pw }\n';
    const environment = {
      HERALD_STATE_PEER: 'herald-7d9f8b6c5d-x2x4z',
      HERALD_STATE_URL: 'redis://redis.internal:6380/2',
      HERALD_STATE_USERNAME: 'herald',
      HERALD_STATE_PASSWORD_FILE: 'other',
    };
    const { document, problems } = readConfig('h.yaml', head + listener + pool + state, environment);
    expect(problems).toEqual([]);
    expect(document?.state).toMatchObject({
      peer: 'herald-7d9f8b6c5d-x2x4z',
      url: { address: { host: 'redis.internal', port: 6380 }, database: 2 },
      username: 'herald',
      passwordFile: 'other',
    });
    expect(problemsOf(listener + pool + state, { HERALD_STATE_PASSWORD: 'hunter2' })).toEqual([
      'HERALD_STATE_PASSWORD state.password: stands beside passwordFile (write one of them)',
    ]);
    expect(problemsOf(listener + pool, { HERALD_STATE_PEER: 'lb-1' })).toEqual([
      'HERALD_STATE_PEER state.peer: is only for kind: redis (write kind: redis, or remove it)',
    ]);
  });

  it('is named by the problems that it causes', () => {
    const environment = { HERALD_LOG_LEVEL: 'verbose', HERALD_LISTENERS_MY_WEB_BIND: '80' };
    expect(problemsOf(`listeners: [{ name: my-web, bind: "a:1" }]\n${pool}`, environment)).toEqual([
      'HERALD_LISTENERS_MY_WEB_BIND listeners[0].bind: "80" is not host:port (such as 127.0.0.1:8080, [::1]:8080 or localhost:8080)',
      'HERALD_LOG_LEVEL log.level: "verbose" is not one of trace, debug, info, warn, error, fatal, silent',
    ]);
  });

  it('mends a value that is wrong in the file', () => {
    expect(problemsOf(`${listener}${pool}log: { level: 5 }\n`, { HERALD_LOG_LEVEL: 'warn' })).toEqual([]);
  });

  it('is warned about where it means nothing, and left alone where others read it', () => {
    const { warnings } = readConfig('h.yaml', head + listener + pool, {
      HERALD_LOG_LEVL: 'info',
      HERALD_SERVICE_HOST: '10.0.0.1',
      HERALD_LOG_LEVEL: '',
      HERALD_CONFIG: 'x',
      HERALD_NODE_ID: 'x',
      HERALD_SOCKET: 'x',
      HERALD_TEST_REDIS_URL: 'x',
      PATH: '/bin',
    });
    expect(warnings).toEqual([
      'HERALD_LOG_LEVL means nothing to Herald (did you mean HERALD_LOG_LEVEL?)',
      'HERALD_SERVICE_HOST means nothing to Herald',
    ]);
  });

  it('does not bend a file whose sections are no mappings', () => {
    expect(problemsOf(`${listener}${pool}log: 5\n`, { HERALD_LOG_LEVEL: 'info' })).toEqual([
      'h.yaml:5:6 log: expected a mapping, got 5',
    ]);
  });
});
