// Random operators, clients and nodes: whatever they do, what a drain promises holds at every step.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeraldError } from '../../../../src/core/error.ts';
import type { AdminState } from '../../../../src/core/snapshot.ts';
import { aDrainHouse, reportAll, type DrainHouse } from '../../../support/a-drain-house.ts';

const statics = ['a', 'b', 'c'];
const node = fc.constantFrom('a', 'b', 'c', 'x', 'y');

type Step =
  | {
      readonly kind: 'state';
      readonly nodes: string[];
      readonly adminState: AdminState;
      readonly deadlineMs: number;
      readonly self: boolean;
    }
  | {
      readonly kind: 'connect' | 'leave' | 'kill' | 'remove' | 'join';
      readonly node: string;
      readonly count: number;
    }
  | { readonly kind: 'cancel' | 'wait' | 'restart'; readonly count: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('state' as const),
    nodes: fc.uniqueArray(node, { minLength: 1, maxLength: 3 }),
    adminState: fc.constantFrom('drain' as const, 'drain' as const, 'ready' as const, 'maint' as const),
    deadlineMs: fc.constantFrom(500, 5_000, 60_000),
    self: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom(
      'connect' as const,
      'connect' as const,
      'leave' as const,
      'kill' as const,
      'remove' as const,
      'join' as const,
    ),
    node,
    count: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constantFrom(
      'cancel' as const,
      'wait' as const,
      'wait' as const,
      'wait' as const,
      'restart' as const,
    ),
    count: fc.integer({ min: 1, max: 20 }),
  }),
);

/** What an operator is refused is no failure of the model. */
function attempt(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof HeraldError) || error.code === 'HERALD_INTERNAL') throw error;
  }
}

class World {
  house: DrainHouse;
  epoch = 0;

  constructor(deaf: boolean) {
    this.house = aDrainHouse({ nodes: statics });
    this.house.manners = deaf ? 'deaf' : 'polite';
  }

  take(step: Step): void {
    const { house } = this;
    if (step.kind === 'state') {
      const { nodes, adminState, deadlineMs, self } = step;
      const drain = adminState === 'drain' ? { deadlineMs, self, force: true } : {};
      return attempt(() => house.control.setAdminState(nodes, { adminState, ...drain }, { by: 'model' }));
    }
    if (step.kind === 'wait') return house.clock.advance(step.count * 130);
    if (step.kind === 'restart') return this.#restart();
    if (step.kind === 'cancel') {
      const [first] = house.control.operations();
      if (first !== undefined) house.control.cancel(first.id, { by: 'model', why: '' });
      return;
    }
    if ('node' in step) this.#actOn(step.kind, step);
  }

  #actOn(kind: string, { node, count }: { node: string; count: number }): void {
    const { house } = this;
    const here = [...house.guests].filter((guest) => guest.node === node);
    if (kind === 'connect') return attempt(() => this.#connect(node, count));
    if (kind === 'leave') for (const guest of here.slice(0, count)) guest.end();
    if (kind === 'kill') {
      attempt(() => house.registry.setCheckFailure(node, 'killed'));
      for (const guest of here) guest.end();
    }
    if (kind === 'remove' && !statics.includes(node)) attempt(() => house.registry.remove(node));
    if (kind === 'join') {
      attempt(() => house.registry.setCheckFailure(node, ''));
      attempt(() =>
        house.report({ id: node, epoch: `e${++this.epoch}`, signals: { cpu: 0.2 }, port: portOf(node) }),
      );
    }
    house.clock.advance(20);
  }

  #connect(node: string, count: number): void {
    const { pool, node: record } = this.house.registry.node(node);
    const isEligible = record.adminState === 'ready' && record.downReason(this.house.clock.nowMs()) === '';
    if (pool.name === 'chat' && isEligible) this.house.connect(node, count);
  }

  /** The process ends and another takes over: connections end with it. */
  #restart(): void {
    const { house } = this;
    const saved: unknown = JSON.parse(JSON.stringify(house.control.section.save()));
    house.control.stop();
    for (const guest of house.guests) guest.end();
    const next = aDrainHouse({ nodes: statics });
    next.clock.advance(house.clock.nowMs());
    next.manners = house.manners;
    next.control.section.restore(saved, 0);
    this.house = next;
  }

  check(): void {
    const { house } = this;
    for (const { progress, state, nodes, endedAt } of house.control.operations()) {
      const { total, returned, ...parts } = progress;
      expect(Object.values(parts).reduce((sum, each) => sum + each, 0)).toBe(total);
      for (const count of Object.values(progress)) expect(count).toBeGreaterThanOrEqual(0);
      expect(returned).toBeLessThanOrEqual(total);
      expect(endedAt === null).toBe(state === 'running');
      expect(nodes.length).toBeGreaterThan(0);
    }
    // Whoever was told was so while its node was drained (or gone), and its lease has been settled or is still held.
    for (const { adminState } of house.told) expect(['drain', 'gone']).toContain(adminState);
    const { nodes } = house.registry.pool('chat');
    for (const [id, { counters }] of nodes) {
      expect(counters.open).toBeLessThanOrEqual(house.openOn(id));
      expect(counters.open).toBeGreaterThanOrEqual(0);
    }
    const placed = house.place({});
    if (placed !== undefined) expect(nodes.get(placed.node.id)?.adminState).toBe('ready');
    placed?.release();
  }
}

function portOf(node: string): number {
  return statics.includes(node) ? 9000 : 9100 + node.charCodeAt(0);
}

describe('whatever happens', () => {
  it.each([false, true])(
    'progress sums, no lease is lost, nothing is told after ready (deaf clients: %s)',
    (deaf) => {
      fc.assert(
        fc.property(fc.array(steps, { maxLength: 40 }), (list) => {
          const world = new World(deaf);
          for (const step of list) {
            world.take(step);
            world.check();
          }
          reportAll(world.house);
          world.house.clock.advance(180_000);
          world.check();
          // Every deadline has passed, so that nothing drains any more and nobody is left where somebody was to go.
          expect(world.house.control.operations().filter(({ state }) => state === 'running')).toEqual([]);
          world.house.control.stop();
        }),
        { numRuns: 150, seed: 7 },
      );
    },
  );
});
