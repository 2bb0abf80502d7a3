import { describe, expect, it } from 'vitest';
import type { StateSection, StateStore, StoredState } from '../../../../src/balancer/state/ports.ts';
import { SavedState } from '../../../../src/balancer/state/saved-state.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** Lets promises that are settled already go on. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** A store in memory that can be broken. */
class Store implements StateStore {
  stored: StoredState = { kind: 'absent' };
  written: string[] = [];
  breaks = false;
  hangs = false;
  cannotSetAside = false;

  read = async () => this.stored;

  async write(text: string): Promise<void> {
    if (this.hangs) await new Promise(() => {});
    if (this.breaks) throw new Error('no space left');
    this.written.push(text);
  }

  async setAside(): Promise<string> {
    if (this.cannotSetAside) throw new Error('read-only');
    return '/x.bad';
  }
}

class Section implements StateSection {
  readonly name: string;
  changes = 0;
  value: unknown = 'as it was';
  taken: { saved: unknown; ageMs: number }[] = [];
  understands = true;

  constructor(name = 'learning') {
    this.name = name;
  }

  revision = () => this.changes;
  save = () => this.value;

  restore(saved: unknown, ageMs: number): number | undefined {
    this.taken.push({ saved, ageMs });
    return this.understands ? 1 : undefined;
  }
}

function aState(...more: readonly Section[]) {
  const store = new Store();
  const clock = new ManualClock();
  const section = new Section();
  const told: { event: string; facts: Readonly<Record<string, unknown>> }[] = [];
  const outcomes: string[] = [];
  const tell = (event: string, facts: Readonly<Record<string, unknown>>) => void told.push({ event, facts });
  const state = new SavedState({
    store,
    sections: [section, ...more],
    clock,
    warn: tell,
    notify: tell,
    onWrite: (outcome) => outcomes.push(outcome),
  });
  const events = () => told.map(({ event }) => event);
  return { store, clock, section, state, told, events, outcomes };
}

const later = async (clock: ManualClock, ms: number) => {
  clock.advance(ms);
  await settle();
};

