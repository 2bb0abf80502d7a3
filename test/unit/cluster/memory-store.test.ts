// What the contract cannot show: links that are cut, and time that passes.
import { describe, expect, it } from 'vitest';
import { MemoryHub } from '../../../src/cluster/memory-hub.ts';
import { createMemoryStore } from '../../../src/cluster/memory-store.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { Heard, type TestStore } from '../../support/a-shared-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Everything that is told later has been told. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

async function aHub(...ids: readonly string[]) {
  const clock = new ManualClock();
  const hub = new MemoryHub(clock);
  const stores: TestStore[] = [];
  for (const [index, selfId] of ids.entries()) {
    const store = createMemoryStore({ hub, clock, rng: pcg32(index), selfId });
    const heard = new Heard();
    await store.start(heard);
    stores.push({ store, heard });
  }
  await settled();
  return { clock, hub, stores };
}

/** Two stores on a hub. */
async function two() {
  const { clock, hub, stores } = await aHub('a', 'b');
  const [a, b] = stores;
  if (a === undefined || b === undefined) throw new Error('two were made');
  return { clock, hub, a, b };
}

describe('a store in memory', () => {
  it('is alone until another comes, and alone again when that has gone', async () => {
    const { clock, hub, stores } = await aHub('a');
    const [a] = stores;
    expect(a?.store.status()).toMatchObject({ state: 'alone', reason: '' });
    expect(await a?.store.write('chat', 'n1', { value: 'drain', version: 0 })).toMatchObject({
      kind: 'written',
    });
    expect(await a?.store.lease('leader', { forMs: 1000, seen: 0 })).toEqual({ token: 1, untilMs: 1000 });
    const other = createMemoryStore({ hub, clock, rng: pcg32(9), selfId: 'b' });
    await other.start(new Heard());
    await settled();
    expect(a?.store.status().state).toBe('connected');
    expect(other.status().state).toBe('connected');
    await other.stop();
    await settled();
    expect(a?.store.status().state).toBe('alone');
    expect(clock.pending).toBe(0);
  });

  it('says nothing and hears nothing while it is cut off, and nobody is gone for it', async () => {
    const { clock, hub, a, b } = await two();
    clock.advance(100);
    hub.setCut('a', true);
    await settled();
    expect(a.store.status()).toMatchObject({ state: 'degraded', reason: 'the link is cut', sinceMs: 100 });
    a.store.say('reports', 'lost');
    b.store.say('reports', 'lost');
    expect(await a.store.write('chat', 'n1', { value: 'x', version: 0 })).toMatchObject({
      kind: 'unreachable',
    });
    expect(await a.store.lease('leader', { forMs: 1000, seen: 0 })).toBeUndefined();
    await b.store.write('chat', 'n1', { value: 'drain', version: 0 });
    await settled();
    clock.advance(10_000);
    expect([...a.heard.words, ...b.heard.words]).toEqual([]);
    expect(a.store.registers('chat').size).toBe(0);
    expect(a.store.status().droppedWordsTotal).toBe(1);
    expect(a.heard.here).toEqual(['b']);
    expect(a.store.peers()).toMatchObject([{ id: 'b', ageMs: 10_100 }]);
    expect(b.heard.here).toEqual([]);
    expect(b.store.peers()).toEqual([]);
  });

  it('hears of everything when its link is mended, and brings what others have forgotten', async () => {
    const { hub, a, b } = await two();
    await a.store.write('chat', 'n1', { value: 'drain', version: 0 });
    await settled();
    hub.setCut('a', true);
    await b.store.write('chat', 'n1', { value: 'maint', version: 1 });
    await b.store.write('chat', 'n2', { value: 'drain', version: 0 });
    await settled();
    hub.setCut('a', false);
    await settled();
    expect(a.store.status().state).toBe('connected');
    expect(a.heard.values('chat')).toEqual({ n1: 'maint', n2: 'drain' });
    expect(a.heard.here).toEqual(['b']);
    expect(b.heard.here).toEqual(['a']);
    b.store.say('reports', 'again');
    await settled();
    expect(a.heard.words).toEqual([['b', 'reports', 'again']]);
  });

  it('is back in time when its link is mended before presence has run out', async () => {
    const { clock, hub, b } = await two();
    hub.setCut('a', true);
    await settled();
    clock.advance(4900);
    hub.setCut('a', false);
    await settled();
    clock.advance(10_000);
    expect(b.heard.peers.filter(([, isHere]) => !isHere)).toEqual([]);
    expect(b.heard.here).toEqual(['a']);
  });

  it('tells of one that left while it was cut off, once presence has run out', async () => {
    const { clock, hub, a, b } = await two();
    hub.setCut('a', true);
    await settled();
    await b.store.stop();
    hub.setCut('a', false);
    await settled();
    expect(a.heard.here).toEqual(['b']);
    clock.advance(5000);
    expect(a.heard.here).toEqual([]);
  });

  it('gives a lease to another when its time is over, with a higher token', async () => {
    const { clock, a, b } = await two();
    expect(await a.store.lease('leader', { forMs: 1000, seen: 0 })).toEqual({ token: 1, untilMs: 1000 });
    clock.advance(999);
    expect(await b.store.lease('leader', { forMs: 1000, seen: 0 })).toBeUndefined();
    clock.advance(1);
    expect(await b.store.lease('leader', { forMs: 1000, seen: 0 })).toEqual({ token: 2, untilMs: 2000 });
    expect(await a.store.lease('leader', { forMs: 1000, seen: 1 })).toBeUndefined();
  });
});
