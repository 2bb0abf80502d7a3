import { describe, expect, it } from 'vitest';
import { compileConfig, readConfig } from '../../../src/policy/compile-config.ts';
import type { Config } from '../../../src/policy/config.ts';
import { formatProblem, sortProblems } from '../../../src/policy/problem.ts';

const head = `apiVersion: herald/v1
kind: Config
listeners: [{ bind: 127.0.0.1:8080 }]
pools: { chat: { nodes: [{ address: 127.0.0.1:3000 }] }, games: { routes: [{ path: /games }] } }
`;

const reading = (body: string) => readConfig('h.yaml', head + body, {});
/** Without columns: what matters is the line and the path. */
const problemsOf = (body: string) =>
  sortProblems(reading(body).problems).map((problem) =>
    formatProblem(problem).replace(/^h\.yaml:(\d+):\d+ /, '$1 '),
  );

function configOf(body: string): Config {
  const { document, problems } = reading(body);
  if (document === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return compileConfig(document, {
    resolvePath: (path) => `/at/${path}`,
    stateTexts: new Map(),
    secrets: new Map([
      ['new', 'new-secret-0123456789'],
      ['old', 'old-secret-0123456789'],
    ]),
    pems: new Map([['ca.pem', 'text of ca.pem']]),
  });
}

const secret = 'secret: 0123456789abcdef';

describe('webhooks', () => {
  it('need a name, a URL and a secret; the rest has defaults', () => {
    expect(configOf(`webhooks: [{ name: ops, url: "https://h.example/x?k=1", ${secret} }]`).webhooks).toEqual(
      [
        {
          name: 'ops',
          url: 'https://h.example/x?k=1',
          secrets: ['0123456789abcdef'],
          pools: 'all',
          events: ['scale.*'],
          timeoutMs: 5000,
          attempts: 100,
          maxAgeMs: 3_600_000,
          ca: undefined,
        },
      ],
    );
  });

  it('are signed with the new secret first while it is being changed', () => {
    const body =
      'webhooks: [{ name: a, url: "https://h", secretFile: new, formerSecretFile: old, tls: { ca: ca.pem } }]';
    expect(configOf(body).webhooks).toMatchObject([
      { secrets: ['new-secret-0123456789', 'old-secret-0123456789'], ca: 'text of ca.pem' },
    ]);
    expect(reading(body).outputFiles).toEqual({
      secretFiles: [
        { path: ['webhooks', 0, 'secretFile'], file: 'new' },
        { path: ['webhooks', 0, 'formerSecretFile'], file: 'old' },
      ],
      caFiles: [{ path: ['webhooks', 0, 'tls', 'ca'], file: 'ca.pem' }],
      programs: [],
    });
  });

  it('are told by place, value and remedy what is wrong with them, all at once', () => {
    const body = `webhooks:
  - { name: a, url: ftp://h.example, ${secret}, pools: [chta] }
  - { name: a, url: "https://me:hunter2@h.example/", ${secret} }
  - { name: b, url: "h.example", secret: short }
  - { name: c, url: "https://h.example" }
  - { name: d, url: "https://h.example", ${secret}, secretFile: x }
  - { name: e, url: "https://h.example", ${secret}, events: [scale, webhook.failing], attemps: 3 }
`;
    const problems = problemsOf(body);
    expect(problems).toEqual([
      '6 webhooks[0].url: "ftp:" is neither http nor https (such as https://hooks.example.com/herald)',
      '7 webhooks[1].url: the URL holds a user or a password (leave them out: the receiver knows Herald by the signature)',
      '8 webhooks[2].url: "h.example" is not a URL (such as https://hooks.example.com/herald)',
      '8 webhooks[2].secret: is too short to be a secret: 16 characters or more (such as the output of openssl rand -hex 32)',
      '9 webhooks[3]: needs a secretFile or a secret (write one of them)',
      '10 webhooks[4]: needs a secretFile or a secret (write one of them)',
      '11 webhooks[5].events[0]: "scale" is not a type of event (such as scale.recommended, operation.* for all that begin so, or * for every one)',
      '11 webhooks[5].events[1]: webhook.failing is never sent to webhooks: one that fails would cause the next (remove it)',
      '11 webhooks[5].attemps: unknown key (did you mean attempts?)',
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('have names of their own, and pools that are there', () => {
    const body = `webhooks:
  - { name: a, url: "https://h.example", ${secret}, pools: [chta] }
  - { name: a, url: "https://h.example", ${secret} }
`;
    expect(problemsOf(body)).toEqual([
      '6 webhooks[0].pools[0]: no pool is named chta (did you mean chat?)',
      '7 webhooks[1].name: two webhooks are named a, see webhooks[0].name (give each a name)',
    ]);
  });

  it('never show a secret in a problem', () => {
    for (const bad of [
      'hunter2',
      'blanks in it all over the place',
      'has blanks in it all over',
      'ünïcödé-sécrét-0123',
    ])
      expect(problemsOf(`webhooks: [{ name: a, url: "https://h", secret: "${bad}" }]`).join()).not.toContain(
        bad,
      );
  });

  it('over plain HTTP to somewhere else are warned about, not refused', () => {
    const warningsOf = (url: string) => reading(`webhooks: [{ name: a, url: "${url}", ${secret} }]`).warnings;
    expect(warningsOf('http://hooks.example/x')).toEqual([
      'h.yaml:5:28 webhooks[0].url: events cross the network in the clear: signed, so that nobody can change them, but readable (write https)',
    ]);
    for (const url of ['https://hooks.example', 'http://localhost:1', 'http://127.0.0.2', 'http://[::1]:80'])
      expect(warningsOf(url)).toEqual([]);
  });
});

describe('drivers', () => {
  it('run a program by its path from the file, or by its name', () => {
    const body = `drivers:
  - { name: fleet, pools: [chat], command: [./scale.sh, "--to={desired}"], env: { ZONE: eu-1 } }
  - { name: games, kind: exec, pools: [games], command: [kubectl], timeout: 90s }
`;
    expect(configOf(body).drivers).toEqual([
      {
        name: 'fleet',
        kind: 'exec',
        pools: ['chat'],
        command: ['/at/./scale.sh', '--to={desired}'],
        timeoutMs: 60_000,
        env: { ZONE: 'eu-1' },
      },
      { name: 'games', kind: 'exec', pools: ['games'], command: ['kubectl'], timeoutMs: 90_000, env: {} },
    ]);
    expect(reading(body).outputFiles.programs).toEqual([
      { path: ['drivers', 0, 'command', 0], file: './scale.sh' },
      { path: ['drivers', 1, 'command', 0], file: 'kubectl' },
    ]);
  });

  it('are told what is wrong with them, all at once', () => {
    const body = `drivers:
  - { name: a, command: ["{pool}"] }
  - { name: b, command: [] }
  - { name: c, command: [x, "--to={desird}"], kind: agones }
  - { name: d, command: x }
  - { name: e, command: [x, 7, "a\\0b"], timeout: 2m, env: { "A-B": c, HERALD_SCALE_POOL: x, N: 7 } }
`;
    expect(problemsOf(body)).toEqual([
      '6 drivers[0].command[0]: a program cannot hold a placeholder (put it into the arguments)',
      '7 drivers[1].command: has too few entries (at least 1)',
      '8 drivers[2].command[1]: {desird} is no placeholder (did you mean desired?; {{desird}} is {desird} itself)',
      '8 drivers[2].kind: "agones" is not exec',
      '9 drivers[3].command: expected a list, got "x"',
      '10 drivers[4].command[1]: 7 is not text (put it in quotes)',
      '10 drivers[4].command[2]: has a zero byte (no program can be given one)',
      '10 drivers[4].timeout: "2m" is too large (at most 100s)',
      '10 drivers[4].env.N: 7 is not text (put it in quotes)',
    ]);
    const names = 'drivers: [{ name: e, command: [x], env: { "A-B": c, HERALD_SCALE_POOL: x } }]';
    expect(problemsOf(names)).toEqual([
      '5 drivers[0].env.A-B: is not a name of a variable (letters, digits and _, no digit first)',
      '5 drivers[0].env.HERALD_SCALE_POOL: is set by Herald itself (choose another name)',
    ]);
  });

  it('are one for each pool at most', () => {
    const hint = '(one of them only can start and stop its nodes: name different pools)';
    expect(
      problemsOf('drivers: [{ name: a, command: [x] }, { name: b, pools: [chat], command: [x] }]'),
    ).toEqual([`5 drivers[1].pools: has a pool that drivers[0] has, too ${hint}`]);
    expect(
      problemsOf(
        'drivers: [{ name: a, pools: [games], command: [x] }, { name: b, pools: [chat], command: [x] }]',
      ),
    ).toEqual([]);
  });
});