describe('saving', () => {
  it('writes what has changed, at most every five seconds, and nothing while nothing changes', async () => {
    const { store, clock, section, state } = aState();
    state.start();
    for (let second = 0; second < 4; second += 1) {
      section.changes += 1;
      await later(clock, 1000);
    }
    expect(store.written).toHaveLength(0);
    await later(clock, 1000);
    expect(store.written).toHaveLength(1);
    await later(clock, 60_000);
    expect(store.written).toHaveLength(1);
    section.changes += 1;
    await later(clock, 5000);
    expect(store.written).toHaveLength(2);
  });

  it('writes a last time at the end, and never before it was started', async () => {
    const { store, state } = aState();
    await state.stop();
    expect(store.written).toHaveLength(0);
    state.start();
    await state.stop();
    await state.stop();
    expect(store.written).toHaveLength(1);
  });

  it('gives what the next start reads, with its age by the wall clock', async () => {
    const first = aState(new Section('operations'));
    first.section.value = { a: [1, 2] };
    first.state.start();
    await first.state.stop();
    const second = aState();
    second.store.stored = { kind: 'text', text: first.store.written[0] ?? '' };
    second.clock.advance(7000);
    await second.state.restore();
    expect(second.section.taken).toEqual([{ saved: { a: [1, 2] }, ageMs: 7000 }]);
    expect(second.told).toEqual([{ event: 'saved state restored', facts: { ageSeconds: 7, learning: 1 } }]);
  });

  it('that fails is told once and counted each time, until it works again', async () => {
    const { store, clock, section, state, events, outcomes } = aState();
    state.start();
    store.breaks = true;
    for (let round = 0; round < 3; round += 1) {
      section.changes += 1;
      await later(clock, 5000);
    }
    expect(events()).toEqual(['state cannot be saved: a restart will begin without it']);
    store.breaks = false;
    await later(clock, 5000);
    expect(outcomes).toEqual(['failed', 'failed', 'failed', 'written']);
    expect(events().at(-1)).toBe('state is saved again');
  });

  it('on a disk that hangs does not keep the balancer from ending', async () => {
    const { store, clock, state } = aState();
    store.hangs = true;
    state.start();
    let ended = false;
    void state.stop().then(() => (ended = true));
    await later(clock, 1999);
    expect(ended).toBe(false);
    await later(clock, 1);
    expect(ended).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('never writes twice at a time', async () => {
    const { store, clock, section, state } = aState();
    let inside = 0;
    let most = 0;
    let release = () => {};
    store.write = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise<void>((resolve) => (release = resolve));
      inside -= 1;
    };
    state.start();
    for (let round = 0; round < 4; round += 1) {
      section.changes += 1;
      await later(clock, 5000);
    }
    release();
    await settle();
    section.changes += 1;
    await later(clock, 5000);
    expect([inside, most]).toEqual([1, 1]);
  });
});

describe('restoring', () => {
  const good = (savedAtMs: number) =>
    JSON.stringify({ format: 'herald-state', version: 1, savedAtMs, sections: { learning: 1, other: 2 } });
  const now = new ManualClock().wallMs();

  it('of nothing says nothing', async () => {
    const { state, told } = aState();
    await state.restore();
    expect(told).toEqual([]);
  });

  it.each([
    ['', 'JSON'],
    ['{"format":"herald-state","ver', 'JSON'],
    ['null', 'not a herald-state file'],
    ['[1]', 'not a herald-state file'],
    ['{"format":"other"}', 'not a herald-state file'],
    ['{"format":"herald-state","version":2}', 'version 2'],
    ['{"format":"herald-state","version":1,"savedAtMs":"x","sections":{}}', 'lacks'],
    ['{"format":"herald-state","version":1,"savedAtMs":1,"sections":[]}', 'lacks'],
  ])('of %j puts it aside and says why', async (text, reason) => {
    const { store, section, state, told } = aState();
    store.stored = { kind: 'text', text };
    await state.restore();
    expect(section.taken).toEqual([]);
    expect(told).toHaveLength(1);
    expect(told[0]?.event).toContain('put aside');
    expect(told[0]?.facts['reason']).toContain(reason);
    expect(told[0]?.facts['movedTo']).toBe('/x.bad');
  });

  it('of what cannot be read, or not be moved, leaves it alone for good', async () => {
    const unreadable = aState();
    unreadable.store.stored = { kind: 'unreadable', reason: 'may not be read' };
    const stuck = aState();
    stuck.store.stored = { kind: 'foreign', reason: 'it is larger than 8 MiB' };
    stuck.store.cannotSetAside = true;
    for (const { state, store, clock, outcomes, told } of [unreadable, stuck]) {
      await state.restore();
      state.start();
      await later(clock, 60_000);
      await state.stop();
      expect(told).toHaveLength(1);
      expect(store.written).toEqual([]);
      expect(outcomes).toEqual(['failed']);
    }
  });

  it.each([
    ['from a minute ahead is as fresh as can be', -60_000, 0],
    ['a day old is a day old', 86_400_000, 86_400_000],
  ])('of one %s', async (_, ageMs, taken) => {
    const { store, section, state } = aState();
    store.stored = { kind: 'text', text: good(now - ageMs) };
    await state.restore();
    expect(section.taken).toEqual([{ saved: 1, ageMs: taken }]);
  });

  it.each([
    ['from the future', -60_001, 'set back'],
    ['older than a day', 86_400_001, 'too old'],
  ])('of one %s uses nothing, and saving goes on', async (_, ageMs, reason) => {
    const { store, section, state, told } = aState();
    store.stored = { kind: 'text', text: good(now - ageMs) };
    await state.restore();
    expect(section.taken).toEqual([]);
    expect(told[0]?.facts['reason']).toContain(reason);
    state.start();
    await state.stop();
    expect(store.written).toHaveLength(1);
  });

  it('hands each section its own part, and goes on past one that is not understood', async () => {
    const operations = new Section('operations');
    const { store, section, state, events } = aState(operations, new Section('other'));
    section.understands = false;
    store.stored = { kind: 'text', text: good(now) };
    await state.restore();
    expect(operations.taken).toEqual([]);
    expect(events()).toEqual(['a section of the saved state is not understood', 'saved state restored']);
  });
});
