// From the configuration's words to the registry's.
import { isDeepStrictEqual } from 'node:util';
import type { Config, ListenerConfig, RedisConfig, StaticNodeConfig, TlsConfig } from '../policy/config.ts';
import type { Policy } from '../policy/policy.ts';
import { HeraldError } from '../core/error.ts';
import type { NodeIdentity } from '../core/snapshot.ts';
import type { PoolSettings } from './state/registry.ts';

/** Every pool of the configuration with its policy. The loader has checked that each policy exists. */
export function poolSettings(config: Config, policies: ReadonlyMap<string, Policy>): PoolSettings[] {
  return config.pools.map(({ name, policy, nodes }) => ({
    name,
    policy: policyNamed(policies, policy),
    nodes: nodes.map(identityOf),
  }));
}

function policyNamed(policies: ReadonlyMap<string, Policy>, name: string): Policy {
  const policy = policies.get(name);
  if (policy !== undefined) return policy;
  throw new HeraldError('HERALD_INTERNAL', `policy '${name}' was checked but is not there`);
}

function identityOf({ id, address, capacity, zone, maxConnections }: StaticNodeConfig): NodeIdentity {
  const { host, port } = address;
  return { id, host, port, capacity, zone, version: '', maxConnections: maxConnections ?? Infinity };
}

/** Sections that take a restart to change, of those that differ between two configurations. */
export function restartNeededFor(from: Config, to: Config): string[] {
  const fixed = ['listeners', 'intake', 'admin', 'keda', 'asg', 'state', 'log', 'relay', 'workers'] as const;
  const [before, after] = [withoutLive(from), withoutLive(to)];
  return fixed.filter((section) => !isDeepStrictEqual(before[section], after[section]));
}

/** Without what is taken over while running: tokens, passwords and certificates, but for whether there are any. */
function withoutLive(config: Config): Config {
  const { intake, admin, keda, state } = config;
  const { tcp } = admin;
  return {
    ...config,
    listeners: config.listeners.map(withoutLiveTls),
    intake: { ...intake, tokens: [], tls: shapeOf(intake.tls) },
    admin: { ...admin, tcp: tcp && { ...tcp, tokens: [], tls: shapeOf(tcp.tls) } },
    keda: keda && { ...keda, tls: shapeOf(keda.tls) },
    state: { ...state, redis: state.redis && withoutCredentials(state.redis) },
  };
}

function withoutCredentials(redis: RedisConfig): RedisConfig {
  const none = { username: undefined, password: undefined };
  const noneOfSentinels = { sentinelUsername: undefined, sentinelPassword: undefined };
  const tls = redis.tls && { ca: undefined, cert: undefined, key: undefined };
  return { ...redis, ...none, ...noneOfSentinels, tls };
}

/** TLS of a listener is taken over but for whether there is any, and where its tickets come from. */
function withoutLiveTls(listener: ListenerConfig): ListenerConfig {
  const { tls } = listener;
  if (tls === undefined) return listener;
  const { ticketSecretPath } = tls;
  const same = { certificates: [], clientCa: undefined } as const;
  return {
    ...listener,
    tls: { ...same, ticketSecretPath, minVersion: 'TLSv1.2', clientCertificates: 'required' },
  };
}

function shapeOf(tls: TlsConfig | undefined): TlsConfig | undefined {
  return tls && { cert: '', key: '', clientCa: tls.clientCa === undefined ? undefined : '' };
}
