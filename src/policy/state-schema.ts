// The schema of `state`: what survives a restart, and what several balancers share.
import { z } from 'zod';
import type { Address } from './address.ts';
import { readAddress } from './address.ts';
import { address, field, list, name, text } from './field.ts';
import type { Reading } from './quantity.ts';

/** One redis-server, as a URL names it. */
export interface RedisUrl {
  readonly address: Address;
  readonly database: number;
  readonly isTls: boolean;
}

/** Reads redis:// or rediss://; no complaint shows any part of it, since people put passwords into it. */
function readRedisUrl(value: unknown): Reading<RedisUrl> {
  const hint = 'such as redis://10.0.0.5:6379, redis://10.0.0.5:6379/2, or rediss:// for TLS';
  if (typeof value !== 'string' || !/^rediss?:\/\/./.test(value) || !URL.canParse(value))
    return { message: 'is not the URL of a Redis', hint };
  const url = new URL(value);
  if (url.username !== '' || url.password !== '')
    return { message: 'holds a user or a password', hint: 'write username and passwordFile instead' };
  const database = /^(?:\/(\d{1,4})?)?$/.exec(url.pathname);
  if (database === null || url.search !== '' || url.hash !== '')
    return { message: 'has more than a host, a port and the number of a database', hint };
  const reading = readAddress(`${url.hostname}:${url.port === '' ? 6379 : url.port}`, 1);
  if (!('value' in reading)) return { message: 'names no host and port', hint };
  return {
    value: { address: reading.value, database: Number(database[1] ?? 0), isTls: url.protocol === 'rediss:' },
  };
}

function readPassword(value: unknown): Reading<string> {
  const hint = 'put it in quotes, or into passwordFile';
  if (typeof value !== 'string') return { message: 'is not text', hint };
  const complaint = complainAboutPassword(value);
  return complaint === undefined ? { value } : { message: complaint, hint };
}

/** What is wrong with a password of Redis, without showing it; undefined when nothing is. */
export function complainAboutPassword(password: string): string | undefined {
  if (password === '') return 'is empty';
  return /[\r\n]/.test(password) ? 'has more than one line' : undefined;
}

const tls = z.strictObject({
  ca: text('path')
    .optional()
    .describe(
      'PEM file of who signed the certificate of Redis, relative to this file; left out, who Node knows.',
    ),
  cert: text('path').optional().describe('PEM file of the certificate that Redis asks for; needs `key`.'),
  key: text('path').optional().describe('PEM file of its key.'),
});

const places = ['url', 'sentinels', 'cluster'] as const;
const onlyOfRedis = [
  ...places,
  'name',
  'username',
  'password',
  'passwordFile',
  'sentinelUsername',
  'sentinelPassword',
  'sentinelPasswordFile',
  'tls',
  'keyPrefix',
  'peer',
] as const;

const fields = z.strictObject({
  kind: z
    .enum(['memory', 'redis'])
    .prefault('memory')
    .describe(
      '`memory`: one balancer, nothing to install. `redis`: several share what they know (docs/several-balancers.md).',
    ),
  file: text('path, or off')
    .optional()
    .describe(
      'File that keeps what nodes have taught over a restart, relative to this file; left out, herald-state.json beside the admin socket. `off`: nothing is kept.',
    ),
  url: field(readRedisUrl, {
    type: 'string',
    pattern: '^rediss?://',
    examples: ['redis://10.0.0.5:6379', 'rediss://redis.internal:6380/2'],
    unit: 'redis or rediss URL',
  })
    .optional()
    .describe('One redis-server; `rediss` is TLS. Instead: `sentinels` or `cluster`.'),
  sentinels: list(address(1), 1, 16).optional().describe('Sentinels that know the master called `name`.'),
  cluster: list(address(1), 1, 64)
    .optional()
    .describe('Some servers of a Redis Cluster; the others are asked of them.'),
  name: name().optional().describe('What the Sentinels call the master.'),
  username: text('text', 128).optional().describe('User of the ACL; left out, the default user.'),
  password: field(readPassword, { type: 'string', unit: 'text' })
    .optional()
    .describe('Password; `passwordFile` keeps it out of this file.'),
  passwordFile: text('path').optional().describe('File that holds the password, relative to this file.'),
  sentinelUsername: text('text', 128)
    .optional()
    .describe('User of the Sentinels themselves; left out, their default user.'),
  sentinelPassword: field(readPassword, { type: 'string', unit: 'text' })
    .optional()
    .describe(
      'Password of the Sentinels themselves; left out, none is given. `sentinelPasswordFile` keeps it out of this file.',
    ),
  sentinelPasswordFile: text('path')
    .optional()
    .describe('File that holds the password of the Sentinels, relative to this file.'),
  tls: tls
    .optional()
    .describe(
      'TLS to Redis, Sentinels included. With `url` it needs rediss://. Other files are used from the next connection on; beginning or ending with TLS takes a restart.',
    ),
  keyPrefix: name()
    .optional()
    .describe(
      'Begins every key and channel, in braces; balancers with the same one share. Left out, `herald`.',
    ),
  peer: name()
    .optional()
    .describe(
      'What this balancer is called among its peers, unique; left out, by chance at each start. HERALD_STATE_PEER says it in the environment.',
    ),
});

