// A relay between two documented sockets, with everything a test wants to look at.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Relay, RelayEnd, RelayOptions, RelayTotals } from '../../../src/balancer/proxy/relay.ts';
import { Relays } from '../../../src/balancer/proxy/relays.ts';
import type { Transport, Wire } from '../../../src/balancer/proxy/wire.ts';
import type { Lease } from '../../../src/balancer/state/ports.ts';
import type { Cleanup } from '../../contract/wire-recorder.ts';
import { Recorder, deferred, startPeer } from '../../contract/wire-recorder.ts';
import { ManualClock } from '../../support/manual-clock.ts';

export class RecordedLease implements Lease {
  readonly node = { id: 'a', host: '127.0.0.1', port: 1 };
  readonly counts = { toNodeMessages: 0, toNodeBytes: 0, toClientMessages: 0, toClientBytes: 0 };
  releases = 0;
  opened(): void {}
  failed(): void {}
  release(): void {
    this.releases += 1;
  }
  carriedBy(): void {}
  toNode(messages: number, bytes: number): void {
    this.counts.toNodeMessages += messages;
    this.counts.toNodeBytes += bytes;
  }
  toClient(messages: number, bytes: number): void {
    this.counts.toClientMessages += messages;
    this.counts.toClientBytes += bytes;
  }
}

export interface RelayRoom {
  readonly client: Socket;
  readonly node: Socket;
  readonly downstream: Wire;
  readonly upstream: Wire;
  readonly relays: Relays;
  readonly relay: Relay;
  readonly lease: RecordedLease;
  readonly clock: ManualClock;
  /** How often `onEnd` was called. */
  readonly ends: RelayEnd[];
  readonly ended: Promise<{ reason: RelayEnd; totals: RelayTotals }>;
}

export type RoomOptions = Partial<RelayOptions> & {
  /** Bytes that may wait for the client; absent: any. */
  readonly maxWaitingBytes?: number;
  /** Runs when both wires are open, before the relay takes them. */
  readonly before?: (wires: { downstream: Wire; upstream: Wire; client: Socket; node: Socket }) => unknown;
};

/** A relay that frames nothing and times nothing out unless told. */
export async function openRoom(
  transport: Transport,
  cleanup: Cleanup,
  options: RoomOptions = {},
): Promise<RelayRoom> {
  const { before, maxWaitingBytes = Infinity, ...wishes } = options;
  const wires = await openWires(transport, cleanup);
  await before?.(wires);
  const clock = new ManualClock();
  const relays = new Relays(clock, { maxWaitingBytes });
  cleanup.add(() => relays.stop());
  const lease = new RecordedLease();
  const ends: RelayEnd[] = [];
  const { promise: ended, resolve } = deferred<{ reason: RelayEnd; totals: RelayTotals }>();
  const relay = relays.open({
    downstream: wires.downstream,
    upstream: wires.upstream,
    fromClient: Buffer.alloc(0),
    fromNode: Buffer.alloc(0),
    lease,
    isFramed: false,
    idleTimeoutMs: Infinity,
    halfClosedTimeoutMs: Infinity,
    onEnd(reason, totals) {
      ends.push(reason);
      resolve({ reason, totals });
    },
    ...wishes,
  });
  return { ...wires, relays, relay, lease, clock, ends, ended };
}

async function openWires(
  transport: Transport,
  cleanup: Cleanup,
): Promise<Pick<RelayRoom, 'client' | 'node' | 'downstream' | 'upstream'>> {
  const accepted = deferred<Wire>();
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve);
  cleanup.add(() => listener.close());
  const nodeSocket = deferred<Socket>();
  const nodePort = await startPeer(cleanup, nodeSocket.resolve);
  const client = connect({ host: '127.0.0.1', port: listener.port, allowHalfOpen: true });
  client.on('error', () => {});
  cleanup.add(() => client.destroy());
  await once(client, 'connect');
  const dialled = new Recorder();
  const upstream = transport.dial({ host: '127.0.0.1', port: nodePort }, dialled);
  cleanup.add(() => upstream.destroy());
  await dialled.saw('connected');
  const downstream = await accepted.promise;
  cleanup.add(() => downstream.destroy());
  return { client, node: await nodeSocket.promise, downstream, upstream };
}
