// The workers of one machine, as the main process has them.
import { describe, expect, it } from 'vitest';
import { aCrewHouse, type CrewHouse } from '../../../support/a-crew.ts';

/** What the main process counts on a node, and what its workers have. */
function counts({ main, workers }: CrewHouse, node = 'a') {
  const open = (room: CrewHouse['main']) => room.registry.pool('chat').nodes.get(node)?.counters.open ?? 0;
  return { main: open(main), workers: workers.map(({ room }) => open(room)) };
}

/** What a worker takes a node to have in all. */
function seenBy({ workers }: CrewHouse, index: number, node = 'a'): number | undefined {
  return workers[index]?.room.registry.pool('chat').nodes.get(node)?.counters.connections;
}

function connect(house: CrewHouse, index: number, times: number): void {
  for (let i = 0; i < times; i += 1) house.workers[index]?.connect();
}

describe('a crew', () => {
  it('serves when every worker does, and says who they are', async () => {
    const house = await aCrewHouse({ workers: 3 });
    expect(house.start.status).toBe('fulfilled');
    expect(house.crew.view().map(({ worker, state }) => [worker, state])).toEqual([
      [1, 'serving'],
      [2, 'serving'],
      [3, 'serving'],
    ]);
    expect(house.crew.relayForms).toEqual({ form: 'fast', tls: 'fast' });
    expect(house.events.map(({ type }) => type)).toEqual(Array(3).fill('worker.began'));
  });

  it.each([
    ['ends', 'worker 1 ended with 1'],
    ['cannot bind', 'cannot listen: EADDRINUSE'],
  ] as const)('that %s at its start is refused with the reason', async (failure, reason) => {
    const house = await aCrewHouse({ failure });
    expect(house.start).toMatchObject({ status: 'rejected', reason: { code: 'HERALD_LISTEN_FAILED' } });
    expect(String((house.start as PromiseRejectedResult).reason)).toContain(reason);
    expect(house.crew.view().every(({ pid }) => pid === 0)).toBe(true);
  });

  it('has what its workers have, each of which sees what all have', async () => {
    const house = await aCrewHouse({ nodes: ['a'] });
    connect(house, 0, 5);
    connect(house, 1, 3);
    house.clock.advance(300);
    expect(counts(house)).toEqual({ main: 8, workers: [5, 3] });
    expect([seenBy(house, 0), seenBy(house, 1)]).toEqual([8, 8]);
    expect(house.crew.openCount).toBe(8);
    const { counters } = house.main.registry.pool('chat').nodes.get('a') ?? {};
    expect([counters?.placedTotal, counters?.openedTotal]).toEqual([8, 8]);
  });

  it('passes reports on, one for each node however many come', async () => {
    const house = await aCrewHouse();
    for (let i = 0; i < 50; i += 1) house.main.report({ id: 'a', signals: { cpu: 0.3 } });
    house.main.report({ id: 'b', signals: { cpu: 0.7 } });
    house.clock.advance(100);
    const [worker] = house.workers;
    const told = worker?.told.filter(({ type }) => type === 'reports') ?? [];
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ reports: [{ report: { seq: 50 } }, { report: { seq: 51 } }] });
    const nodes = worker?.room.registry.pool('chat').nodes;
    expect([...(nodes?.values() ?? [])].map(({ load }) => load?.signals['cpu'])).toEqual([0.3, 0.7]);
  });

  it('tells admin states, failed checks, rebalances and ejections', async () => {
    const house = await aCrewHouse({ nodes: ['a', 'b', 'c', 'd'] });
    const { registry } = house.main;
    registry.setAdminState('a', 'drain');
    registry.setCheckFailure('b', 'answers 500');
    const shedding = registry.pool('chat').nodes.get('c');
    if (shedding !== undefined) shedding.isShedding = true;
    house.workers[1]?.say({ type: 'ejected', pool: 'chat', node: 'd', forMs: 5000 });
    house.clock.advance(100);
    const nodes = house.workers[0]?.room.registry.pool('chat').nodes;
    expect(nodes?.get('a')?.adminState).toBe('drain');
    expect(nodes?.get('b')?.checkFailure).toBe('answers 500');
    expect(nodes?.get('c')?.isShedding).toBe(true);
    expect(nodes?.get('d')?.downReason(house.clock.nowMs())).toMatch(/^ejected/);
    registry.setAdminState('a', 'ready');
    house.clock.advance(6000);
    expect(nodes?.get('a')?.adminState).toBe('ready');
    expect(nodes?.get('d')?.downReason(house.clock.nowMs())).toBe('');
  });

  it('divides limits in time among its workers', async () => {
    const house = await aCrewHouse({ workers: 4 });
    house.clock.advance(1100);
    expect(house.workers[2]?.room.registry.pool('chat').peers.balancers).toBe(4);
  });

  it('tells each worker what the others have in a pool, for the limit that all share', async () => {
    const house = await aCrewHouse({ workers: 3, nodes: ['a', 'b'] });
    connect(house, 0, 5);
    connect(house, 1, 3);
    house.clock.advance(1100);
    const siblings = house.workers.map(({ room }) => room.registry.pool('chat').siblingConnections);
    expect(siblings).toEqual([3, 5, 8]);
    house.workers[0]?.crash();
    house.clock.advance(1100);
    expect(house.workers[1]?.room.registry.pool('chat').siblingConnections).toBe(0);
  });

  it('adds up what waits for slow clients', async () => {
    const house = await aCrewHouse();
    house.clock.advance(1100);
    expect(house.crew.waitingBytes).toBe(3000);
    house.workers[0]?.crash();
    expect(house.crew.waitingBytes).toBe(2000);
  });

  it('loses the connections of a worker that dies, and nothing else', async () => {
    const house = await aCrewHouse({ nodes: ['a'] });
    connect(house, 0, 5);
    connect(house, 1, 3);
    house.clock.advance(300);
    house.workers[0]?.crash();
    expect(counts(house).main).toBe(3);
    house.clock.advance(100);
    expect(seenBy(house, 1)).toBe(3);
    const { counters } = house.main.registry.pool('chat').nodes.get('a') ?? {};
    expect([counters?.dialling, counters?.openedTotal]).toEqual([0, 8]);
    expect(house.events.at(-1)).toMatchObject({
      type: 'worker.ended',
      message: 'Worker 1 was ended by SIGSEGV; 5 connections have ended with it.',
    });
  });

  it('replaces a worker that dies, which knows what the others know', async () => {
    const house = await aCrewHouse({ nodes: ['a', 'b'] });
    house.main.report({ id: 'a', signals: { cpu: 0.3 } });
    house.main.registry.setAdminState('b', 'maint');
    connect(house, 1, 4);
    house.clock.advance(300);
    house.workers[0]?.crash();
    house.clock.advance(1000);
    expect(house.workers).toHaveLength(3);
    const nodes = house.workers[2]?.room.registry.pool('chat').nodes;
    expect(nodes?.get('a')?.load?.signals['cpu']).toBe(0.3);
    expect(nodes?.get('b')?.adminState).toBe('maint');
    const onBoth = ['a', 'b'].reduce((sum, id) => sum + (seenBy(house, 2, id) ?? 0), 0);
    expect(onBoth).toBe(4);
    expect(house.crew.view()[0]).toMatchObject({ state: 'serving', restarts: 1 });
  });

  it('waits longer each time for a worker that cannot start', async () => {
    const house = await aCrewHouse({ workers: 1 });
    house.failWith('ends');
    house.workers[0]?.crash();
    house.clock.advance(60_000);
    const pauses = house.events
      .filter(({ type }) => type === 'worker.ended')
      .map(({ facts }) => facts['againInMs']);
    expect(pauses.slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    house.failWith(undefined);
    house.clock.advance(30_000);
    expect(house.crew.view()[0]?.state).toBe('serving');
  });

  it('tells why a worker could not begin again', async () => {
    const house = await aCrewHouse({ workers: 1 });
    house.failWith('cannot bind');
    house.workers[0]?.crash();
    house.clock.advance(1000);
    house.workers[1]?.crash();
    expect(house.events.at(-1)?.message).toBe(
      'Worker 1 was ended by SIGSEGV (cannot listen: EADDRINUSE); 0 connections have ended with it.',
    );
  });

  it('ends a worker that says nothing for half a minute', async () => {
    const house = await aCrewHouse();
    house.workers[0]?.hang();
    house.clock.advance(12_000);
    expect(house.events.at(-1)).toMatchObject({ type: 'worker.silent', facts: { worker: 1 } });
    house.clock.advance(20_000);
    expect(house.events.map(({ type }) => type)).toContain('worker.ended');
    expect(house.crew.view()[0]).toMatchObject({ state: 'serving', restarts: 1 });
  });

  it('hands on counters and notices of its workers', async () => {
    const house = await aCrewHouse();
    house.workers[0]?.say({ type: 'notice', level: 'warn', event: 'node ejected', facts: { node: 'a' } });
    house.clock.advance(1000);
    expect(house.notices).toEqual([{ event: 'node ejected', facts: { node: 'a', worker: 1 } }]);
    const [process, series] = house.counted.at(-1) ?? [];
    expect(process).toBe(`2.${house.workers[1]?.pid}`);
    expect(series).toEqual([['herald_relay_ends_total', { reason: 'closed' }, 3]]);
    expect(house.crew.view()[1]).toMatchObject({ cpuSeconds: 1, residentBytes: 2, lagMs: 3 });
  });

  it('adds up what its workers say when they stop, and replaces none of them', async () => {
    const house = await aCrewHouse();
    connect(house, 0, 2);
    connect(house, 1, 3);
    house.clock.advance(200);
    const report = await house.crew.stop(1000);
    expect(report).toEqual({ closed: 5, refusedByPeer: 0, cut: 0 });
    house.clock.advance(60_000);
    expect(house.workers).toHaveLength(2);
  });

  it('counts as cut what a worker has that hangs at the end, and ends it', async () => {
    const house = await aCrewHouse({ workers: 1 });
    connect(house, 0, 2);
    house.clock.advance(200);
    house.workers[0]?.hang();
    const stopping = house.crew.stop(1000);
    house.clock.advance(7000);
    expect(await stopping).toEqual({ closed: 0, refusedByPeer: 0, cut: 2 });
  });

  it('replaces nobody once it has retired', async () => {
    const house = await aCrewHouse();
    house.crew.retire();
    expect(house.workers.every(({ told }) => told.at(-1)?.type === 'retire')).toBe(true);
    house.workers[0]?.crash();
    house.clock.advance(60_000);
    expect(house.workers).toHaveLength(2);
    expect(house.crew.view()[0]?.state).toBe('ended');
  });
});

