// The relay alone behind a listener: what the benchmark measures. Not shipped, and no model for a front door:
// it takes whatever ends in an empty line for a head and sends it on as it is.
// Usage: relay-daemon --listen PORT --backend 127.0.0.1:PORT [--form auto|fast|plain] [--raw]
import { parseArgs } from 'node:util';
import type { Lease } from '../../src/balancer/state/ports.ts';
import { Relays } from '../../src/balancer/proxy/relays.ts';
import { createTransport } from '../../src/balancer/proxy/transport.ts';
import type { TransportForm } from '../../src/balancer/proxy/transport.ts';
import type { DialReader, DialTarget, Transport, Wire, WireReader } from '../../src/balancer/proxy/wire.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';

const headEnd = '\r\n\r\n';
const empty = Buffer.alloc(0);

/** Counts as a real lease would: one object for each connection. */
class CountingLease implements Lease {
  readonly node: Lease['node'];
  messages = 0;
  bytes = 0;
  constructor(node: Lease['node']) {
    this.node = node;
  }
  opened(): void {}
  failed(): void {}
  release(): void {}
  carriedBy(): void {}
  toNode(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
  }
  toClient(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
  }
}

/** Collects one head from a wire, then pauses it and hands over the head and what came behind. */
class HeadReader implements DialReader {
  #seen = empty;
  readonly #wire: () => Wire;
  readonly #done: (seen: Buffer, end: number) => void;
  readonly #failed: () => void;
  readonly #connected: () => void;
  constructor(options: {
    wire: () => Wire;
    done: (seen: Buffer, end: number) => void;
    failed: () => void;
    connected?: () => void;
  }) {
    this.#wire = options.wire;
    this.#done = options.done;
    this.#failed = options.failed;
    this.#connected = options.connected ?? (() => {});
  }
  connected(): void {
    this.#connected();
  }
  bytes(buffer: Buffer, start: number, end: number): void {
    const part = buffer.subarray(start, end);
    this.#seen = this.#seen.length === 0 ? Buffer.from(part) : Buffer.concat([this.#seen, part]);
    const at = this.#seen.indexOf(headEnd);
    if (at >= 0) this.#done(this.#seen, at + headEnd.length);
    else if (this.#seen.length > 16_384) this.#wire().destroy();
  }
  ended(): void {
    this.#wire().destroy();
  }
  drained(): void {}
  closed(): void {
    this.#failed();
  }
}

class Daemon {
  readonly #transport: Transport;
  readonly #relays: Relays;
  readonly #backend: DialTarget;
  readonly #node: Lease['node'];
  readonly #isFramed: boolean;

  constructor(transport: Transport, relays: Relays, backend: DialTarget, isFramed: boolean) {
    this.#transport = transport;
    this.#relays = relays;
    this.#backend = backend;
    this.#node = { id: 'backend', ...backend };
    this.#isFramed = isFramed;
  }

  readonly accept = (downstream: Wire): void => {
    downstream.reader = new HeadReader({
      wire: () => downstream,
      done: (seen) => this.#dial(downstream, seen),
      failed: () => {},
    });
    downstream.resume();
  };

  #dial(downstream: Wire, head: Buffer): void {
    downstream.pause();
    const upstream: Wire = this.#transport.dial(
      this.#backend,
      new HeadReader({
        wire: () => upstream,
        connected: () => {
          upstream.send(head, 0, head.length);
          upstream.resume();
        },
        done: (seen, end) => {
          downstream.send(seen, 0, end);
          this.#relay(downstream, upstream, seen.subarray(end));
        },
        failed: () => downstream.destroy(),
      }),
    );
    // Never given to node:http: it may be a tunnel from its first byte on.
    upstream.useSharedBuffer();
    const gone: WireReader = {
      bytes() {},
      drained() {},
      ended: () => upstream.destroy(),
      closed: () => upstream.destroy(),
    };
    downstream.reader = gone;
  }

  #relay(downstream: Wire, upstream: Wire, fromNode: Buffer): void {
    this.#relays.open({
      downstream,
      upstream,
      fromClient: empty,
      fromNode,
      lease: new CountingLease(this.#node),
      isFramed: this.#isFramed,
      idleTimeoutMs: 3_600_000,
      halfClosedTimeoutMs: 30_000,
      onEnd() {},
    });
  }
}

const { values } = parseArgs({
  options: {
    listen: { type: 'string' },
    backend: { type: 'string' },
    form: { type: 'string', default: 'fast' },
    raw: { type: 'boolean', default: false },
  },
});
const [host = '', port = ''] = (values.backend ?? '').split(':');
// A benchmark for people who read its usage: a wrong form fails in createTransport's types only.
const transport = await createTransport({ form: values.form as TransportForm });
const relays = new Relays(createSystemClock());
const daemon = new Daemon(transport, relays, { host, port: Number(port) }, !values.raw);
await transport.listen({ host: '127.0.0.1', port: Number(values.listen) }, daemon.accept);
process.on('SIGTERM', () => process.exit(0));
