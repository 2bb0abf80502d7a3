// One public listener for HTTP and WebSocket, put together: transport, entrance, recogniser, gateway, node:http, forwarder.
import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { ListenerTlsConfig } from '../../policy/listener-config.ts';
import { createAffinity } from './affinity.ts';
import { ClientCensus } from './census.ts';
import { createEntrance } from './entrance.ts';
import { createForwarder } from './forward.ts';
import type { FrontOptions } from './front.ts';
import { createGateway, type Route } from './gateway.ts';
import { createHttpSide } from './http-side.ts';
import { Open } from './open.ts';
import { wireOverSocket } from './plain-wire.ts';
import type { ProxyDeps } from './ports.ts';
import { recognise } from './recogniser.ts';
import { createHostResolver, type Lookup } from './resolve.ts';
import { createSourceAddresses } from './source-addresses.ts';
import type { BindTarget, Wire, WireListener, WireOrigin } from './wire.ts';

/** What a listener is made of; the rest of what its parts share it makes itself. */
export interface HttpListenerOptions extends Omit<
  ProxyDeps,
  'affinity' | 'resolve' | 'open' | 'census' | 'sources' | 'originOf' | 'wireOf'
> {
  readonly bind: BindTarget;
  readonly route: Route;
  /** Ids of the nodes of a pool, for affinity; the same array while nothing changes. */
  readonly nodeIds: (pool: string) => readonly string[];
  /** Local addresses to dial nodes from, literals; absent: the kernel chooses. */
  readonly sourceAddresses?: readonly string[];
  /** Keys of affinity cookies; the same array while nothing changes. Absent: cookies are not signed. */
  readonly affinityKeys?: () => readonly string[];
  /** Name lookup; absent: the system's. */
  readonly lookup?: Lookup;
  /** What comes before the first request; absent: nothing. */
  readonly front?: FrontOptions;
}

/** A listener, not yet listening. */
export interface HttpListener {
  /** Binds. Rejects with HERALD_LISTEN_FAILED, as the transport does. */
  start(): Promise<WireListener>;
  /** Stops accepting; what is open lives on, connections that HTTP keeps alive until their next answer. Idempotent. */
  stopAccepting(): Promise<void>;
  /** Stops accepting and ends what is open, at once. Idempotent. */
  stop(): Promise<void>;
  /** New connections find this TLS; nothing changes where there was none. */
  replaceTls(config: ListenerTlsConfig): void;
  /** Connections and exchanges under way, connections idle between two requests not included. */
  readonly openCount: number;
}

const noFront: FrontOptions = { tls: undefined, takesProxyHeader: undefined };
const noKeys: readonly string[] = [];
const unknownOrigin: WireOrigin = {
  ends: { address: '', port: 0, localAddress: '', localPort: 0 },
  isEncrypted: false,
};

/** A listener over `options`. */
export function createHttpListener(options: HttpListenerOptions): HttpListener {
  /** Of sockets that were wires before, and that the kernel may know less of. */
  const origins = new WeakMap<Socket, WireOrigin>();
  const deps = depsOf(options, origins);
  const { open } = deps;
  const gateway = createGateway(deps, options.route);
  const forwarder = createForwarder(deps);
  const httpSide = createHttpSide(deps, { route: options.route, gateway, forwarder });
  const replay = (wire: Wire, seen: Buffer): void => {
    if (wire.isClosed) return;
    const { ends, isEncrypted } = wire;
    const socket = wire.toSocket(seen);
    origins.set(socket, { ends, isEncrypted });
    httpSide.adopt(socket);
  };
  const entrance = createEntrance(
    { ...deps, isProxy: options.trusted },
    { front: options.front ?? noFront, speaksHttp: true },
  );
  const ways = { gateway, replay };
  let bound: WireListener | undefined;

  async function stopAccepting(): Promise<void> {
    const closing = bound;
    bound = undefined;
    httpSide.retire();
    await closing?.close();
  }

  return {
    async start() {
      const bind = { ...options.bind, acceptFailed: (code: string) => options.events.acceptFailed(code) };
      bound = await options.transport.listen(bind, (wire) =>
        entrance.enter(wire, (passed, seen) => recognise(deps, ways, { wire: passed, seen })),
      );
      return bound;
    },
    stopAccepting,
    async stop() {
      const closed = stopAccepting();
      open.destroyAll();
      httpSide.stop();
      forwarder.stop();
      entrance.stop();
      await closed;
    },
    replaceTls: (config) => entrance.replaceTls(config),
    get openCount() {
      return open.size;
    },
  };
}

function depsOf(options: HttpListenerOptions, origins: WeakMap<Socket, WireOrigin>): ProxyDeps {
  return {
    ...options,
    open: new Open(),
    sources: createSourceAddresses(options.sourceAddresses ?? []),
    census: new ClientCensus(options.limits),
    wireOf: (socket) => wireOverSocket(socket, origins.get(socket)),
    originOf: (socket) => origins.get(socket) ?? unknownOrigin,
    affinity: createAffinity({ nodeIds: options.nodeIds, keys: options.affinityKeys ?? (() => noKeys) }),
    resolve: createHostResolver(options.clock, options.lookup),
  };
}
