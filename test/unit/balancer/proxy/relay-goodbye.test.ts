// What real sockets cannot be made to do at will: a wire that keeps bytes back exactly at a boundary.
import { describe, expect, it } from 'vitest';
import { Relays } from '../../../../src/balancer/proxy/relays.ts';
import type { GoodbyeOutcome, Lease } from '../../../../src/balancer/state/ports.ts';
import { encodeClose } from '../../../../src/protocol/websocket.ts';
import { FakeWire } from '../../../support/fake-wire.ts';
import { aFrame } from '../../../support/frames.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** A wire whose kernel takes nothing while `isFull`. */
class SlowWire extends FakeWire {
  isFull = false;
  override send(buffer: Buffer, start: number, end: number): boolean {
    return super.send(buffer, start, end) && !this.isFull;
  }
}

const message = aFrame({ opcode: 2, size: 5 }).toString('latin1');
const ourClose = encodeClose({ code: 1012, reason: 'bye retry-ms=5' }).toString('latin1');
const clientClose = encodeClose({ code: 1012, reason: '', masked: true }).toString('latin1');

function aRelay() {
  const clock = new ManualClock();
  const [downstream, upstream] = [new SlowWire(), new SlowWire()];
  const outcomes: GoodbyeOutcome[] = [];
  const nothing = (): void => {};
  const lease: Lease = {
    node: { id: 'a', host: '127.0.0.1', port: 1 },
    opened: nothing,
    failed: nothing,
    release: nothing,
    toNode: nothing,
    toClient: nothing,
    carriedBy: nothing,
  };
  const relay = new Relays(clock).open({
    downstream,
    upstream,
    fromClient: Buffer.alloc(0),
    fromNode: Buffer.alloc(0),
    lease,
    isFramed: true,
    idleTimeoutMs: Infinity,
    halfClosedTimeoutMs: Infinity,
    onEnd: nothing,
  });
  const leave = () =>
    relay.leave({ code: 1012, reason: 'bye', retryAfterMs: 5, byMs: 60_000 }, (outcome) =>
      outcomes.push(outcome),
    );
  return { clock, downstream, upstream, outcomes, relay, leave };
}

describe('a goodbye to a client that takes no more bytes', () => {
  it('lets the node go on at once, since what it sends is thrown away', () => {
    const { downstream, upstream, leave } = aRelay();
    downstream.isFull = true;
    upstream.hear(message);
    expect(upstream.isReading).toBe(false);
    leave();
    expect(upstream.isReading).toBe(true);
    upstream.hear(message);
    expect([upstream.isReading, downstream.sent]).toEqual([true, message + ourClose]);
  });

  it('is a cut while the Close is queued, and refused once the kernel has it', () => {
    for (const taken of [false, true]) {
      const { clock, downstream, outcomes, leave } = aRelay();
      downstream.isFull = true;
      leave();
      if (taken) downstream.reader.drained();
      clock.advance(10_000);
      expect(outcomes).toEqual([taken ? 'refusedByPeer' : 'cut']);
      expect(downstream.isClosed).toBe(true);
    }
  });

  it('takes a client that says Close before it has ours for one that goes by itself', () => {
    const { downstream, upstream, outcomes, leave } = aRelay();
    downstream.isFull = true;
    leave();
    downstream.hear(clientClose);
    expect(outcomes).toEqual(['alreadyGone']);
    expect([upstream.sent, downstream.isEnded]).toEqual([clientClose, true]);
  });
});

describe('a goodbye while the node takes no more bytes', () => {
  it('reads on from the client once it has answered, and once the node has gone', () => {
    for (const gone of [false, true]) {
      const { downstream, upstream, outcomes, leave } = aRelay();
      upstream.isFull = true;
      leave();
      downstream.hear(aFrame({ opcode: 2, size: 5, masked: true }).toString('latin1'));
      expect(downstream.isReading).toBe(false);
      if (gone) {
        upstream.isClosed = true;
        upstream.reader.closed(undefined);
      } else {
        upstream.reader.drained();
      }
      expect(downstream.isReading).toBe(true);
      downstream.hear(clientClose);
      expect([outcomes, downstream.isReading]).toEqual([['closed'], true]);
    }
  });

  it('found dead only when the client is to be told still gets the client its answer read', () => {
    const { downstream, upstream, outcomes, leave } = aRelay();
    upstream.hear(aFrame({ opcode: 2, size: 5, fin: false }).toString('latin1'));
    leave();
    upstream.isFull = true;
    downstream.hear(aFrame({ opcode: 2, size: 5, masked: true }).toString('latin1'));
    expect(downstream.isReading).toBe(false);
    upstream.isClosed = true;
    upstream.reader.closed(undefined);
    expect(downstream.sent.endsWith(ourClose)).toBe(true);
    expect(downstream.isReading).toBe(true);
    downstream.hear(clientClose);
    expect(outcomes).toEqual(['closed']);
  });
});