describe('the data plane of a crew', () => {
  it('lists what all workers have', async () => {
    const house = await aCrewHouse({ nodes: ['a'] });
    connect(house, 0, 2);
    connect(house, 1, 1);
    house.clock.advance(2500);
    const list = house.plane.connections('chat');
    expect(list.size).toBe(3);
    expect(new Set(list.id).size).toBe(3);
    expect(list.nodeId).toEqual(['a', 'a', 'a']);
    expect(list.kind).toEqual(['websocket', 'websocket', 'websocket']);
    expect(house.plane.connections('chat', 'b').size).toBe(0);
    expect(house.plane.connections('nowhere').size).toBe(0);
  });

  it('lists many in parts, none of them twice', async () => {
    const house = await aCrewHouse({ workers: 1, nodes: ['a'] });
    connect(house, 0, 3000);
    house.clock.advance(2500);
    const list = house.plane.connections('chat');
    expect(list.size).toBe(3000);
    expect(new Set(list.id).size).toBe(3000);
  });

  it('asks the worker that has a connection, and says what came of it', async () => {
    const house = await aCrewHouse({ nodes: ['a'] });
    connect(house, 0, 1);
    connect(house, 1, 1);
    house.clock.advance(2500);
    const ids = [...house.plane.connections('chat').id];
    const settled: unknown[] = [];
    const byMs = house.clock.nowMs() + 5000;
    house.plane.shed({
      pool: 'chat',
      connectionIds: ids,
      goodbye: { code: 1012, reason: 'x', retryAfterMs: 700, byMs },
      settled: (id, outcome) => settled.push([id, outcome]),
    });
    expect([...house.plane.connections('chat').isLeaving]).toEqual([1, 1]);
    house.clock.advance(100);
    const said = house.workers.map(({ goodbyes }) => goodbyes[0]);
    expect(said.map((each) => each?.goodbye)).toEqual(
      [1, 2].map(() => ({ code: 1012, reason: 'x', retryAfterMs: 700, byMs })),
    );
    said[0]?.settled('closed');
    said[1]?.settled('refusedByPeer');
    house.clock.advance(100);
    expect(settled).toEqual([
      [ids[0], 'closed'],
      [ids[1], 'refusedByPeer'],
    ]);
    const goodbyes = house.main.registry.pool('chat').nodes.get('a')?.goodbyes.all ?? [];
    expect([...goodbyes].map(({ kind, outcome, count }) => [kind, outcome, count])).toEqual([
      ['websocket', 'closed', 1],
      ['websocket', 'refusedByPeer', 1],
    ]);
    // The looks that they are in are older than their end.
    expect(house.plane.connections('chat').size).toBe(0);
  });

  it('settles what nobody has any more, and what a worker takes along when it dies', async () => {
    const house = await aCrewHouse({ nodes: ['a'] });
    connect(house, 0, 1);
    house.clock.advance(2500);
    const [id = -1] = house.plane.connections('chat').id;
    const settled: unknown[] = [];
    const goodbye = { code: 1012, reason: '', retryAfterMs: 0, byMs: house.clock.nowMs() + 5000 };
    const shed = (...connectionIds: number[]) =>
      house.plane.shed({
        pool: 'chat',
        connectionIds,
        goodbye,
        settled: (which, outcome) => settled.push([which, outcome]),
      });
    const gone = id + 64 * 7;
    const nobodys = 63;
    shed(gone, nobodys);
    house.clock.advance(100);
    expect(settled).toEqual([
      [nobodys, 'alreadyGone'],
      [gone, 'alreadyGone'],
    ]);
    shed(id);
    house.clock.advance(100);
    house.workers[0]?.crash();
    expect(settled.at(-1)).toEqual([id, 'cut']);
    expect(house.plane.connections('chat').size).toBe(0);
  });

  it('waits for a fresh look of every worker, but not for ever', async () => {
    const house = await aCrewHouse({ nodes: ['a'] });
    house.clock.advance(2100);
    connect(house, 0, 1);
    const refreshed = house.plane.refresh?.('chat');
    house.clock.advance(200);
    await refreshed;
    expect(house.plane.connections('chat').size).toBe(1);
    house.workers[1]?.hang();
    const late = house.plane.refresh?.('chat');
    house.clock.advance(2000);
    await late;
    expect(house.plane.connections('chat').size).toBe(1);
  });

  it('knows no way to leave but the close', async () => {
    const { plane } = await aCrewHouse();
    const goodbye = { code: 1012, reason: '', retryAfterMs: 0, byMs: 0 };
    expect(() => plane.shed({ pool: 'chat', connectionIds: [], goodbye, way: 'ask' })).toThrow(
      expect.objectContaining({ code: 'HERALD_INTERNAL' }),
    );
  });
});
