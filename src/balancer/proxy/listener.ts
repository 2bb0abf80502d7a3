// One public listener for HTTP and WebSocket, put together: transport, recogniser, gateway, node:http, forwarder.
import type { Buffer } from 'node:buffer';
import { createAffinity } from './affinity.ts';
import { createForwarder } from './forward.ts';
import { createGateway, type Route } from './gateway.ts';
import { createHttpSide } from './http-side.ts';
import { Open } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { recognise } from './recogniser.ts';
import { createHostResolver, type Lookup } from './resolve.ts';
import type { BindTarget, Wire, WireListener } from './wire.ts';

/** What a listener is made of; the rest of what its parts share it makes itself. */
export interface HttpListenerOptions extends Omit<ProxyDeps, 'affinity' | 'resolve' | 'open'> {
  readonly bind: BindTarget;
  readonly route: Route;
  /** Ids of the nodes of a pool, for affinity; the same array while nothing changes. */
  readonly nodeIds: (pool: string) => readonly string[];
  /** Keys of affinity cookies; the same array while nothing changes. Absent: cookies are not signed. */
  readonly affinityKeys?: () => readonly string[];
  /** Name lookup; absent: the system's. */
  readonly lookup?: Lookup;
}

/** A listener, not yet listening. */
export interface HttpListener {
  /** Binds. Rejects with HERALD_LISTEN_FAILED, as the transport does. */
  start(): Promise<WireListener>;
  /** Stops accepting; what is open lives on, connections that HTTP keeps alive until their next answer. Idempotent. */
  stopAccepting(): Promise<void>;
  /** Stops accepting and ends what is open, at once. Idempotent. */
  stop(): Promise<void>;
  /** Connections and exchanges under way, connections idle between two requests not included. */
  readonly openCount: number;
}

const noKeys: readonly string[] = [];

/** A listener over `options`. */
export function createHttpListener(options: HttpListenerOptions): HttpListener {
  const open = new Open();
  const deps: ProxyDeps = {
    ...options,
    open,
    affinity: createAffinity({ nodeIds: options.nodeIds, keys: options.affinityKeys ?? (() => noKeys) }),
    resolve: createHostResolver(options.clock, options.lookup),
  };
  const gateway = createGateway(deps, options.route);
  const forwarder = createForwarder(deps);
  const httpSide = createHttpSide(deps, { route: options.route, gateway, forwarder });
  const replay = (wire: Wire, seen: Buffer): void => {
    if (!wire.isClosed) httpSide.adopt(wire.toSocket(seen));
  };
  let bound: WireListener | undefined;

  async function stopAccepting(): Promise<void> {
    const closing = bound;
    bound = undefined;
    httpSide.retire();
    await closing?.close();
  }

  return {
    async start() {
      bound = await options.transport.listen(options.bind, (wire) =>
        recognise(deps, { gateway, replay }, wire),
      );
      return bound;
    },
    stopAccepting,
    async stop() {
      const closed = stopAccepting();
      open.destroyAll();
      httpSide.stop();
      forwarder.stop();
      await closed;
    },
    get openCount() {
      return open.size;
    },
  };
}
