// Balancers' stores on one Redis, each over a link of its own, and what is asked of them in every failure. Not a
// test itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LinkStatus, SharedStore } from '../../../src/balancer/state/shared-store.ts';
import type { RedisConfig } from '../../../src/policy/config.ts';
import { aRedisConfig, startRedisStore, type TestStore } from '../../support/a-shared-store.ts';
import { eventually, within } from '../../support/eventually.ts';
import { openTcpLink, type TcpLink } from '../../support/tcp-link.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/integrations/redis.md'), 'utf8');

/** What docs/integrations/redis.md gives a user. */
export const pageRights = [
  ...(/^ACL SETUSER herald on >PASSWORD ([^`]+)```$/m.exec(page)?.[1] ?? '').matchAll(/\S+/g),
].map(([right]) => right);

/** What it gives on Sentinels. */
export const pageSentinelRights = [
  ...(/^ACL SETUSER herald-watch on >PASSWORD ([^`]+)```$/m.exec(page)?.[1] ?? '').matchAll(/\S+/g),
].map(([right]) => right);

/** What it gives besides where Redis is a Cluster. */
export const pageClusterRights = (/A Cluster needs `([^`]+)`/.exec(page)?.[1] ?? '').split(' ');

/** A store and the network between it and Redis. */
export interface Peer extends TestStore {
  readonly link: TcpLink;
}

/** A peer that has started. */
export async function startPeer(port: number, id: string, more: Partial<RedisConfig> = {}): Promise<Peer> {
  const link = await openTcpLink(port);
  const made = await startRedisStore(aRedisConfig(link.port, { peer: id, ...more }));
  return { ...made, link };
}

/** Peers that know each other. */
export async function startPeers(port: number, ...ids: readonly string[]): Promise<readonly Peer[]> {
  const peers: Peer[] = [];
  for (const id of ids) peers.push(await startPeer(port, id));
  await allTogether(peers);
  return peers;
}

/** Two of them, `a` and `b`. */
export async function startTwo(port: number): Promise<{ peers: readonly Peer[]; a: Peer; b: Peer }> {
  const peers = await startPeers(port, 'a', 'b');
  const [a, b] = peers;
  if (a === undefined || b === undefined) throw new Error('two were started');
  return { peers, a, b };
}

/** Waits until every peer is connected and knows of exactly the others. */
export async function allTogether(peers: readonly TestStore[]): Promise<void> {
  const ids = peers.map(({ store }) => store.selfId).toSorted();
  for (const { store, heard } of peers)
    await eventually(
      () => ({ state: store.status(), known: store.peers().map(({ id }) => id), told: heard.here }),
      ({ state, known, told }) =>
        state.state === 'connected' &&
        String(known.toSorted()) === String(ids.filter((id) => id !== store.selfId)) &&
        String(told) === String(known.toSorted()),
    );
}

/** Waits until the link of a store says this. */
export function untilStatus(
  { store }: TestStore,
  state: LinkStatus['state'],
  reason = /^/,
): Promise<LinkStatus> {
  return eventually(
    () => store.status(),
    (status) => status.state === state && reason.test(status.reason),
  );
}

/** Every call answers, and none of them pretends. */
export async function expectCalm({ store }: TestStore): Promise<void> {
  const { version = 0 } = store.registers('calm').get('n') ?? {};
  const asked = [
    store.write('calm', 'n', { value: 'x', version }),
    store.lease('calm', { forMs: 10_000, seen: 0 }),
    store.release('calm', 1),
  ] as const;
  store.say('calm', 'dropped or not');
  store.describe('{"calm":true}');
  const [outcome, lease] = await within(Promise.all(asked), 'every call answers while the link is down');
  expect(outcome.kind).toBe('unreachable');
  expect(lease).toBeUndefined();
}

/** Writes until it is written; the version it got. */
export async function put(store: SharedStore, scope: string, key: string, value: string): Promise<number> {
  const outcome = await eventually(
    () => store.write(scope, key, { value, version: store.registers(scope).get(key)?.version ?? 0 }),
    ({ kind }) => kind === 'written',
  );
  return outcome.kind === 'written' ? outcome.version : 0;
}

/** Waits until every store has this value. */
export async function allHave(
  stores: readonly TestStore[],
  scope: string,
  key: string,
  value: string,
): Promise<void> {
  for (const { store } of stores)
    await eventually(
      () => store.registers(scope).get(key),
      (register) => register?.value === value,
    );
}

/** Waits until a word of one reaches each of the others. */
export async function canTalk([speaker, ...others]: readonly TestStore[]): Promise<void> {
  for (const { heard } of others)
    await eventually(
      () => {
        speaker?.store.say('hello', 'are you there?');
        return heard.words;
      },
      (words) => words.some(([from]) => from === speaker?.store.selfId),
    );
}
