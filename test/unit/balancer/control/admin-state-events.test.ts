// What broke once: the event of a change of admin state said neither who wanted it nor why.
import { describe, expect, it } from 'vitest';
import { createEventFeed } from '../../../../src/balancer/control/event-feed.ts';
import { tellNotice } from '../../../../src/balancer/notices.ts';
import { aDrainHouse, type DrainHouse } from '../../../support/a-drain-house.ts';

const ada = { by: 'ada' };

/** All changes of admin state that were told so far, as whoever follows the events reads them. */
function told(house: DrainHouse) {
  const feed = createEventFeed(house.clock);
  for (const { event, facts } of house.notices) tellNotice(feed, event, facts);
  return feed
    .since(0)
    .events.filter(({ type }) => type === 'node.adminStateChanged')
    .map(({ by, why, facts, message }) => ({ by, why, facts, message }));
}

describe('a change of admin state', () => {
  it('is told once, with who and why', () => {
    const house = aDrainHouse();
    house.control.setAdminState(['a'], { adminState: 'drain', why: 'kernel' }, ada);
    house.control.setAdminState(['a'], { adminState: 'drain', why: 'again' }, { by: 'bob' });
    house.control.setAdminState(['a'], { adminState: 'maint' }, { by: 'bob' });
    expect(told(house)).toEqual([
      {
        by: 'ada',
        why: 'kernel',
        facts: { from: 'ready', to: 'drain' },
        message: "Admin state changed: 'a' of pool 'chat', from ready to drain, by ada (kernel).",
      },
      {
        by: 'bob',
        why: '',
        facts: { from: 'drain', to: 'maint' },
        message: "Admin state changed: 'a' of pool 'chat', from drain to maint, by bob.",
      },
    ]);
  });

  it('is told for each of several nodes, and for none when the request is refused or a dry run', () => {
    const house = aDrainHouse({ nodes: ['a', 'b', 'c'] });
    const all = ['a', 'b', 'c'];
    house.connect('a', 1);
    expect(() => house.control.setAdminState(all, { adminState: 'drain' }, ada)).toThrow(/refused/);
    house.control.setAdminState(['a', 'b'], { adminState: 'drain', dryRun: true }, ada);
    expect(told(house)).toEqual([]);
    house.control.setAdminState(['a', 'b'], { adminState: 'drain' }, ada);
    expect(told(house)).toHaveLength(2);
  });

  it('by the balancer itself says so, too', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', epoch: 'e1' });
    const self = { adminState: 'drain' as const, self: true, why: 'the node drains itself' };
    house.control.setAdminState(['x'], self, { by: 'agent' });
    house.report({ id: 'x', epoch: 'e1' });
    house.report({ id: 'x', epoch: 'e2' });
    expect(told(house)).toMatchObject([
      { by: 'agent', why: 'the node drains itself', facts: { from: 'ready', to: 'drain' } },
      {
        by: 'auto',
        why: 'it had drained itself and has been restarted',
        facts: { from: 'drain', to: 'ready' },
      },
    ]);
  });

  it('is beside the events of its drain, which never tell the state', () => {
    const house = aDrainHouse();
    house.connect('a', 5);
    house.control.setAdminState(['a'], { adminState: 'drain', why: 'kernel' }, ada);
    house.control.setAdminState(['a'], { adminState: 'ready', why: 'done' }, { by: 'bob' });
    expect(told(house)).toHaveLength(2);
    expect(house.events).toMatchObject([
      { type: 'operation.started', by: 'ada', why: 'kernel' },
      { type: 'operation.ended', by: 'ada', why: 'kernel', facts: { state: 'cancelled' } },
    ]);
    expect(house.events[1]?.message).toContain("bob set node 'a' to ready: done");
  });
});
