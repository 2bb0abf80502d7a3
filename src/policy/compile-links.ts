// Compiles what stands between Herald and the others: public listeners, and pools with the way to their nodes.
import { formatAddress } from './address.ts';
import type { TlsFiles } from './compile-config.ts';
import { compileLimits, compileTimeouts } from './compile-limits.ts';
import type { ConfigDocument } from './config-schema.ts';
import type { ListenerConfig, PoolConfig } from './config.ts';
import type { ListenerTlsConfig, PoolTlsConfig, UnixBind } from './listener-config.ts';

type WrittenListener = ConfigDocument['listeners'][number];
type WrittenPool = ConfigDocument['pools'][string];

/** What a listener takes from outside its own section. */
interface ListenerSurroundings {
  resolvePath(path: string): string;
  /** PEM texts by the name of their file as written; complete. */
  readonly pems: ReadonlyMap<string, string>;
  /** The admin socket as written: what has no place of its own lies beside it. */
  readonly socket: string;
}

const defaultMode = 0o660;

/** The path of `file` in the directory of the admin socket, which is this balancer's own and writable. */
export function besideSocket(socket: string, file: string): string {
  return `${socket.slice(0, socket.lastIndexOf('/') + 1)}${file}`;
}

/** Every certificate, key and authority of listeners and pools. */
export function linkTlsFiles({ listeners = [], pools = {} }: Partial<ConfigDocument>): TlsFiles[] {
  const ofListeners = listeners.flatMap(({ tls }, index): TlsFiles[] => {
    if (tls === undefined) return [];
    const path = ['listeners', index, 'tls'];
    const certificates = tls.certificates.map(({ cert, key }, at) => {
      return { path: [...path, 'certificates', at], cert, key, listener: index };
    });
    return tls.clientCa === undefined ? certificates : [...certificates, { path, clientCa: tls.clientCa }];
  });
  const ofPools = Object.entries(pools).flatMap(([name, { tls }]): TlsFiles[] => {
    if (tls === undefined) return [];
    const { ca, cert, key } = tls;
    return [{ path: ['pools', name, 'tls'], ca, cert, key }];
  });
  return [...ofListeners, ...ofPools];
}

/** Compiles a public listener. */
export function compileListener(
  listener: WrittenListener,
  surroundings: ListenerSurroundings,
): ListenerConfig {
  return {
    name: listener.name,
    bind: compileBind(listener, surroundings),
    protocol: listener.protocol,
    pool: listener.pool ?? '',
    tls: compileListenerTls(listener, surroundings),
    takesProxyHeader: listener.proxyProtocol === 'required',
    timeouts: compileTimeouts(listener.timeouts),
    limits: compileLimits(listener.limits),
    sourceAddresses: listener.sourceAddresses,
    trusted: listener.trusted,
  };
}

function compileBind(
  { bind, mode }: WrittenListener,
  { resolvePath }: ListenerSurroundings,
): ListenerConfig['bind'] {
  if (!('path' in bind)) return bind;
  const unix: UnixBind = { path: resolvePath(bind.path), mode: mode ?? defaultMode };
  return unix;
}

function compileListenerTls(
  { tls }: WrittenListener,
  { resolvePath, pems, socket }: ListenerSurroundings,
): ListenerTlsConfig | undefined {
  if (tls === undefined) return undefined;
  const { certificates, minVersion, clientCa, clientCertificates = 'required', ticketSecret } = tls;
  const secretPath = ticketSecret ?? besideSocket(socket, 'herald-tickets');
  return {
    certificates: certificates.map(({ cert, key }) => {
      // The caller reads every file: '' does not happen.
      return { name: cert, cert: pems.get(cert) ?? '', key: pems.get(key) ?? '' };
    }),
    minVersion,
    clientCa: clientCa === undefined ? undefined : pems.get(clientCa),
    clientCertificates,
    ticketSecretPath: secretPath === 'off' ? undefined : resolvePath(secretPath),
  };
}

/** Compiles a pool. */
export function compilePool(name: string, pool: WrittenPool, pems: ReadonlyMap<string, string>): PoolConfig {
  const { policy, routes, nodes, proxyProtocol } = pool;
  return {
    name,
    policy,
    routes: routes.map(({ host, path, match }) => ({ host, path, isExact: match === 'exact' })),
    nodes: nodes.map(({ id, address, capacity, zone, maxConnections }) => {
      return { id: id ?? formatAddress(address), address, capacity, zone: zone ?? '', maxConnections };
    }),
    tls: compilePoolTls(pool, pems),
    proxyProtocol,
  };
}

function compilePoolTls({ tls }: WrittenPool, pems: ReadonlyMap<string, string>): PoolTlsConfig | undefined {
  if (tls === undefined) return undefined;
  const { ca, serverName, verify, cert, key } = tls;
  const pemOf = (file: string | undefined) => (file === undefined ? undefined : pems.get(file));
  return { ca: pemOf(ca), serverName, verifies: verify === 'required', cert: pemOf(cert), key: pemOf(key) };
}
