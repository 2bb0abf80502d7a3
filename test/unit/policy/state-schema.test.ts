import { describe, expect, it } from 'vitest';
import { compileRedis, stateFiles } from '../../../src/policy/compile-state.ts';
import { readConfig } from '../../../src/policy/compile-config.ts';
import type { RedisConfig } from '../../../src/policy/config.ts';
import { formatProblem } from '../../../src/policy/problem.ts';

const head = `apiVersion: herald/v1
kind: Config
listeners: [{ bind: 127.0.0.1:8080 }]
pools: { app: { nodes: [{ address: 127.0.0.1:3000 }] } }
`;

function problemsOf(state: string): string[] {
  return readConfig('h.yaml', `${head}state: ${state}\n`, {}).problems.map(formatProblem);
}

function redisOf(state: string): RedisConfig | undefined {
  const { document, problems } = readConfig('h.yaml', `${head}state: ${state}\n`, {});
  if (document === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  const files = stateFiles(document.state).map(({ file }) => [file, `text of ${file}`] as const);
  return compileRedis(document.state, new Map(files));
}

const nothing = {
  username: undefined,
  password: undefined,
  sentinelUsername: undefined,
  sentinelPassword: undefined,
  tls: undefined,
  keyPrefix: 'herald',
  peer: undefined,
};

describe('state', () => {
  it('is memory, which shares nothing', () => {
    expect(redisOf('{}')).toBeUndefined();
    expect(redisOf('{ kind: memory, file: off }')).toBeUndefined();
  });

  it.each([
    ['redis://10.0.0.5', { host: '10.0.0.5', port: 6379 }, 0, false],
    ['redis://redis.internal:6380/', { host: 'redis.internal', port: 6380 }, 0, false],
    ['redis://localhost:6379/2', { host: 'localhost', port: 6379 }, 2, false],
    ['rediss://[fd00::1]:6379/15', { host: 'fd00::1', port: 6379 }, 15, true],
  ])('takes one server by its URL: %s', (url, address, database, isTls) => {
    expect(redisOf(`{ kind: redis, url: "${url}" }`)).toEqual({
      ...nothing,
      servers: { kind: 'single', address, database },
      tls: isTls ? { ca: undefined, cert: undefined, key: undefined } : undefined,
    });
  });

  it('takes Sentinels with the name of the master, user, password, TLS, prefix and peer', () => {
    const state =
      '{ kind: redis, sentinels: [10.0.0.1:26379, 10.0.0.2:26379], name: main, username: herald, passwordFile: pw, sentinelUsername: watch, sentinelPasswordFile: spw, tls: { ca: ca.pem, cert: c.pem, key: k.pem }, keyPrefix: prod, peer: lb-1 }';
    expect(redisOf(state)).toEqual({
      servers: {
        kind: 'sentinel',
        addresses: [
          { host: '10.0.0.1', port: 26_379 },
          { host: '10.0.0.2', port: 26_379 },
        ],
        masterName: 'main',
      },
      username: 'herald',
      password: 'text of pw',
      sentinelUsername: 'watch',
      sentinelPassword: 'text of spw',
      tls: { ca: 'text of ca.pem', cert: 'text of c.pem', key: 'text of k.pem' },
      keyPrefix: 'prod',
      peer: 'lb-1',
    });
  });

  it('takes servers of a Cluster, and a password in the file', () => {
    expect(redisOf('{ kind: redis, cluster: [10.0.0.1:7000], password: "pass word" }')).toEqual({
      ...nothing,
      servers: { kind: 'cluster', addresses: [{ host: '10.0.0.1', port: 7000 }] },
      password: 'pass word',
    });
  });

  it.each([
    ['{ kind: redis }', 'state: names no Redis (write a url, or sentinels and name, or cluster)'],
    ['{ url: "redis://x" }', 'state.url: is only for kind: redis (write kind: redis, or remove it)'],
    ['{ kind: memory, peer: a }', 'state.peer: is only for kind: redis'],
    ['{ kind: etcd }', 'state.kind: "etcd" is not one of memory, redis'],
    ['{ kind: redis, url: "redis://x", cluster: [x:1] }', 'state.cluster: stands beside url'],
    ['{ kind: redis, sentinels: [x:1] }', 'state: needs a name (what the Sentinels call the master)'],
    ['{ kind: redis, url: "redis://x", name: main }', 'state.name: is only for sentinels'],
    ['{ kind: redis, url: "redis://x", username: u }', 'state.username: has no password'],
    [
      '{ kind: redis, url: "redis://x", password: p, passwordFile: f }',
      'state.password: stands beside passwordFile',
    ],
    [
      '{ kind: redis, url: "redis://x", sentinelPassword: hunter2 }',
      'state.sentinelPassword: is only for sentinels',
    ],
    [
      '{ kind: redis, sentinels: [x:1], name: m, sentinelUsername: u }',
      'state.sentinelUsername: has no password (write sentinelPasswordFile)',
    ],
    ['{ kind: redis, url: "redis://x", password: 5 }', 'state.password: is not text'],
    ['{ kind: redis, url: "redis://x", password: "" }', 'state.password: is empty'],
    ['{ kind: redis, url: "rediss://x", tls: { cert: c.pem } }', 'state.tls: has a cert or a key alone'],
    [
      '{ kind: redis, url: "redis://x", tls: {} }',
      'state.url: is plain although there is tls (write rediss://)',
    ],
    ['{ kind: redis, url: "redis://u:hunter2@x" }', 'state.url: holds a user or a password'],
    ['{ kind: redis, url: "hunter2" }', 'state.url: is not the URL of a Redis'],
    ['{ kind: redis, url: "redis://x/nine" }', 'state.url: has more than a host, a port and'],
    ['{ kind: redis, url: "redis://x?db=2" }', 'state.url: has more than a host, a port and'],
    ['{ kind: redis, cluster: [] }', 'state.cluster: has too few entries'],
    ['{ kind: redis, url: "redis://x", keyPrefix: "a{b}" }', 'state.keyPrefix: "a{b}" is not a name'],
    ['{ kind: redis, sentinel: [x:1] }', 'state.sentinel: unknown key (did you mean sentinels?)'],
  ])('refuses %s', (state, problem) => {
    const problems = problemsOf(state);
    expect(problems.join('\n')).toContain(problem);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});
