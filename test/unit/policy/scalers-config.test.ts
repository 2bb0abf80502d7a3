import { describe, expect, it } from 'vitest';
import { compileConfig, readConfig } from '../../../src/policy/compile-config.ts';
import type { Config } from '../../../src/policy/config.ts';
import { formatProblem } from '../../../src/policy/problem.ts';

const head = `apiVersion: herald/v1
kind: Config
listeners: [{ bind: '127.0.0.1:8080' }]
intake: { tokens: [{ name: aws, role: operate, token: operator-secret-0123456789 }] }
pools: { chat: {} }
`;

function problems(text: string, start = head): string[] {
  return readConfig('h.yaml', `${start}${text}\n`, {}).problems.map(formatProblem);
}

function compiled(text: string): Config {
  const { document } = readConfig('h.yaml', `${head}${text}\n`, {});
  if (document === undefined) throw new Error(problems(text).join('\n'));
  const secrets = new Map([['key', 'signing-secret-0123456789']]);
  const pems = new Map(['c', 'k', 'ca'].map((name) => [name, `PEM ${name}`]));
  const resolvePath = (path: string) => `/etc/herald/${path}`;
  return compileConfig(document, { resolvePath, secrets, pems, stateTexts: new Map() });
}

describe('keda', () => {
  it('is off without its section, and on loopback with an empty one', () => {
    expect(compiled('').keda).toBeUndefined();
    expect(compiled('keda: {}').keda).toEqual({ bind: { host: '127.0.0.1', port: 9403 }, tls: undefined });
  });

  it('may be reached from elsewhere over TLS only', () => {
    expect(problems("keda: { bind: '0.0.0.0:9403' }")).toEqual([
      'h.yaml:6:15 keda.bind: 0.0.0.0:9403 needs tls: who answers in its place could scale the pool (write keda.tls, or bind to 127.0.0.1)',
    ]);
    const tls = 'tls: { cert: c, key: k, clientCa: ca }';
    expect(compiled(`keda: { bind: '0.0.0.0:9403', ${tls} }`).keda?.tls).toEqual({
      cert: 'PEM c',
      key: 'PEM k',
      clientCa: 'PEM ca',
    });
    const { tlsFiles } = readConfig('h.yaml', `${head}keda: { ${tls} }\n`, {});
    expect(tlsFiles).toMatchObject([{ path: ['keda', 'tls'], cert: 'c', clientCa: 'ca' }]);
  });

  it('cannot have the port of another listener', () => {
    expect(problems("keda: { bind: '127.0.0.1:9401' }")[0]).toContain('is taken by intake.bind');
  });
});

describe('asg', () => {
  const complete = 'complete: { command: [aws, "{instance}"] }';

  it('has an hour, one node on each instance, and no heartbeat unless told', () => {
    expect(compiled(`asg: { groups: [chat-*], ${complete} }`).asg).toEqual({
      groups: ['chat-*'],
      nodes: '{instance}',
      timeoutMs: 3_600_000,
      heartbeat: undefined,
      complete: { kind: 'command', command: ['aws', '{instance}'] },
    });
  });

  it('takes paths relative to the file, and a secret from its own', () => {
    const { asg } = compiled(
      'asg: { groups: [chat], heartbeat: { command: [bin/beat] }, complete: { url: "https://x.example/", secretFile: key } }',
    );
    expect(asg?.heartbeat).toEqual({ kind: 'command', command: ['/etc/herald/bin/beat'] });
    expect(asg?.complete).toEqual({
      kind: 'url',
      url: 'https://x.example/',
      secret: 'signing-secret-0123456789',
    });
  });

  it('names its programs and secrets, so that they are looked for before anything starts', () => {
    const text =
      'asg: { groups: [chat], heartbeat: { command: [aws] }, complete: { url: "https://x.example/", secretFile: key } }';
    const { outputFiles } = readConfig('h.yaml', `${head}${text}\n`, {});
    expect(outputFiles.programs).toEqual([{ path: ['asg', 'heartbeat', 'command', 0], file: 'aws' }]);
    expect(outputFiles.secretFiles).toEqual([{ path: ['asg', 'complete', 'secretFile'], file: 'key' }]);
  });

  it.each([
    [`asg: { ${complete} }`, 'asg.groups: is missing'],
    [`asg: { groups: [], ${complete} }`, 'asg.groups: has too few entries'],
    [`asg: { groups: ["a*b"], ${complete} }`, 'asg.groups[0]: "a*b" is not a name of a group'],
    ['asg: { groups: [a] }', 'asg.complete: is missing'],
    ['asg: { groups: [a], complete: {} }', 'asg.complete: needs a command or a url'],
    ['asg: { groups: [a], complete: { command: [x], url: "http://x" } }', 'needs a command or a url'],
    ['asg: { groups: [a], complete: { url: "http://x/" } }', 'url and secretFile go together'],
    ['asg: { groups: [a], complete: { url: "ftp://x/", secretFile: key } }', 'is not an address of the web'],
    ['asg: { groups: [a], complete: { command: [x, "{instanse}"] } }', 'did you mean instance?'],
    [`asg: { groups: [a], nodes: "ws-*", ${complete} }`, 'is not a pattern of node ids'],
    [`asg: { groups: [a], timeout: 10s, ${complete} }`, 'asg.timeout'],
  ])('%s is refused', (text, complaint) => {
    expect(problems(text).join('\n')).toContain(complaint);
  });

  it('needs a token that may change things', () => {
    const without = head.replace(/^intake:.*\n/m, '');
    expect(problems(`asg: { groups: [a], ${complete} }`, without)).toEqual([
      'h.yaml:5:6 asg: needs a token of role operate in intake.tokens: the hook drains nodes (add one to intake.tokens)',
    ]);
  });
});
