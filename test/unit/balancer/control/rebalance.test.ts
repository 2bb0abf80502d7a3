import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../../src/policy/policy.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { MovingFleet, type MovingFleetOptions } from './moving-fleet.ts';

type Rebalance = Policy['rebalance'];

const operator = { by: 'ada' };

function aPolicy(parts: Partial<Rebalance> = {}): Policy {
  const plain = aPlainPolicy({ signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }] });
  const rebalance: Rebalance = {
    mode: 'auto',
    floor: 0.3,
    band: 0.1,
    forMs: 30_000,
    ratePerSecond: 0.01,
    cooldownMs: 300_000,
    choose: 'heaviest',
    ...parts,
  };
  return { ...plain, rebalance };
}

/** Two nodes with thirty clients each; those of `a` say twice as much. */
function lopsided(parts: Partial<Rebalance> = {}, options: Partial<MovingFleetOptions> = {}): MovingFleet {
  const fleet = new MovingFleet({ policy: aPolicy(parts), nodes: ['a', 'b'], ...options });
  // Loads must be known before anybody is placed by them.
  fleet.run(2);
  for (let client = 0; client < 30; client += 1) {
    fleet.connect(4 + (client % 5) * 2, 'a');
    fleet.connect(2 + (client % 5), 'b');
  }
  return fleet;
}

describe('of several balancers', () => {
  it('only the leader rebalances by itself, and ends it when it leads no more', () => {
    let leads = false;
    const fleet = lopsided({}, { isLeader: () => leads });
    fleet.run(60);
    expect(fleet.goodbyes).toEqual([]);
    expect(fleet.types.filter((type) => type.startsWith('rebalance'))).toEqual([]);
    leads = true;
    for (let second = 0; second < 60 && fleet.goodbyes.length === 0; second += 1) fleet.run(1);
    expect(fleet.goodbyes.length).toBeGreaterThan(0);
    leads = false;
    fleet.run(2);
    const [operation] = fleet.control.operations();
    expect(operation?.state).toBe('cancelled');
    expect(operation?.reason).toMatch(/^this balancer leads no more; /);
    fleet.stop();
  });

  it('any of them does it for an operator', () => {
    const fleet = lopsided({}, { isLeader: () => false });
    fleet.run(30);
    fleet.control.rebalance('chat', {}, operator);
    fleet.run(30);
    expect(fleet.goodbyes.length).toBeGreaterThan(0);
    expect(fleet.control.operations()[0]?.state).not.toBe('cancelled');
    fleet.stop();
  });
});

