// What a replaced process tells the new one of its connections, and what both do with what operators want.
import { describe, expect, it } from 'vitest';
import { CountsReport } from '../../../../src/balancer/takeover/counts.ts';
import { EarlierProcesses } from '../../../../src/balancer/takeover/earlier-processes.ts';
import type { NodeWish, ProcessCounts, ToSuccessor } from '../../../../src/balancer/takeover/messages.ts';
import { applyWish, WishReport } from '../../../../src/balancer/takeover/wishes.ts';
import { aDrainHouse } from '../../../support/a-drain-house.ts';

type Counts = ToSuccessor & { type: 'counts' };

/** An old process with its report, and a new one that hears it. */
function twoProcesses(earlier: readonly ProcessCounts[] = []) {
  const before = aDrainHouse();
  const after = aDrainHouse();
  const overlay = new EarlierProcesses(after.registry.pools);
  const told: Counts[] = [];
  const report = new CountsReport({
    clock: before.clock,
    pools: before.registry.pools,
    self: { generation: 4, pid: 44 },
    earlier: () => earlier,
    send(message) {
      // As over the channel: no object is shared.
      const heard = JSON.parse(JSON.stringify(message)) as Counts;
      told.push(heard);
      overlay.absorb(heard);
    },
  });
  const on = (node: string) => after.registry.node(node).node.counters;
  return { before, after, overlay, told, report, on };
}

describe('counts of a replaced process', () => {
  it('are in the counts of the new one before anything else, and placement sees them', () => {
    const { before, after, report, on } = twoProcesses();
    before.connect('a', 3);
    report.start();
    expect([on('a').connections, on('a').ownConnections, on('b').connections]).toEqual([3, 0, 0]);
    after.connect('b', 1);
    const { snapshot } = after.registry.pool('chat').assessment(after.clock.nowMs());
    expect(snapshot.nodes.map(({ counters }) => counters.connections)).toEqual([3, 1, 0]);
  });

  it('carry the messages that are to be expected of them, which end with them', () => {
    const { before, overlay, report, on } = twoProcesses();
    before.connect('a', 2);
    before.registry.node('a').node.counters.messagesPerSecond = 40;
    report.start();
    on('a').messagesPerSecond = 2;
    on('a').record(0);
    expect(on('a').expectedMessagesPerSecond).toBe(42);
    // Taken to have been carried: a report of the node shows what they cost.
    expect(on('a').at(1000, 1000).messages).toBe(40);
    overlay.clear();
    expect(on('a').expectedMessagesPerSecond).toBe(2);
  });

  it('are told within 100 ms of a change, of the nodes that have changed, and whole once a second', () => {
    const { before, told, report, on } = twoProcesses();
    before.connect('a', 2);
    report.start();
    before.clock.advance(500);
    expect(told).toHaveLength(1);
    before.connect('b', 1);
    before.clock.advance(100);
    expect(told.at(-1)).toMatchObject({
      isWhole: false,
      processes: [{ pools: { chat: { b: [1, expect.any(Number)] } } }],
    });
    expect(Object.keys(told.at(-1)?.processes[0]?.pools['chat'] ?? {})).toEqual(['b']);
    expect([on('a').connections, on('b').connections]).toEqual([2, 1]);
    for (const guest of before.guests) guest.end();
    before.clock.advance(100);
    expect([on('a').connections, on('b').connections]).toEqual([0, 0]);
    before.clock.advance(300);
    expect(told.at(-1)).toMatchObject({ isWhole: true, processes: [{ generation: 4, pools: {} }] });
  });

  it('heal with the next whole message when one was lost, and for a node that joins later', () => {
    const { before, overlay, report, on } = twoProcesses();
    before.connect('a', 2);
    report.start();
    overlay.clear();
    expect(on('a').connections).toBe(0);
    before.clock.advance(1000);
    expect(on('a').connections).toBe(2);
  });

  it('include those of processes before it, which are named apart', () => {
    const first = { generation: 3, pid: 33, pools: { chat: { a: [5, 0] as const } } };
    const { before, overlay, report, on } = twoProcesses([first]);
    before.connect('a', 2);
    report.start();
    expect(on('a').connections).toBe(7);
    expect(overlay.view()).toEqual([
      { generation: 3, pid: 33, connections: 5 },
      { generation: 4, pid: 44, connections: 2 },
    ]);
  });

  it('vanish with it', () => {
    const { before, overlay, report, on } = twoProcesses();
    before.connect('a', 2);
    report.start();
    overlay.clear();
    expect(on('a').connections).toBe(0);
    expect(overlay.view()).toEqual([]);
    report.stop();
    expect(before.registry.node('a').node.counters.connections).toBe(2);
  });

  it('of a pool or a node that the new one does not have do no harm', () => {
    const { overlay, on } = twoProcesses();
    const pools = { gone: { a: [9, 0] as const }, chat: { gone: [9, 0] as const } };
    overlay.absorb({ type: 'counts', isWhole: true, processes: [{ generation: 1, pid: 1, pools }] });
    expect(on('a').connections).toBe(0);
    expect(overlay.view()).toEqual([{ generation: 1, pid: 1, connections: 18 }]);
  });
});

