import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeraldError } from '../../../src/core/error.ts';
import { findConfigPath, loadConfig } from '../../../src/platform/config.ts';
import type { Problem } from '../../../src/policy/problem.ts';
import { aFolder } from './folder.ts';

const minimal = `apiVersion: herald/v1
kind: Config
listeners: [{ bind: 127.0.0.1:0 }]
pools: { app: { nodes: [{ address: 127.0.0.1:3000 }] } }
`;
const policyNamed = (name: string): string => `apiVersion: herald/v1\nkind: Policy\nname: ${name}\n`;

async function failureOf(promise: Promise<unknown>): Promise<HeraldError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HeraldError)) throw new Error('expected a HeraldError', { cause: error });
  return error;
}

const everything = (): boolean => true;
const findNone = (): string => findConfigPath(undefined, {}, () => false);
const findAbsent = (): string =>
  findConfigPath(undefined, { HERALD_CONFIG: 'env.yaml' }, (path) => path !== 'env.yaml');

describe('findConfigPath', () => {
  it('takes the flag, then the environment, then the working directory, then /etc', () => {
    const environment = { HERALD_CONFIG: 'env.yaml' };
    expect(findConfigPath('flag.yaml', environment, everything)).toBe('flag.yaml');
    expect(findConfigPath(undefined, environment, everything)).toBe('env.yaml');
    expect(findConfigPath(undefined, {}, everything)).toBe('./herald.yaml');
    expect(findConfigPath(undefined, {}, (path) => path.startsWith('/etc'))).toBe('/etc/herald/herald.yaml');
  });

  it('does not pass over a file that is named but absent', () => {
    expect(findAbsent).toThrow('env.yaml: does not exist (named by HERALD_CONFIG)');
  });

  it('says how to make one when there is none, and what it says works', async () => {
    expect(findNone).toThrow(/neither \.\/herald\.yaml nor \/etc\/herald\/herald\.yaml exists/);
    const message = await failureOf(Promise.resolve().then(findNone)).then((error) => error.message);
    const example = message.slice(message.indexOf('  apiVersion'));
    const folder = aFolder({ 'herald.yaml': example });
    expect((await loadConfig(join(folder, 'herald.yaml'), {})).config.pools).toHaveLength(1);
  });
});

