import { describe, expect, it } from 'vitest';
import { endGracefully } from '../../../src/balancer/shutdown.ts';
import type {
  ConnectionKind,
  DataPlane,
  Goodbye,
  GoodbyeOutcome,
  ShedRequest,
} from '../../../src/balancer/state/ports.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Told {
  readonly id: number;
  readonly atMs: number;
  readonly goodbye: Goodbye;
}

/** Connections of one pool that leave with an outcome of their own as soon as they are told, or never. */
function aHouse(kinds: readonly ConnectionKind[], answer: (id: number) => GoodbyeOutcome | undefined) {
  const clock = new ManualClock(5_000);
  const open = new Map(kinds.map((kind, id) => [id, { kind, isLeaving: 0 }]));
  const told: Told[] = [];
  const dataPlane: DataPlane = {
    capabilities: { ways: ['close'], listsConnections: true, takesShares: false },
    applyShares() {},
    connections() {
      const rows = [...open];
      const zeros = () => new Float64Array(rows.length);
      return {
        size: rows.length,
        id: new Float64Array(rows.map(([id]) => id)),
        nodeId: rows.map(() => 'a'),
        kind: rows.map(([, { kind }]) => kind),
        ageMs: zeros(),
        messagesPerSecond: zeros(),
        bytesPerSecond: zeros(),
        utilization: zeros(),
        isLeaving: new Uint8Array(rows.map(([, { isLeaving }]) => isLeaving)),
        inCooldown: new Uint8Array(rows.length),
      };
    },
    shed({ connectionIds, goodbye, settled }: ShedRequest) {
      for (const id of Array.from(connectionIds)) {
        told.push({ id, atMs: clock.nowMs(), goodbye });
        const outcome = answer(id);
        const row = open.get(id);
        if (row !== undefined) row.isLeaving = 1;
        if (outcome === undefined) continue;
        open.delete(id);
        settled?.(id, outcome);
      }
    },
  };
  const drain = { deadlineMs: 1, ratePerSecond: 'auto' as const, closeCode: 1001, closeReason: 'bye' };
  const end = (graceMs: number) =>
    endGracefully(
      {
        clock,
        rng: pcg32(3),
        dataPlane,
        policies: new Map([['chat', { drain }]]),
        openCount: () => open.size,
      },
      graceMs,
    );
  return { clock, open, told, end };
}

const webSockets = (count: number) => Array.from({ length: count }, () => 'websocket' as const);

describe('endGracefully', () => {
  it('tells nobody without a grace, and counts who is cut', async () => {
    const { told, end, clock } = aHouse(webSockets(3), () => 'closed');
    expect(await end(0)).toEqual({ closed: 0, refusedByPeer: 0, cut: 3 });
    expect([told, clock.pending]).toEqual([[], 0]);
  });

  it('ends at once when nothing is open', async () => {
    const { end } = aHouse([], () => 'closed');
    expect(await end(30_000)).toEqual({ closed: 0, refusedByPeer: 0, cut: 0 });
  });

  it("tells everybody in the policy's words, each with a time of its own to come back", async () => {
    const { told, end, clock } = aHouse(webSockets(40), () => 'closed');
    const ended = end(30_000);
    clock.advance(2_000);
    expect(await ended).toEqual({ closed: 40, refusedByPeer: 0, cut: 0 });
    expect(new Set(told.map(({ id }) => id)).size).toBe(40);
    for (const { goodbye } of told) {
      expect(goodbye).toMatchObject({ code: 1001, reason: 'bye', byMs: 35_000 });
      expect(goodbye.retryAfterMs).toBeGreaterThanOrEqual(1000);
      expect(goodbye.retryAfterMs).toBeLessThanOrEqual(5000);
    }
    expect(new Set(told.map(({ goodbye }) => goodbye.retryAfterMs)).size).toBeGreaterThan(30);
  });

  it('spreads many evenly over three quarters of the grace, in no order', async () => {
    const { told, end, clock } = aHouse(webSockets(3_000), () => 'closed');
    const ended = end(10_000);
    clock.advance(3_750);
    expect(told.length).toBeGreaterThan(1_400);
    expect(told.length).toBeLessThan(1_600);
    expect(told.slice(0, 100).some(({ id }) => id > 2_000)).toBe(true);
    clock.advance(3_750);
    expect(await ended).toEqual({ closed: 3_000, refusedByPeer: 0, cut: 0 });
    expect(told.at(-1)?.atMs).toBeLessThanOrEqual(12_500);
    expect(clock.pending).toBe(0);
  });

  it('does not draw out the telling of a few', async () => {
    const { told, end, clock } = aHouse(webSockets(2), () => 'closed');
    const ended = end(600_000);
    clock.advance(100);
    expect(await ended).toEqual({ closed: 2, refusedByPeer: 0, cut: 0 });
    expect(told).toHaveLength(2);
  });

  it('tells exchanges at once, since they come to their own end', async () => {
    const { told, end, clock, open } = aHouse([...webSockets(500), 'longPoll', 'http'], () => undefined);
    const ended = end(10_000);
    expect(told.map(({ id }) => id)).toEqual([500, 501]);
    clock.advance(10_000);
    expect(await ended).toEqual({ closed: 0, refusedByPeer: 0, cut: 502 });
    expect(open.size).toBe(502);
  });

  it('counts who did not leave, and who could not be told', async () => {
    const outcomes = ['closed', 'refusedByPeer', 'cut', 'alreadyGone'] as const;
    const { end, clock } = aHouse(webSockets(8), (id) => outcomes[id % 4]);
    const ended = end(10_000);
    clock.advance(1_000);
    expect(await ended).toEqual({ closed: 2, refusedByPeer: 2, cut: 2 });
  });

  it('tells those, too, who open after it has begun', async () => {
    const { told, end, clock, open } = aHouse(webSockets(1), (id) => (id === 0 ? undefined : 'closed'));
    const ended = end(10_000);
    clock.advance(500);
    open.set(77, { kind: 'websocket', isLeaving: 0 });
    clock.advance(1_000);
    expect(told.map(({ id }) => id)).toEqual([0, 77]);
    clock.advance(10_000);
    expect(await ended).toEqual({ closed: 1, refusedByPeer: 0, cut: 1 });
  });
});
