// One raw connection's way to a running relay: place, dial, again on failure. Refused means reset: whatever is spoken
// here, a reset is no answer that it could take for one.
import { Buffer } from 'node:buffer';
import type { DialFailure, Lease, Refusal, Wait, Waiter } from '../state/ports.ts';
import { dialNode, type Stage } from './dial.ts';
import { EarlyBytes } from './early-bytes.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { unreachable, type LastFailure } from './problems.ts';
import { startTunnel } from './tunnel.ts';
import type { Wire, WireReader } from './wire.ts';

/** What an opening needs. */
export type OpeningDeps = Pick<
  ProxyDeps,
  | 'transport'
  | 'resolve'
  | 'sources'
  | 'clock'
  | 'timeouts'
  | 'placement'
  | 'startRelay'
  | 'linkOf'
  | 'events'
  | 'open'
  | 'rng'
>;

/** One connection to open. */
interface TcpArrival {
  readonly client: Wire;
  readonly pool: string;
  /** What has been read of it, often empty. */
  readonly early: Buffer;
}

// What a client says before its node is there. Past this it waits; most protocols say a line.
const maxEarlyBytes = 16 * 1024;

export class TcpOpening implements WireReader, Ending, Waiter {
  readonly #deps: OpeningDeps;
  readonly #client: Wire;
  readonly #pool: string;
  readonly #excluded = new Set<string>();
  readonly #early: EarlyBytes;
  #attempts = 0;
  #lastFailure: LastFailure | undefined;
  #lease: Lease | undefined;
  #stage: Stage | undefined;
  #wait: Wait | undefined;
  #isOver = false;

  constructor(deps: OpeningDeps, { client, pool, early }: TcpArrival) {
    this.#deps = deps;
    this.#client = client;
    this.#pool = pool;
    this.#early = new EarlyBytes(early);
  }

  /** Takes the client over and begins. Called once. */
  start(): void {
    this.#deps.open.add(this);
    this.#client.reader = this;
    this.#client.resume();
    this.#place();
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    this.#early.add(buffer, start, end);
    if (this.#early.length >= maxEarlyBytes) this.#client.pause();
  }

  ended(): void {
    // It may have said all that it wants to say: the relay passes the end on behind it.
  }

  drained(): void {
    // Nothing has been sent to the client.
  }

  closed(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#wait?.cancel();
    this.#stage?.abort();
    this.#lease?.release();
    this.#client.destroy();
  }

  /** There is a node to dial. */
  placed(lease: Lease): void {
    this.#wait = undefined;
    this.#lease = lease;
    this.#attempts++;
    const { host, port } = lease.node;
    const target = { host, port, link: this.#deps.linkOf(this.#pool), client: this.#client };
    this.#stage = dialNode(this.#deps, target, {
      connected: (node) => this.#open(lease, node),
      failed: (reason, error) => this.#failed(lease, reason, error),
    });
  }

  /** There is no node to dial. */
  refused(refusal: Refusal): void {
    this.#wait = undefined;
    const { code } =
      this.#lastFailure === undefined ? refusal : unreachable(this.#lastFailure, this.#deps.rng);
    this.#leave();
    this.#deps.events.refused(this.#pool, code);
    this.#client.destroy({ reset: true });
  }

  #place(): void {
    const result = this.#deps.placement.place(
      { pool: this.#pool, affinityNode: '', excluded: this.#excluded },
      this,
    );
    if (result.placed) this.placed(result.lease);
    else if (result.wait === undefined) this.refused(result.refusal);
    else this.#wait = result.wait;
  }

  #failed(lease: Lease, reason: DialFailure, error: unknown): void {
    lease.failed(reason);
    this.#deps.events.nodeFailed(this.#pool, lease.node.id, reason, error);
    this.#excluded.add(lease.node.id);
    this.#lastFailure = { reason, error, attempts: this.#attempts };
    const attempts = this.#deps.placement.policyOf(this.#pool)?.place.attempts ?? 1;
    if (this.#attempts < attempts) this.#place();
    else this.refused({ code: 'HERALD_NO_NODE', message: '' });
  }

  #open(lease: Lease, node: Wire): void {
    this.#leave();
    lease.opened();
    startTunnel(this.#deps, {
      pool: this.#pool,
      downstream: this.#client,
      upstream: node,
      fromNode: Buffer.alloc(0),
      fromClient: this.#early.take(),
      lease,
      isFramed: false,
      idleTimeoutMs: this.#deps.timeouts.tunnelIdleMs,
      stallTimeoutMs: this.#deps.timeouts.stallMs,
    });
  }

  #leave(): void {
    this.#isOver = true;
    this.#deps.open.remove(this);
  }
}