describe('an automatic rebalance', () => {
  it('begins when a node has been hot long enough, levels the pool and says so', () => {
    const fleet = lopsided();
    expect(fleet.ratio).toBeGreaterThan(1.25);
    fleet.run(25);
    expect(fleet.goodbyes).toEqual([]);
    fleet.run(150);
    expect(fleet.ratio).toBeLessThan(1.1);
    expect(new Set(fleet.goodbyes.map(({ node }) => node))).toEqual(new Set(['a']));
    const [operation] = fleet.control.operations();
    expect(operation).toMatchObject({
      kind: 'rebalance',
      state: 'done',
      by: 'auto',
      nodes: ['a'],
      deadlineAt: null,
    });
    expect(operation?.reason).toMatch(
      /^the pool is level; max ÷ mean 1\.\d\d, was 1\.\d\d, \d+ connections moved$/,
    );
    const { progress } = operation ?? {};
    expect(progress?.total).toBe(fleet.goodbyes.length);
    expect(progress?.closed).toBe(fleet.goodbyes.length);
    expect(progress?.returned).toBe(fleet.goodbyes.length);
    expect(fleet.types.filter((type) => type.startsWith('operation'))).toEqual([
      'operation.started',
      'operation.ended',
    ]);
    fleet.stop();
  });

  it('sends goodbyes as the policy words them, spread over time, and nobody back to where it came from', () => {
    const fleet = lopsided();
    fleet.run(175);
    for (const { goodbye, atMs } of fleet.goodbyes) {
      expect([goodbye.code, goodbye.byMs - atMs]).toEqual([1012, 30_000]);
      expect(goodbye.retryAfterMs).toBeGreaterThan(0);
    }
    const seconds = fleet.goodbyes.map(({ atMs }) => Math.floor(atMs / 1000));
    expect(new Set(seconds).size).toBeGreaterThan(fleet.goodbyes.length / 3);
    const a = fleet.room.registry.node('a').node;
    expect(a.counters.open).toBe(30 - fleet.goodbyes.length);
    expect(a.isShedding).toBe(false);
    fleet.stop();
  });

  it('takes nothing in on the node that it sheds from, while others can', () => {
    const fleet = lopsided();
    fleet.run(34);
    const pool = fleet.room.registry.pool('chat');
    const { ineligible, share } = pool.assessment(fleet.room.clock.nowMs());
    expect(ineligible).toEqual(['shedding', undefined]);
    expect([...share]).toEqual([0, 1]);
    fleet.stop();
  });

  it('only says what it would do where the policy says advise, once', () => {
    const fleet = lopsided({ mode: 'advise' });
    fleet.run(120);
    expect(fleet.goodbyes).toEqual([]);
    const advice = fleet.events.since(0).events.filter(({ type }) => type === 'rebalance.advised');
    expect(advice).toHaveLength(1);
    expect(advice[0]?.message).toMatch(
      /^a is hot: moving \d+ connections \(\d+ from a\) would bring max ÷ mean from 1\.\d\d to about 1\.\d\d \(herald rebalance chat\)$/,
    );
    fleet.stop();
  });

  it('does and says nothing where it is off', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(120);
    expect([fleet.goodbyes, fleet.types]).toEqual([[], []]);
    fleet.stop();
  });

  it('stops by itself where load does not follow connections, and says so', () => {
    const fleet = new MovingFleet({
      policy: aPolicy({ ratePerSecond: 0.05 }),
      nodes: ['a', 'b', 'c'],
      ownLoad: { a: 0.5 },
    });
    fleet.run(2);
    for (let client = 0; client < 40; client += 1) fleet.connect(3, ['a', 'b', 'c'][client % 3]);
    fleet.run(120);
    const [operation] = fleet.control.operations();
    expect(operation).toMatchObject({ state: 'stopped' });
    expect(operation?.reason).toMatch(/^load does not follow connections here/);
    const moved = fleet.goodbyes.length;
    fleet.run(300);
    // Ten minutes of quiet after harm.
    expect(fleet.goodbyes.length).toBe(moved);
    fleet.stop();
  });

  it('stops when clients do not come back', () => {
    const fleet = lopsided({ ratePerSecond: 0.02 }, { returns: false });
    fleet.run(200);
    expect(fleet.control.operations().map(({ state }) => state)).toContain('stopped');
    expect(fleet.control.operations()[0]?.reason).toMatch(/do not come back/);
    fleet.stop();
  });

  it('never moves requests, polls or tunnels that no goodbye reaches', () => {
    for (const kind of ['http', 'longPoll', 'tcp'] as const) {
      const fleet = lopsided({}, { kind });
      fleet.run(100);
      expect(fleet.goodbyes).toEqual([]);
      expect(fleet.control.operations()[0]).toMatchObject({ state: 'done' });
      expect(fleet.control.operations()[0]?.reason).toMatch(/^what is left cannot be moved/);
      fleet.stop();
    }
  });
});

describe('a freeze', () => {
  it('keeps a rebalance from beginning, and tells that it would have', () => {
    const fleet = lopsided();
    fleet.control.setFrozen('chat', { frozen: true, why: 'incident 7' }, operator);
    fleet.run(120);
    expect(fleet.goodbyes).toEqual([]);
    const would = fleet.events.since(0).events.find(({ type }) => type === 'rebalance.frozen');
    expect(would?.message).toMatch(/^a is hot; the pool is frozen, else it would rebalance: moving/);
    expect(would?.facts).toMatchObject({ frozen: true, hot: 'a' });
    fleet.control.setFrozen('chat', { frozen: false, why: '' }, operator);
    fleet.run(20);
    expect(fleet.goodbyes.length).toBeGreaterThan(0);
    fleet.stop();
  });

  it('of a pool that only advises changes nothing but the advice', () => {
    const fleet = lopsided({ mode: 'advise' });
    fleet.control.setFrozen('chat', { frozen: true, why: '' }, operator);
    fleet.run(120);
    const { events } = fleet.events.since(0);
    expect(events.some(({ type }) => type === 'rebalance.frozen')).toBe(false);
    const advice = events.find(({ type }) => type === 'rebalance.advised');
    expect(advice?.message).toMatch(
      /^a is hot: moving .*; the pool is frozen, so a rebalance waits for its release$/,
    );
    expect(advice?.facts).toMatchObject({ frozen: true });
    fleet.stop();
  });

  it('is told by a dry run and by a refusal, with the command that ends it and nothing else', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(5);
    const dryRun = () => fleet.control.rebalance('chat', { dryRun: true }, operator).refusal;
    expect(dryRun()).toBeNull();
    fleet.control.setFrozen('chat', { frozen: true, why: 'incident 7' }, operator);
    const message =
      "pool 'chat' is frozen by ada (incident 7): release it first (herald freeze chat --release)";
    expect(dryRun()).toEqual({ code: 'HERALD_FROZEN', message });
    expect(() => fleet.control.rebalance('chat', {}, operator)).toThrow(message);
    fleet.control.setFrozen(undefined, { frozen: true, why: '' }, operator);
    expect(dryRun()?.message).toMatch(/\(herald freeze --release\)$/);
    fleet.control.setFrozen(undefined, { frozen: false, why: '' }, operator);
    const { operation } = fleet.control.rebalance('chat', {}, operator);
    expect(dryRun()).toMatchObject({ code: 'HERALD_OPERATION_RUNNING' });
    expect(dryRun()?.message).toContain(operation?.id);
    fleet.stop();
  });

  it('stops one that is under way, and lets its node take clients again', () => {
    const fleet = lopsided();
    fleet.run(34);
    const moved = fleet.goodbyes.length;
    expect(moved).toBeGreaterThan(0);
    fleet.control.setFrozen(undefined, { frozen: true, why: '' }, operator);
    fleet.run(60);
    expect(fleet.goodbyes.length).toBeLessThanOrEqual(moved + 1);
    expect(fleet.control.operations()[0]).toMatchObject({ state: 'cancelled' });
    expect(fleet.room.registry.node('a').node.isShedding).toBe(false);
    fleet.stop();
  });
});