describe('what operators want after a takeover', () => {
  function twoHouses() {
    const before = aDrainHouse();
    const after = aDrainHouse();
    const sent: NodeWish[] = [];
    const report = new WishReport({
      ...after,
      send(wish) {
        sent.push(wish);
        applyWish(before, wish);
      },
    });
    report.start();
    return { before, after, sent, report };
  }

  it('is told to the old process: a drain empties its connections', () => {
    const { before, after, sent } = twoHouses();
    before.connect('a', 4);
    after.control.setAdminState(['a'], { adminState: 'drain', deadlineMs: 20_000 }, { by: 'ann' });
    after.clock.advance(500);
    expect(sent).toMatchObject([{ pool: 'chat', node: 'a', adminState: 'drain' }]);
    // The new process has nothing on it, so its own drain is over at once: the policy's deadline counts there.
    expect(sent[0]?.deadlineMs).toBeGreaterThan(0);
    before.clock.advance(sent[0]?.deadlineMs ?? 0);
    expect(before.openOn('a')).toBe(0);
    expect(before.openOn('b')).toBe(0);
  });

  it('reaches the old process by the deadline that was given where the new one has connections, too', () => {
    const { after, sent } = twoHouses();
    after.connect('a', 50);
    after.control.setAdminState(['a'], { adminState: 'drain', deadlineMs: 20_000 }, { by: 'ann' });
    after.clock.advance(250);
    expect(sent).toMatchObject([{ deadlineMs: 19_750 }]);
  });

  it('ends the drain there when its operation is cancelled; the node stays in drain', () => {
    const { before, after } = twoHouses();
    before.connect('a', 50);
    after.connect('a', 50);
    after.control.setAdminState(['a'], { adminState: 'drain', deadlineMs: 600_000 }, { by: 'ann' });
    after.clock.advance(500);
    const [operation] = after.control.operations();
    after.control.cancel(operation?.id ?? '', { by: 'ann', why: '' });
    after.clock.advance(500);
    expect(before.control.operations()).toMatchObject([{ state: 'cancelled' }]);
    expect(before.registry.node('a').node.adminState).toBe('drain');
    expect(before.openOn('a')).toBeGreaterThan(0);
  });

  it('ends the drain there, too, when the node is set to ready', () => {
    const { before, after } = twoHouses();
    before.connect('a', 50);
    after.connect('a', 50);
    after.control.setAdminState(['a'], { adminState: 'drain', deadlineMs: 600_000 }, { by: 'ann' });
    after.clock.advance(500);
    expect(before.control.operations()).toMatchObject([{ state: 'running', by: 'takeover' }]);
    after.control.setAdminState(['a'], { adminState: 'ready' }, { by: 'ann' });
    after.clock.advance(500);
    expect(before.control.operations()).toMatchObject([{ state: 'cancelled' }]);
    expect(before.registry.node('a').node.adminState).toBe('ready');
  });

  it('is said once, not for what was wanted before, and not for nodes that the old process does not know', () => {
    const { before, after, sent } = twoHouses();
    after.clock.advance(2000);
    expect(sent).toEqual([]);
    after.control.setAdminState(['b'], { adminState: 'maint' }, { by: 'ann' });
    after.clock.advance(2000);
    expect(sent).toHaveLength(1);
    expect(before.registry.node('b').node.adminState).toBe('maint');
    applyWish(before, { pool: 'chat', node: 'gone', adminState: 'drain', deadlineMs: 1000 });
    expect(before.control.operations()).toEqual([]);
  });
});