/** `state` */
export const stateSchema = fields
  .check((context) => {
    for (const { key, message, hint } of complaintsAbout(context.value)) {
      const path = key === '' ? [] : [key];
      context.issues.push({ code: 'custom', input: '', message, path, params: { hint } });
    }
  })
  .prefault({})
  .describe('Where what the balancer knows is kept.');

type State = Readonly<z.output<typeof fields>>;

interface Complaint {
  /** '' for the whole. */
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

function complaintsAbout(state: State): readonly Complaint[] {
  const written = (key: keyof State) => state[key] !== undefined;
  if (state.kind !== 'redis')
    return onlyOfRedis
      .filter(written)
      .map((key) => ({ key, message: 'is only for kind: redis', hint: 'write kind: redis, or remove it' }));
  const complaints: Complaint[] = [];
  const add = (key: string, message: string, hint: string) => complaints.push({ key, message, hint });
  const named = places.filter(written);
  if (named.length === 0) add('', 'names no Redis', 'write a url, or sentinels and name, or cluster');
  for (const key of named.slice(1))
    add(key, `stands beside ${named[0]}`, 'write one of url, sentinels and cluster');
  if (written('sentinels') && !written('name')) add('', 'needs a name', 'what the Sentinels call the master');
  if (written('name') && !written('sentinels')) add('name', 'is only for sentinels', 'remove it');
  return [...complaints, ...complaintsAboutUsers(state), ...complaintsAboutTls(state)];
}

const users = [
  { username: 'username', password: 'password', passwordFile: 'passwordFile' },
  {
    username: 'sentinelUsername',
    password: 'sentinelPassword',
    passwordFile: 'sentinelPasswordFile',
  },
] as const;

function complaintsAboutUsers(state: State): readonly Complaint[] {
  const written = (key: keyof State) => state[key] !== undefined;
  const complaints: Complaint[] = [];
  const add = (key: string, message: string, hint: string) => complaints.push({ key, message, hint });
  for (const { username, password, passwordFile } of users) {
    if (written(password) && written(passwordFile))
      add(password, `stands beside ${passwordFile}`, 'write one of them');
    if (written(username) && !written(password) && !written(passwordFile))
      add(username, 'has no password', `write ${passwordFile}`);
  }
  if (written('sentinels')) return complaints;
  for (const key of Object.values(users[1])) if (written(key)) add(key, 'is only for sentinels', 'remove it');
  return complaints;
}

function complaintsAboutTls({ url, tls }: State): readonly Complaint[] {
  const isHalf = (tls?.cert === undefined) !== (tls?.key === undefined);
  const isPlain = tls !== undefined && url?.isTls === false;
  return [
    ...(isHalf ? [{ key: 'tls', message: 'has a cert or a key alone', hint: 'write both, or none' }] : []),
    ...(isPlain ? [{ key: 'url', message: 'is plain although there is tls', hint: 'write rediss://' }] : []),
  ];
}
