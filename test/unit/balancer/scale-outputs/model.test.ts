// Deliveries under random failures, with restarts between: nothing is lost, nothing overtakes within a pool.
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../../src/balancer/scale-outputs/delivery.ts';
import {
  createWebhooksSection,
  savedEvent,
} from '../../../../src/balancer/scale-outputs/webhooks-section.ts';
import type { StateSection } from '../../../../src/balancer/state/ports.ts';
import { pcg32, type Rng } from '../../../../src/core/rng.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { aDelivery, anEvent, delivered, failed, settle, type Sent } from './a-receiver.ts';

const pools = ['chat', 'games', ''];

/** The saved state of one delivery, as the webhooks make it. */
function sectionOf(delivery: Delivery, clock: ManualClock): StateSection {
  return createWebhooksSection({
    revision: () => delivery.revision,
    nowMs: () => clock.nowMs(),
    save: () => ({
      hook: {
        waiting: delivery.queue.events.map((event) => savedEvent(event, clock.nowMs())),
        dead: delivery.deadLetters.map(({ event, ...rest }) => ({
          ...savedEvent(event, clock.nowMs()),
          ...rest,
        })),
      },
    }),
    restore(_name, { waiting, dead }) {
      for (const letter of dead) delivery.restoreDead(letter);
      for (const event of waiting) delivery.offer(event);
      return true;
    },
  });
}

interface World {
  readonly rng: Rng;
  readonly clock: ManualClock;
  /** Ids in the order in which the receiver got them, by pool. */
  readonly received: Map<string, string[]>;
  readonly offered: Map<string, string[]>;
  readonly sending: Map<string, number>;
  readonly dead: Set<string>;
  readonly counts: { delivered: number; dead: number };
  most: number;
}

/** Answers as a bad network would: lost requests, lost answers, refusals, hanging, all by chance. */
function answerOf(world: World, health: number) {
  return ({ id, pool, answer }: Sent) => {
    const { rng, received, sending } = world;
    const open = (sending.get(pool) ?? 0) + 1;
    sending.set(pool, open);
    world.most = Math.max(world.most, open);
    const chance = rng.next();
    const arrives = chance < health || rng.next() < 0.3;
    if (arrives) received.set(pool, [...(received.get(pool) ?? []), id]);
    const outcome =
      chance < health
        ? delivered
        : chance < health + 0.02
          ? ({ kind: 'refused', reason: 'answered 410' } as const)
          : ({ ...failed, wishMs: rng.next() < 0.2 ? 20_000 : 0 } as const);
    world.clock.schedule(rng.next() * 3000, () => {
      sending.set(pool, (sending.get(pool) ?? 1) - 1);
      answer(outcome);
    });
    return undefined;
  };
}

async function live(world: World, house: ReturnType<typeof aDelivery>, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    if (world.rng.next() < 0.5) {
      const pool = pools[Math.floor(world.rng.next() * pools.length)] ?? '';
      const offered = world.offered.get(pool) ?? [];
      const id = `${pool === '' ? 'none' : pool}.${offered.length}`;
      world.offered.set(pool, [...offered, id]);
      house.delivery.offer(anEvent(id, { pool, queuedAtMs: world.clock.nowMs() }));
    }
    await house.advance(world.rng.next() * 4000);
  }
}

function takeNotes({ notes }: ReturnType<typeof aDelivery>, { dead, counts }: World): void {
  for (const { kind, event } of notes) {
    if (kind === 'dead') dead.add(event.id);
    if (kind === 'delivered' || kind === 'dead') counts[kind] += 1;
  }
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('deliveries in a bad network (seed %i)', (seed) => {
  it('bring every event at least once, or keep it as a dead letter, in order within a pool', async () => {
    const rng = pcg32(seed);
    const world: World = {
      rng,
      clock: new ManualClock(),
      received: new Map(),
      offered: new Map(),
      sending: new Map(),
      dead: new Set(),
      counts: { delivered: 0, dead: 0 },
      most: 0,
    };
    let saved: unknown;
    for (let life = 0; life < 4; life++) {
      const health = life === 3 ? 1 : 0.3 + 0.5 * rng.next();
      const { clock } = world;
      const rule = { attempts: 30, maxAgeMs: 600_000 };
      const house = aDelivery({ clock, seed: seed * 10 + life, rule, answer: answerOf(world, health) });
      const section = sectionOf(house.delivery, clock);
      if (saved !== undefined) expect(section.restore(saved, 1000)).toBeTypeOf('number');
      house.delivery.start();
      await live(world, house, life === 3 ? 0 : 40);
      if (life === 3) await house.advance(3_600_000, 500);
      else await house.delivery.stop(0);
      await settle();
      takeNotes(house, world);
      saved = JSON.parse(JSON.stringify(section.save()));
      // Answers of the last life go nowhere; what hangs then is over.
      clock.advance(10_000);
      world.sending.clear();
      if (life === 3) expect(house.delivery.queue.size).toBe(0);
    }
    for (const pool of pools) {
      const offered = world.offered.get(pool) ?? [];
      const received = world.received.get(pool) ?? [];
      expect(offered.length).toBeGreaterThan(5);
      const missing = offered.filter((id) => !received.includes(id) && !world.dead.has(id));
      expect(missing).toEqual([]);
      const order = received.map((id) => offered.indexOf(id));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    expect(world.most).toBe(1);
    const total = [...world.offered.values()].reduce((sum, { length }) => sum + length, 0);
    expect(world.counts.delivered + world.counts.dead).toBe(total);
  });
});

describe('the saved state of webhooks', () => {
  it('leaves out what is no event, and keeps the rest', () => {
    const { delivery, clock } = aDelivery();
    const section = sectionOf(delivery, clock);
    const good = savedEvent(anEvent('a.1'), 0);
    const bad = [
      null,
      7,
      {},
      { ...good, id: 'two\nlines' },
      { ...good, body: 'no json' },
      { ...good, attempts: -1 },
    ];
    expect(section.restore({ hook: { waiting: [...bad, good], dead: [good] }, other: 7 }, 0)).toBe(1);
    expect(delivery.queue.events.map(({ id }) => id)).toEqual(['a.1']);
    expect(section.restore([], 0)).toBeUndefined();
    expect(section.restore('x', 0)).toBeUndefined();
  });

  it('counts the time that a restart took as age', () => {
    const { delivery, clock } = aDelivery();
    clock.advance(100_000);
    const saved = {
      hook: { waiting: [savedEvent(anEvent('a', { queuedAtMs: 70_000 }), 100_000)], dead: [] },
    };
    sectionOf(delivery, clock).restore(saved, 5000);
    expect(delivery.queue.oldestAtMs).toBe(65_000);
  });

  it('says that it changed when events come and go, not with every attempt', async () => {
    const { delivery, advance } = aDelivery({ answer: () => failed });
    delivery.start();
    delivery.offer(anEvent('a'));
    const { revision } = delivery;
    await settle();
    await advance(10_000, 1000);
    expect(delivery.revision).toBe(revision);
    delivery.offer(anEvent('b'));
    expect(delivery.revision).not.toBe(revision);
  });
});