describe('loadConfig', () => {
  it('works without a directory of policies, on the default policy', async () => {
    const folder = aFolder({ 'herald.yaml': minimal });
    const { config, policies, watched } = await loadConfig(join(folder, 'herald.yaml'), {});
    expect([...policies.keys()]).toEqual(['default']);
    expect(config.policiesDirectory).toBe(join(folder, 'policies'));
    expect(config.admin.socketPath).toBe(join(folder, 'run/herald.sock'));
    expect(watched).toEqual({
      paths: [join(folder, 'herald.yaml')],
      directories: [join(folder, 'policies')],
    });
  });

  it('reads every policy of the directory but hidden and other files', async () => {
    const folder = aFolder({
      'herald.yaml': minimal.replace('nodes', 'policy: b, nodes'),
      'policies/a.yaml': policyNamed('a'),
      'policies/b.yml': policyNamed('b'),
      'policies/.#a.yaml': 'not: read',
      'policies/notes.txt': 'not read',
    });
    const { policies } = await loadConfig(join(folder, 'herald.yaml'), {});
    expect([...policies.keys()].toSorted()).toEqual(['a', 'b', 'default']);
  });

  it('loads the example that comes with it', async () => {
    const path = join(import.meta.dirname, '../../../config/herald.yaml');
    const { config, policies } = await loadConfig(path, {});
    expect(config.pools.map(({ name, policy }) => `${name}: ${policies.get(policy)?.name}`)).toEqual([
      'chat: chat',
    ]);
  });

  it('tells every problem of every file in one error', async () => {
    const folder = aFolder({
      'herald.yaml': minimal.replace('nodes', 'policy: caht, nodes').replace('127.0.0.1:0', '8080'),
      'policies/a.yaml': `${policyNamed('chat')}plaec: {}\n`,
      'policies/b.yaml': policyNamed('chat'),
    });
    const error = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    expect(error.code).toBe('HERALD_CONFIG_INVALID');
    expect(error.message.replaceAll(`${folder}/`, '').split('\n')).toEqual([
      'herald.yaml:3:21 listeners[0].bind: 8080 is only a port (write 127.0.0.1:8080)',
      'policies/a.yaml:4:1 plaec: unknown key (did you mean place?)',
      `policies/b.yaml:3:7 name: policies/a.yaml has a policy of this name, too (give each a name of its own)`,
    ]);
    expect(error.details['problems']).toHaveLength(3);
  });

  it('names the nearest policy when a pool names none', async () => {
    const folder = aFolder({
      'herald.yaml': minimal.replace('nodes', 'policy: caht, nodes'),
      'policies/a.yaml': policyNamed('chat'),
    });
    const error = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    expect(error.message).toBe(
      `${join(folder, 'herald.yaml')}:4:25 pools.app.policy: no policy is named caht (did you mean chat?)`,
    );
  });

  it.each<[string, string | Uint8Array, string]>([
    ['not UTF-8', Uint8Array.of(0x6e, 0xff, 0xfe), ': is not UTF-8 text (save it as UTF-8)'],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x61, 0), ': is not UTF-8 text (save it as UTF-8)'],
    [
      'larger than 1 MiB',
      ' '.repeat(1024 * 1024 + 1),
      ': the file is larger than 1 MiB (a policy needs a few KiB)',
    ],
    [
      'with a byte order mark',
      `\uFEFF${policyNamed('a')}`,
      ':1:1: the file starts with a byte order mark (save it as UTF-8 without BOM)',
    ],
  ])('refuses a policy file that is %s', async (_, content, problem) => {
    const folder = aFolder({ 'herald.yaml': minimal, 'policies/a.yaml': content });
    const error = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    expect(error.message).toBe(`${join(folder, 'policies/a.yaml')}${problem}`);
  });

  it('refuses a directory with the name of a policy file', async () => {
    const folder = aFolder({ 'herald.yaml': minimal });
    mkdirSync(join(folder, 'policies/a.yaml'), { recursive: true });
    const error = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    expect(error.message).toBe(
      `${join(folder, 'policies/a.yaml')}: is a directory, not a file (name a file in it)`,
    );
  });

  it('refuses a directory of policies that is named but absent', async () => {
    const folder = aFolder({ 'herald.yaml': `${minimal}policies: ./polices\n` });
    const error = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    const path = join(folder, 'herald.yaml');
    expect(error.message).toBe(
      `${path}:5:11 policies: ${join(folder, 'polices')}: does not exist (check the path)`,
    );
  });

  it('cannot do without the config itself', async () => {
    const folder = aFolder();
    const absent = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    expect(absent.code).toBe('HERALD_CONFIG_UNREADABLE');
    expect(absent.message).toBe(`${join(folder, 'herald.yaml')}: does not exist (check the path)`);
    const directory = await failureOf(loadConfig(folder, {}));
    expect(directory.code).toBe('HERALD_CONFIG_UNREADABLE');
    expect(directory.message).toContain('is a directory, not a file');
  });

  it('reads secrets from files, without the line end, and watches them', async () => {
    const tokens = 'intake: { tokens: [{ name: fleet, role: report, tokenFile: ./secrets/fleet }] }\n';
    const folder = aFolder({ 'herald.yaml': minimal + tokens, 'secrets/fleet': '0123456789abcdef\n' });
    const { config, watched } = await loadConfig(join(folder, 'herald.yaml'), {});
    expect(config.intake.tokens.map(({ secret }) => secret)).toEqual(['0123456789abcdef']);
    expect(watched.paths).toContain(join(folder, 'secrets/fleet'));
  });

  it.each([
    ['absent', undefined, 'does not exist'],
    ['empty', '\n', 'is too short to be a secret: 16 characters or more'],
    [
      'of several lines',
      '0123456789abcdef\n0123456789abcdef\n',
      'has characters that a bearer token cannot have',
    ],
  ])('refuses a file of a secret that is %s, without showing it', async (_, secret, message) => {
    const tokens = 'intake: { tokens: [{ name: fleet, role: report, tokenFile: ./fleet }] }\n';
    const folder = aFolder({
      'herald.yaml': minimal + tokens,
      ...(secret === undefined ? {} : { fleet: secret }),
    });
    const path = join(folder, 'herald.yaml');
    const error = await failureOf(loadConfig(path, {}));
    expect(error.message).toBe(
      `${path}:5:60 intake.tokens[0].tokenFile: ./fleet: ${message} (a file with the secret and nothing else)`,
    );
  });

  it('refuses the path of a socket that the system would cut', async () => {
    const folder = aFolder({ 'herald.yaml': `${minimal}admin: { socket: ./${'s'.repeat(104)} }\n` });
    const error = await failureOf(loadConfig(join(folder, 'herald.yaml'), {}));
    const [problem] = error.details['problems'] as readonly Problem[];
    expect(problem).toMatchObject({
      line: 5,
      path: 'admin.socket',
      hint: 'choose a shorter one, such as /run/herald.sock',
    });
  });

  it('passes warnings on', async () => {
    const folder = aFolder({ 'herald.yaml': minimal });
    const { warnings } = await loadConfig(join(folder, 'herald.yaml'), { HERALD_PORT: 'tcp://10.0.0.1:80' });
    expect(warnings).toEqual(['HERALD_PORT means nothing to Herald']);
  });
});
