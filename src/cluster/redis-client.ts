// The only file that knows ioredis. It opens connections that never mend themselves: the link opens another one,
// so that there is one place that decides when, after which pause and to whom.
import type * as Ioredis from 'ioredis';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { RedisConfig } from '../policy/config.ts';
import type { Limits } from './limits.ts';

/** An open connection (of a Cluster: several), as the rest of this room needs it. */
export interface RedisClient {
  /** Rejects with what ioredis or the server says. */
  call(command: string, args: readonly string[]): Promise<unknown>;
  subscribe(channels: readonly string[]): Promise<unknown>;
  onMessage(hear: (channel: string, message: string) => void): void;
  /** The connection is closed for good. Not called after `destroy`. */
  onEnd(hear: (error: Error | undefined) => void): void;
  /** Closes at once. Idempotent. */
  destroy(): void;
}

/** Opens a connection; rejects with the first thing that went wrong. `abandon` ends an attempt under way. */
export interface Opening {
  readonly client: Promise<RedisClient>;
  abandon(): void;
}

/** What says "connected, authenticated, ready" in a way that fits each kind of installation. */
export function openRedis(config: RedisConfig, selfId: string, limits: Limits): Opening {
  let isAbandoned = false;
  let made: Redis | Cluster | undefined;
  const abandon = () => {
    isAbandoned = true;
    made?.disconnect();
  };
  const open = async (): Promise<RedisClient> => {
    // Loaded only here: who shares nothing does not pay for it.
    const ioredis = await import('ioredis');
    if (isAbandoned) throw new Error('given up');
    made = create(ioredis, config, commonOptions(config, selfId, limits));
    let first: Error | undefined;
    const remember = (error: unknown) => (first ??= rootOf(error));
    made.on('error', remember);
    made.on('sentinelError', remember);
    try {
      await made.connect();
    } catch (error) {
      made.disconnect();
      // ioredis rejects with "Connection is closed." whatever the reason was; the event before it knows more.
      throw first ?? error;
    }
    // A database that is not there is told by an event, and the connection goes on with another one.
    if (first?.name === 'ReplyError') {
      made.disconnect();
      throw first;
    }
    return wrap(made);
  };
  return { client: open(), abandon };
}

function create(
  ioredis: Pick<typeof Ioredis, 'Redis' | 'Cluster'>,
  { servers, sentinelUsername, sentinelPassword }: RedisConfig,
  common: ReturnType<typeof commonOptions>,
): Redis | Cluster {
  if (servers.kind === 'single') {
    const { host, port } = servers.address;
    return new ioredis.Redis({ ...common, host, port, db: servers.database });
  }
  if (servers.kind === 'sentinel')
    return new ioredis.Redis({
      ...common,
      sentinels: servers.addresses.map(({ host, port }) => ({ host, port })),
      name: servers.masterName,
      ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      sentinelRetryStrategy: () => null,
      sentinelCommandTimeout: common.connectTimeout,
      updateSentinels: false,
      ...(common.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: common.tls }),
    });
  return new ioredis.Cluster(
    servers.addresses.map(({ host, port }) => ({ host, port })),
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: () => null,
      slotsRefreshTimeout: common.connectTimeout,
      maxRedirections: 4,
      redisOptions: common,
    },
  );
}

function commonOptions({ username, password, tls }: RedisConfig, selfId: string, limits: Limits) {
  return {
    lazyConnect: true,
    // Nothing is queued, repeated or resent: what could not be sent now is said to have failed now.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    // Our own first command asks what INFO would: may we, and can we write.
    enableReadyCheck: false,
    disableClientInfo: true,
    connectionName: `herald-${selfId}`,
    connectTimeout: limits.connectTimeoutMs,
    keepAlive: 10_000,
    noDelay: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
  } satisfies RedisOptions;
}

function tlsOptions({ ca, cert, key }: NonNullable<RedisConfig['tls']>): {
  ca?: string;
  cert?: string;
  key?: string;
} {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** Of a Cluster's error the one that its last server gave. */
function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
}

function wrap(redis: Redis | Cluster): RedisClient {
  let isDestroyed = false;
  let last: Error | undefined;
  redis.on('error', (error: unknown) => (last = rootOf(error)));
  return {
    call: async (command, args) => redis.call(command, [...args]),
    subscribe: async (channels) => redis.subscribe(...channels),
    onMessage: (hear) => void redis.on('message', hear),
    onEnd: (hear) =>
      void redis.once('end', () => {
        if (!isDestroyed) hear(last);
      }),
    destroy() {
      isDestroyed = true;
      redis.disconnect();
    },
  };
}
