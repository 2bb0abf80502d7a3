// Commands that ask a balancer over TLS with a token: the built command against the admin listener of a real balancer.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand, startCommand, type CommandEnd } from '../support/herald-command.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';

const secrets = {
  operator: 'operator-secret-of-32-characters',
  reader: 'reader-secret-of-some-32-chars..',
  gamer: 'gamer-secret-of-another-32-chars',
  wrong: 'a-secret-that-nobody-has-given-out',
};

let certificates: Certificates;
let herald: HeraldProcess;
let url: string;

beforeAll(async () => {
  certificates = makeCertificates();
  const { cert, key } = certificates.own;
  const pool = (name: string, id: string) => ({
    policy: 'chat',
    routes: [{ path: `/${name}` }],
    nodes: [{ id, address: '127.0.0.1:9' }],
  });
  herald = await startHerald({
    pools: { chat: pool('chat', 'a'), games: pool('games', 'g') },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
    files: Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, `${secret}\n`])),
    config: {
      admin: {
        socket: './h.sock',
        bind: '127.0.0.1:0',
        hosts: ['localhost'],
        tls: { cert, key },
        tokens: [
          { name: 'on-call', role: 'operate', tokenFile: './operator' },
          { name: 'grafana', role: 'read', tokenFile: './reader' },
          { name: 'game-team', role: 'operate', pools: ['games'], tokenFile: './gamer' },
        ],
      },
    },
  });
  const port = herald.logs.find((line) => line['listener'] === 'admin')?.['port'];
  url = `https://localhost:${String(port)}`;
});

afterAll(async () => {
  await herald.stop();
  certificates.remove();
});

/** Runs a command with this token and the balancer's certificate as its authority, as from another machine. */
function as(who: keyof typeof secrets, ...args: string[]): Promise<CommandEnd> {
  return runCommand([...args, ...remote(who)]);
}

function remote(who: keyof typeof secrets, ca = certificates.own.cert): string[] {
  return ['--url', url, '--ca', ca, '--token-file', join(herald.folder, who)];
}

function expectOneError({ code, stdout, stderr }: CommandEnd, wanted: number): string {
  expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([wanted, '', 1]);
  for (const secret of Object.values(secrets)) expect(stderr).not.toContain(secret);
  return stderr;
}

describe('over TLS with a token', () => {
  it('an operator sees and changes, and events say who it was', async () => {
    expect((await as('operator', 'status', 'chat')).stdout).toMatch(/^pool chat · 1 of 1 nodes eligible/);
    expect(await as('operator', 'maint', 'a', '--why', 'disk')).toMatchObject({
      code: 0,
      stdout: 'a: ready → maint\n',
      stderr: '',
    });
    const { stdout } = await as('operator', 'events', '--type', 'change.done');
    expect(stdout).toMatch(/chat\/a .*\(on-call: disk\)$/m);
    expect((await as('operator', 'ready', 'a')).code).toBe(0);
    const env = { HERALD_URL: url, HERALD_TOKEN_FILE: join(herald.folder, 'operator') };
    const byEnv = await runCommand(['operations', '--ca', certificates.own.cert], { env });
    expect([byEnv.code, byEnv.stdout]).toEqual([0, 'no operations\n']);
  });

  it('--follow streams events of the pools that the token is for', async () => {
    const follow = startCommand(['events', '--follow', '-o', 'json', ...remote('gamer')]);
    await eventually(
      async () => {
        await herald.cli('freeze', 'chat');
        await herald.cli('freeze', 'games');
        await herald.cli('freeze', '--release');
        return follow.stdout;
      },
      (stdout) => stdout.includes('"type":"freeze.began","pool":"games"'),
      40_000,
    );
    follow.child.kill('SIGINT');
    const { code, stdout, stderr } = await follow.ended();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain('"pool":"chat"');
  });

  it.each([
    ['a role that is too low', 'reader', ['drain', 'a'], 4, /'grafana' .*'read'.*HERALD_NOT_ALLOWED/],
    ['a role that is too low', 'reader', ['freeze'], 4, /HERALD_NOT_ALLOWED/],
    ['a token of other pools', 'gamer', ['freeze'], 4, /HERALD_NOT_ALLOWED/],
    ['a node of other pools', 'gamer', ['drain', 'a'], 1, /there is no node 'a'.*HERALD_NODE_UNKNOWN/],
    ['an unknown token', 'wrong', ['status'], 4, /--token-file or HERALD_TOKEN_FILE.*HERALD_TOKEN_INVALID/],
    ['an unknown token', 'wrong', ['events', '-f'], 4, /HERALD_TOKEN_INVALID/],
  ] as const)('%s is one error, and changes nothing: %s %j', async (_what, who, args, code, told) => {
    expect(expectOneError(await as(who, ...args), code)).toMatch(told);
    expect((await herald.nodes())['a']?.adminState).toBe('ready');
  });

  it('no token, another authority, none, or a name that is not in the certificate is one error with 4', async () => {
    const { own, foreign } = certificates;
    const noToken = await runCommand(['status', '--url', url, '--ca', own.cert]);
    expect(expectOneError(noToken, 4)).toMatch(/--token-file or HERALD_TOKEN_FILE \[HERALD_TOKEN_INVALID\]/);
    const wrongCa = await runCommand(['status', ...remote('operator', foreign.cert)]);
    expect(expectOneError(wrongCa, 4)).toMatch(/not trusted \(.*\); the file of --ca does not vouch for it/);
    const noCa = await runCommand(['status', '--url', url]);
    expect(expectOneError(noCa, 4)).toMatch(/certificate that is not trusted \(DEPTH_ZERO.*--ca FILE/);
    const otherName = url.replace('localhost', '127.0.0.1');
    const byOtherName = await runCommand(['status', '--url', otherName, '--ca', own.cert]);
    expect(expectOneError(byOtherName, 4)).toMatch(/certificate for other names .*--url/);
    const plain = await runCommand(['status', '--url', url.replace('https', 'http')]);
    expect(expectOneError(plain, 4)).toMatch(/\[HERALD_UNREACHABLE\]/);
    const notPem = await runCommand(['status', '--url', url, '--ca', join(herald.folder, 'herald.yaml')]);
    expect(expectOneError(notPem, 4)).toMatch(/the file of --ca does not vouch for it/);
  });
});
