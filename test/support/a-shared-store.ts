// Stores for tests: on a hub or on Redis, with everything that they tell written down.
import type {
  LinkStatus,
  PeerPresence,
  Register,
  SharedHandlers,
  SharedStore,
} from '../../src/balancer/state/shared-store.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/cluster/redis-store.ts';
import type { Limits } from '../../src/cluster/limits.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import type { RedisConfig } from '../../src/policy/config.ts';
import { onTestFinished } from 'vitest';

/** What a store has told, in order. */
export class Heard implements SharedHandlers {
  readonly words: (readonly [from: string, channel: string, text: string])[] = [];
  readonly registers: (readonly [scope: string, register: Register])[] = [];
  readonly peers: (readonly [peer: PeerPresence, isHere: boolean])[] = [];
  readonly links: LinkStatus[] = [];

  word(from: string, channel: string, text: string): void {
    this.words.push([from, channel, text]);
  }
  register(scope: string, register: Register): void {
    this.registers.push([scope, register]);
  }
  peer(peer: PeerPresence, isHere: boolean): void {
    this.peers.push([peer, isHere]);
  }
  link(status: LinkStatus): void {
    this.links.push(status);
  }

  /** Ids of the peers that are here by what was told. */
  get here(): readonly string[] {
    const last = new Map(this.peers.map(([{ id }, isHere]) => [id, isHere]));
    return [...last].flatMap(([id, isHere]) => (isHere ? [id] : [])).toSorted();
  }

  /** Values of a scope by what was told. */
  values(scope: string): Readonly<Record<string, string>> {
    const told = this.registers.filter(([of]) => of === scope);
    return Object.fromEntries(told.map(([, { key, value }]) => [key, value]));
  }
}

/** A store that is running, and what it has told. */
export interface TestStore {
  readonly store: SharedStore;
  readonly heard: Heard;
}

/** The settings of a store on one server. */
export function aRedisConfig(port: number, more: Partial<RedisConfig> = {}): RedisConfig {
  return {
    servers: { kind: 'single', address: { host: '127.0.0.1', port }, database: 0 },
    username: undefined,
    password: undefined,
    sentinelUsername: undefined,
    sentinelPassword: undefined,
    tls: undefined,
    keyPrefix: 'herald',
    peer: undefined,
    ...more,
  };
}

/** Shorter than the defaults in the same proportions: what heals shall heal within a test. */
export const shortLimits: Partial<Limits> = {
  beatMs: 200,
  presenceMs: 3000,
  gatherMs: 20,
  connectTimeoutMs: 1000,
  commandTimeoutMs: 1000,
  backoffMs: 50,
  maxBackoffMs: 400,
};

/** Quick where nothing fails, and so patient that a machine that others load is no failure. */
export const patientLimits: Partial<Limits> = {
  beatMs: 200,
  presenceMs: 30_000,
  gatherMs: 20,
  connectTimeoutMs: 10_000,
  commandTimeoutMs: 10_000,
};

let seed = 1;

/** A store on Redis that is not started; the test that asked for it stops it. */
export function aRedisStore(
  config: RedisConfig,
  limits: Partial<Limits> = shortLimits,
  more: Pick<RedisStoreOptions, 'inherited' | 'current'> = {},
): TestStore {
  seed += 1;
  const rng = pcg32(seed);
  const store = createRedisStore({ config, clock: createSystemClock(), rng, limits, ...more });
  onTestFinished(() => store.stop());
  return { store, heard: new Heard() };
}

/** The same, started. */
export async function startRedisStore(config: RedisConfig, limits?: Partial<Limits>): Promise<TestStore> {
  const made = aRedisStore(config, limits);
  await made.store.start(made.heard);
  return made;
}
