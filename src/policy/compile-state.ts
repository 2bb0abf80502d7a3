// From the section `state` to where Redis is and as whom this balancer comes.
import type { z } from 'zod';
import type { RedisConfig } from './config.ts';
import type { Path } from './problem.ts';
import type { stateSchema } from './state-schema.ts';

/** A sound section `state`. */
export type StateDocument = z.output<typeof stateSchema>;

/** A file that `state` names, and what must be in it. */
export interface StateFile {
  readonly path: Path;
  /** As written. */
  readonly file: string;
  readonly holds: 'password' | 'certificate' | 'key';
}

/** Every file that the link to Redis needs. */
export function stateFiles(state: StateDocument | undefined): readonly StateFile[] {
  const { passwordFile, sentinelPasswordFile, tls } = state ?? {};
  const all = [
    { path: ['state', 'passwordFile'], file: passwordFile, holds: 'password' },
    { path: ['state', 'sentinelPasswordFile'], file: sentinelPasswordFile, holds: 'password' },
    { path: ['state', 'tls', 'ca'], file: tls?.ca, holds: 'certificate' },
    { path: ['state', 'tls', 'cert'], file: tls?.cert, holds: 'certificate' },
    { path: ['state', 'tls', 'key'], file: tls?.key, holds: 'key' },
  ] as const;
  return all.flatMap(({ path, file, holds }) => (file === undefined ? [] : [{ path, file, holds }]));
}

/** What peers share it over; undefined where nothing is shared. `texts`: of each of the files; complete. */
export function compileRedis(
  state: StateDocument,
  texts: ReadonlyMap<string, string>,
): RedisConfig | undefined {
  const servers = serversOf(state);
  if (state.kind !== 'redis' || servers === undefined) return undefined;
  const textOf = (file: string | undefined) => (file === undefined ? undefined : texts.get(file));
  const { tls, url } = state;
  const isTls = tls !== undefined || url?.isTls === true;
  return {
    servers,
    username: state.username,
    password: state.password ?? textOf(state.passwordFile),
    sentinelUsername: state.sentinelUsername,
    sentinelPassword: state.sentinelPassword ?? textOf(state.sentinelPasswordFile),
    tls: isTls ? { ca: textOf(tls?.ca), cert: textOf(tls?.cert), key: textOf(tls?.key) } : undefined,
    keyPrefix: state.keyPrefix ?? 'herald',
    peer: state.peer,
  };
}

function serversOf({ url, sentinels, cluster, name }: StateDocument): RedisConfig['servers'] | undefined {
  if (url !== undefined) return { kind: 'single', address: url.address, database: url.database };
  if (sentinels !== undefined && name !== undefined)
    return { kind: 'sentinel', addresses: sentinels, masterName: name };
  return cluster === undefined ? undefined : { kind: 'cluster', addresses: cluster };
}