describe('a rebalance that an operator asks for', () => {
  it('says on a dry run what it would do, and does nothing', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(20);
    const answer = fleet.control.rebalance('chat', { dryRun: true }, operator);
    expect(answer.operation).toBeNull();
    expect(answer.moves).toEqual([
      { node: 'a', connections: expect.any(Number), utilization: expect.any(Number) },
    ]);
    expect(answer.imbalance.predicted).toBeLessThan(1.1);
    expect(answer.sentence).toMatch(/^moving \d+ connections/);
    fleet.run(20);
    expect(fleet.goodbyes).toEqual([]);
    fleet.stop();
  });

  it('begins at once, at its own rate, whatever the mode; a second one is refused while it runs', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(20);
    const { operation } = fleet.control.rebalance(
      'chat',
      { ratePerSecond: 3, why: 'after the deploy' },
      operator,
    );
    expect(operation).toMatchObject({
      state: 'running',
      by: 'ada',
      why: 'after the deploy',
      ratePerSecond: 3,
    });
    expect(() => fleet.control.rebalance('chat', {}, operator)).toThrow(/rebalanced already/);
    fleet.run(15);
    expect(fleet.ratio).toBeLessThan(1.15);
    fleet.stop();
  });

  it('moves about as many as the dry run said', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(20);
    const { moves } = fleet.control.rebalance('chat', { dryRun: true }, operator);
    fleet.control.rebalance('chat', { ratePerSecond: 2 }, operator);
    fleet.run(100);
    const planned = moves.reduce((sum, { connections }) => sum + connections, 0);
    expect(Math.abs(fleet.goodbyes.length - planned)).toBeLessThanOrEqual(2);
    fleet.stop();
  });

  it('has nothing to do in a level pool, and says so', () => {
    const fleet = new MovingFleet({ policy: aPolicy({ mode: 'off' }), nodes: ['a', 'b'] });
    fleet.run(2);
    for (let client = 0; client < 20; client += 1) fleet.connect(5, client % 2 === 0 ? 'a' : 'b');
    fleet.run(20);
    const { operation, moves, sentence } = fleet.control.rebalance('chat', {}, operator);
    expect([operation, moves]).toEqual([null, []]);
    expect(sentence).toMatch(/^nothing to move in pool 'chat'/);
    fleet.stop();
  });

  it('can be cancelled', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(20);
    const { operation } = fleet.control.rebalance('chat', {}, operator);
    const cancelled = fleet.control.cancel(operation?.id ?? '', { by: 'bob', why: 'lunch' });
    expect(cancelled).toMatchObject({ state: 'cancelled' });
    expect(cancelled.reason).toMatch(/^cancelled by bob: lunch/);
    const moved = fleet.goodbyes.length;
    fleet.run(60);
    expect(fleet.goodbyes.length).toBe(moved);
    fleet.stop();
  });

  it('is refused in a frozen pool, at rate 0, and for an unknown pool, each with a code', () => {
    const fleet = lopsided({ mode: 'off' });
    fleet.run(5);
    const codeOf = (work: () => unknown): unknown => {
      try {
        work();
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
      return undefined;
    };
    expect(codeOf(() => fleet.control.rebalance('chat', { ratePerSecond: 0 }, operator))).toBe(
      'HERALD_BODY_INVALID',
    );
    expect(codeOf(() => fleet.control.rebalance('char', {}, operator))).toBe('HERALD_POOL_UNKNOWN');
    fleet.control.setFrozen('chat', { frozen: true, why: '' }, operator);
    expect(codeOf(() => fleet.control.rebalance('chat', {}, operator))).toBe('HERALD_FROZEN');
    expect(codeOf(() => fleet.control.rebalance('chat', { dryRun: true }, operator))).toBeUndefined();
    fleet.stop();
  });
});
