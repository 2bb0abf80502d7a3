import { describe, expect, it } from 'vitest';
import type { SharedHandlers } from '../../../../src/balancer/state/shared-store.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { DelayedLink } from '../../../../src/simulate/peers/delayed-link.ts';
import { StepClock } from '../../../../src/simulate/peers/step-clock.ts';

function aLink() {
  const clock = new StepClock();
  const link = new DelayedLink({ clock, rng: pcg32(1), delay: { fromMs: 100, toMs: 200 } });
  const heard: string[] = [];
  const join = (id: string) => {
    const store = link.store(id);
    const handlers: SharedHandlers = {
      word: (from, _, text) => void heard.push(`${id} hears ${text} of ${from}`),
      peer: (peer, isHere) => void heard.push(`${id} ${isHere ? 'sees' : 'misses'} ${peer.id}`),
      register: () => undefined,
      link: () => undefined,
    };
    return { store, started: store.start(handlers) };
  };
  return { clock, heard, join };
}

describe('a simulated link', () => {
  it('brings a word to all others within its span, and not sooner', () => {
    const { clock, heard, join } = aLink();
    const [a] = ['a', 'b', 'c'].map(join);
    heard.length = 0;
    a?.store.say('chat', 'x');
    clock.advanceTo(99);
    expect(heard).toEqual([]);
    clock.advanceTo(201);
    expect(heard.toSorted()).toEqual(['b hears x of a', 'c hears x of a']);
  });

  it('keeps words of a pair in order', () => {
    const { clock, heard, join } = aLink();
    const [a] = ['a', 'b'].map(join);
    heard.length = 0;
    const said = Array.from({ length: 30 }, (_, index) => String(index));
    for (const text of said) a?.store.say('chat', text);
    clock.advanceTo(300);
    expect(heard).toEqual(said.map((text) => `b hears ${text} of a`));
  });

  it('tells who comes and who goes, and lists the others', async () => {
    const { heard, join } = aLink();
    const a = join('a');
    const b = join('b');
    expect(b.store.peers().map(({ id }) => id)).toEqual(['a']);
    await b.store.stop();
    await b.store.stop();
    expect(heard).toEqual(['a sees b', 'b sees a', 'a misses b']);
    expect(a.store.peers()).toEqual([]);
  });

  it('has no registers and no leases', async () => {
    const { store } = aLink().join('a');
    const written = await store.write('states', 'n1', { value: 'drain', version: 0 });
    expect(written).toMatchObject({ kind: 'unreachable' });
    expect(await store.lease('leader', { forMs: 1000, seen: 0 })).toBeUndefined();
    expect(store.registers('states').size).toBe(0);
  });
});
