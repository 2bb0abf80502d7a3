import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../src/policy/agent-config.ts';
import { isAllowedHost } from '../../../src/policy/agent-checks.ts';
import { complainAboutAuthorization, readAgent } from '../../../src/policy/agent-reading.ts';
import { compileAgent } from '../../../src/policy/compile-agent.ts';
import type { Environment } from '../../../src/policy/environment.ts';
import { formatProblem, sortProblems } from '../../../src/policy/problem.ts';

const head = 'apiVersion: herald/v1\nkind: Agent\n';
const least = 'pool: chat\nbalancers: [http://127.0.0.1:9401]\nnode: { port: 8081 }\n';

/** The problems of a file whose body starts on line 3. */
function problemsOf(body: string, environment: Environment = {}): string[] {
  return sortProblems(readAgent('a.yaml', head + body, environment).problems).map(formatProblem);
}

function configOf(body: string, environment: Environment = {}): AgentConfig {
  const { document, problems } = readAgent('a.yaml', head + body, environment);
  if (document === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return compileAgent(document, {
    resolvePath: (path) => `/at/${path}`,
    secrets: new Map([
      ['./token', 'token-from-file'],
      ['./basic', 'Basic abc'],
    ]),
  });
}

describe('an agent.yaml', () => {
  it('works with a balancer, a pool and a port', () => {
    const config = configOf(least);
    expect(config).toMatchObject({
      pool: 'chat',
      token: undefined,
      intervalMs: 1000,
      measure: { kind: 'host' },
      connectionPorts: [8081],
      sources: [],
      statsdBind: undefined,
      agentCheck: undefined,
      log: { level: 'info', format: 'auto' },
    });
    expect(config.balancers.map(({ href }) => href)).toEqual(['http://127.0.0.1:9401/']);
    expect(Object.isFrozen(config.node)).toBe(true);
  });

  it('names one scope, by a word or a mapping', () => {
    const scopeOf = (measure: string) => configOf(`${least}measure: ${measure}\n`).measure;
    expect(scopeOf('host')).toEqual({ kind: 'host', cpus: undefined });
    expect(scopeOf('cgroup')).toEqual({ kind: 'cgroup', path: undefined, cpus: undefined });
    expect(scopeOf('{ cgroup: /sys/fs/cgroup/a.slice/b.service }')).toMatchObject({
      path: '/a.slice/b.service',
    });
    expect(scopeOf('{ process: { pidFile: ./pid }, cpus: 0.5 }')).toEqual({
      kind: 'process',
      pidFile: '/at/./pid',
      port: undefined,
      cpus: 0.5,
    });
    for (const wrong of ['{}', '{ scope: host, cgroup: /a }', '{ process: {} }', '{ cgroup: a/../b }', '7'])
      expect(problemsOf(`${least}measure: ${wrong}\n`), wrong).toHaveLength(1);
  });

  it('compiles sources of each kind, with secrets from files', () => {
    const config = configOf(
      `${least}tokenFile: ./token
sources: { timeout: 200ms, maxBody: 64KiB, hosts: [10.0.0.0/8] }
signals:
  delayMs: { json: { url: 'http://10.1.1.1/s', path: 'a.b[0]', authorizationFile: ./basic }, scale: 1000 }
  throughput: { prometheus: { url: 'http://localhost/m', selector: 'sent_total{a="b"}', combine: max }, as: rate }
  depth: { file: { path: depth, maxAge: 5s } }
  lag: { statsd: {} }
`,
    );
    expect(config.token).toBe('token-from-file');
    expect(config.statsdBind).toEqual({ host: '127.0.0.1', port: 8125 });
    const http = { timeoutMs: 200, maxBodyBytes: 65_536 };
    expect(config.sources).toMatchObject([
      { signal: 'delayMs', source: { kind: 'json', path: ['a', 'b', 0], scale: 1000, http } },
      { signal: 'throughput', source: { kind: 'prometheus', as: 'rate', combine: 'max', http } },
      { signal: 'depth', source: { kind: 'file', path: '/at/depth', maxAgeMs: 5000 } },
      { signal: 'lag', source: { kind: 'statsd', name: 'lag', maxAgeMs: 10_000 } },
    ]);
    expect(config.sources[0]?.source).toMatchObject({ http: { authorization: 'Basic abc' } });
  });

  it('is overridden by the environment, whose mistakes are told by the name of the variable', () => {
    const environment = {
      HERALD_BALANCERS: 'http://10.0.0.1:9401, http://10.0.0.2:9401',
      HERALD_NODE_ID: 'pod-7',
      HERALD_NODE_ADDRESS: '10.0.0.9:8081',
      HERALD_NODE_CAPACITY: '2.5',
      HERALD_TOKEN_FILE: './token',
      HERALD_ADMIN_SOCKET: '/run/herald.sock',
    };
    const config = configOf('pool: chat\n', environment);
    expect(config.balancers).toHaveLength(2);
    expect(config).toMatchObject({
      token: 'token-from-file',
      node: { id: 'pod-7', address: { host: '10.0.0.9', port: 8081 }, capacity: 2.5 },
    });
    expect(readAgent('a.yaml', head + least, environment).warnings).toEqual([]);
    expect(problemsOf(least, { HERALD_NODE_PORT: 'http', HERALD_NODE_CAPACITY: '0' })).toEqual([
      'HERALD_NODE_CAPACITY node.capacity: 0 is too small (more than 0)',
      'HERALD_NODE_PORT node.port: expected a number, got "http"',
    ]);
    expect(readAgent('a.yaml', head + least, { HERALD_NODE_PROT: '1' }).warnings).toEqual([
      'HERALD_NODE_PROT means nothing to Herald (did you mean HERALD_NODE_PORT?)',
    ]);
  });

  it('tells every problem with its place and a hint', () => {
    const problems = problemsOf(
      `pool: chat
node: { id: a }
balancers: ['http://u:p@h:1', 'ftp://x', 'http://a/?q']
signals:
  cpu: { file: { path: a } }
  both: { file: { path: a }, statsd: {} }
  far: { json: { url: 'http://192.168.1.1/' } }
  constructor: { file: { path: a } }
sources: { hosts: [10.0.0.1/8, 'a b'], maxBody: 1 }
agentCheck: { bind: 'localhost:5555', saturation: { nope: 3 } }
fo: 1
`,
    );
    const starts = [
      'a.yaml:4:7 node: needs the port or the address',
      'a.yaml:5:13 balancers[0]: the URL holds a user or a password',
      'a.yaml:5:31 balancers[1]: "ftp:" is neither http nor https',
      'a.yaml:5:42 balancers[2]: the URL has a query',
      'a.yaml:7:3 signals.cpu: is measured by the agent itself',
      'a.yaml:8:9 signals.both: has 2 sources',
      'a.yaml:10:3 signals.constructor: is a reserved word',
      'a.yaml:11:20 sources.hosts[0]: 10.0.0.1/8 has bits beyond its prefix',
      'a.yaml:11:32 sources.hosts[1]: "a b" is not a host',
      'a.yaml:11:49 sources.maxBody: 1 is not a size',
      'a.yaml:12:21 agentCheck.bind: localhost is not an IP address',
      'a.yaml:12:53 agentCheck.saturation.nope: nobody measures nope',
      'a.yaml:13:1 fo: unknown key',
    ];
    expect(problems.map((problem, index) => problem.slice(0, starts[index]?.length))).toEqual(starts);
    expect(problems.join()).not.toContain('u:p');
  });

  it('needs somebody who hears it: a balancer, or HAProxy', () => {
    const body = 'pool: chat\nnode: { port: 8081 }\n';
    expect(problemsOf(body)).toEqual([expect.stringContaining('nobody would hear this agent')]);
    expect(configOf(`${body}agentCheck: {}\n`).agentCheck).toEqual({
      bind: { host: '127.0.0.1', port: 5555 },
      saturation: { cpu: 0.8 },
    });
    expect(problemsOf(`${body}balancers: ['http://a', 'http://a/']\n`)).toEqual([
      expect.stringContaining('balancers[1]: is balancers[0] once more'),
    ]);
  });

  it('has room for 29 custom signals beside the three of pressure', () => {
    const signals = (count: number): string =>
      `${least}signals:\n${Array.from({ length: count }, (_, index) => `  s${index}: { statsd: {} }\n`).join('')}`;
    expect(problemsOf(signals(29))).toEqual([]);
    expect(problemsOf(signals(30))).toEqual([expect.stringContaining('30 custom signals (at most 29)')]);
  });

  it('is refused as a whole for another kind, for no mapping, and for text that is no YAML', () => {
    expect(readAgent('a.yaml', 'apiVersion: herald/v1\nkind: Policy\n', {}).problems).toHaveLength(1);
    for (const text of ['', '- a', 'a: [', '\u0000'])
      expect(readAgent('a.yaml', text, {}).problems.length, text).toBeGreaterThan(0);
  });
});

describe('the hosts of sources', () => {
  it('are loopback and what is listed, by name or by block', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])
      expect(isAllowedHost(host, [])).toBe(true);
    for (const host of ['10.0.0.1', 'app', '0.0.0.0', '[::]', '169.254.169.254', 'localhost.evil.example'])
      expect(isAllowedHost(host, []), host).toBe(false);
    const hosts = ['app', '10.0.0.0/8', 'fd00::/8', '192.168.1.1'];
    for (const host of ['APP', '10.255.0.1', '[fd00::1]', '192.168.1.1'])
      expect(isAllowedHost(host, hosts)).toBe(true);
    for (const host of ['app.evil', '11.0.0.1', '192.168.1.2'])
      expect(isAllowedHost(host, hosts)).toBe(false);
  });

  it('cannot be got round by other ways to write an address', () => {
    for (const url of ['http://0x7f.1/', 'http://2130706433/', 'http://[::ffff:127.0.0.1]/'])
      expect(isAllowedHost(new URL(url).hostname, []), url).toBe(true);
    for (const url of ['http://0xa9fea9fe/', 'http://2852039166/', 'http://[::ffff:169.254.169.254]/'])
      expect(isAllowedHost(new URL(url).hostname, []), url).toBe(false);
  });
});

describe('the value of an Authorization header', () => {
  it('is one line of visible characters and blanks', () => {
    expect(['Bearer abc', 'x'].map(complainAboutAuthorization)).toEqual([undefined, undefined]);
    for (const value of ['', ' a', 'a ', 'a\nb', 'ä', 'x'.repeat(5000)])
      expect(complainAboutAuthorization(value), value.slice(0, 5)).toBeDefined();
  });
});
