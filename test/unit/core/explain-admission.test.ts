import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/core/explain.ts';
import { admissionNotes } from '../../../src/core/explain-admission.ts';
import { anOpenPolicy } from '../../support/a-policy.ts';
import { aRoom } from '../../support/a-room.ts';

const calm = { waiting: 0, oldestMs: 0, isHeld: false, isOverfilled: false };
const policy = anOpenPolicy({ admit: { ratePerSecond: 50 } });

describe('what is told of admission', () => {
  it('is nothing while nobody waits', () => {
    expect(admissionNotes(calm, policy)).toEqual([]);
    expect(admissionNotes(undefined, policy)).toEqual([]);
  });

  it('names how many wait, for how long, and for what', () => {
    expect(admissionNotes({ ...calm, waiting: 312, oldestMs: 1200 }, policy)).toEqual([
      '312 clients wait for admission, the oldest for 1.2 s: admit.rate (50/s), place.connectRate or maxConnections allows no more now.',
    ]);
    expect(admissionNotes({ ...calm, waiting: 1, oldestMs: 400, isHeld: true }, policy)).toEqual([
      '1 client waits for admission, the oldest for 0.4 s: no node has room below 100% by its last report.',
    ]);
  });

  it('says that clients are let in above the level', () => {
    expect(admissionNotes({ ...calm, isOverfilled: true }, anOpenPolicy())).toEqual([
      'The pool has lacked room below 100% for 10 s, so clients are let in above it: add nodes.',
    ]);
  });

  it('stands among the notes of the pool', () => {
    const room = aRoom({ policy: anOpenPolicy({ admit: { ratePerSecond: 1, burstMs: 0 } }), nodes: ['a'] });
    const waiter = { placed: () => {}, refused: () => {} };
    for (let i = 0; i < 3; i += 1)
      room.placement.place({ pool: 'chat', affinityNode: '', excluded: new Set() }, waiter);
    room.clock.advance(500);
    const pool = room.registry.pool('chat');
    expect(explain(pool.assessment(room.clock.nowMs()), pool.policy).notes).toContainEqual(
      expect.stringContaining('2 clients wait for admission'),
    );
  });
});
