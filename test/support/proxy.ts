// A listener of the proxy over stubs, with the check that ends every test of it: nothing is left.
import {
  createHttpListener,
  type HttpListener,
  type HttpListenerOptions,
} from '../../src/balancer/proxy/listener.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { bareLink } from '../../src/platform/node-links.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { createCountingTransport, type CountingTransport } from './counting-transport.ts';
import { StubPlacement, type StubPolicy } from './stub-placement.ts';
import { startStubRelay } from './stub-relay.ts';
import type { RawNode } from './raw-node.ts';
import { until } from './until.ts';

/** A listening proxy and what it stands on. */
export interface TestProxy {
  readonly port: number;
  readonly placement: StubPlacement;
  readonly transport: CountingTransport;
  readonly listener: HttpListener;
  /** Codes of the answers that the proxy gave itself, and reasons of nodes' failures, in order. */
  readonly told: string[];
  /** Waits until every lease is settled and every socket that the proxy has to clients or by dialling is closed. */
  settled(): Promise<void>;
  /** `settled`, then stops the proxy and the nodes. */
  finish(): Promise<void>;
}

/** What a test wants otherwise than the defaults. */
export interface TestProxyOptions extends StubPolicy {
  readonly nodes?: readonly RawNode[];
  readonly timeouts?: Partial<HttpListenerOptions['timeouts']>;
  readonly sourceAddresses?: readonly string[];
  readonly limits?: Partial<HttpListenerOptions['limits']>;
  readonly trusted?: boolean | ((address: string) => boolean);
  readonly route?: HttpListenerOptions['route'];
  readonly dialError?: () => string | undefined;
  /** Nodes are known by a name whose lookup never comes back: a dial that hangs. */
  readonly hangingLookup?: boolean;
}

/** Starts a proxy for the pool `chat` with `nodes`. */
export async function startProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const nodes = options.nodes ?? [];
  const placement = new StubPlacement(
    nodes.map(({ placed }) =>
      options.hangingLookup === true ? { ...placed, host: 'node.invalid' } : placed,
    ),
    options,
  );
  const ids = nodes.map(({ placed }) => placed.id);
  const transport = await createCountingTransport(options.dialError);
  const told: string[] = [];
  const listener = createHttpListener({
    transport,
    bind: { host: '127.0.0.1', port: 0 },
    route: options.route ?? (() => 'chat'),
    placement,
    nodeIds: () => ids,
    startRelay: startStubRelay,
    linkOf: () => bareLink,
    trusted: typeof options.trusted === 'function' ? options.trusted : () => options.trusted === true,
    timeouts: {
      headMs: 5_000,
      dialMs: 2_000,
      handshakeMs: 2_000,
      tunnelIdleMs: 10_000,
      requestIdleMs: 5_000,
      keepAliveMs: 60_000,
      stallMs: Infinity,
      ...options.timeouts,
    },
    sourceAddresses: options.sourceAddresses ?? [],
    limits: {
      connections: Infinity,
      connectionsPerAddress: Infinity,
      headBytes: 16 * 1024,
      bodyBytes: Infinity,
      ...options.limits,
    },
    clock: createSystemClock(),
    rng: pcg32(1),
    lookup: () => {},
    events: {
      refused: (_pool, code) => told.push(code),
      acceptFailed: (code) => told.push(code),
      clientStalled: () => told.push('stalled'),
      nodeFailed: (_pool, nodeId, reason) => told.push(`${nodeId}: ${reason}`),
      turnedAway: (reason) => told.push(reason),
    },
  });
  const { port } = await listener.start();
  const settled = (): Promise<void> =>
    until(
      () => placement.unsettled === 0 && transport.openSockets === 0 && listener.openCount === 0,
      () =>
        `left: ${placement.unsettled} leases, ${transport.openSockets} sockets, ${listener.openCount} under way`,
    );
  return {
    port,
    placement,
    transport,
    listener,
    told,
    settled,
    async finish() {
      await settled();
      await listener.stop();
      for (const node of nodes) await node.close();
    },
  };
}
