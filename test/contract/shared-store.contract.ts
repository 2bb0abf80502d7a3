// What every store must do, whatever carries it; run by shared-store.test.ts on each.
import { describe, expect, it } from 'vitest';
import type { PeerPlace, SharedStore } from '../../src/balancer/state/shared-store.ts';
import { Heard, type TestStore } from '../support/a-shared-store.ts';
import { eventually } from '../support/eventually.ts';

/** Stores that share one place. */
export interface Place {
  /** A store that is not started; ended with the test. */
  create(id: string, inherited?: PeerPlace): SharedStore;
}

export function sharedStoreContract(name: string, open: () => Promise<Place>): void {
  describe(`shared store: ${name}`, () => {
    async function started(place: Place, id: string, about = '{}'): Promise<TestStore> {
      const store = place.create(id);
      const heard = new Heard();
      store.describe(about);
      await store.start(heard);
      return { store, heard };
    }

    async function two(): Promise<{ place: Place; a: TestStore; b: TestStore }> {
      const place = await open();
      const a = await started(place, 'a');
      const b = await started(place, 'b');
      await eventually(
        () => [a.heard.here, b.heard.here],
        ([ofA, ofB]) => String(ofA) === 'b' && String(ofB) === 'a',
      );
      return { place, a, b };
    }

    it('carries words to everybody else, in order, and to nobody twice', async () => {
      const { place, a, b } = await two();
      const c = await started(place, 'c');
      await eventually(
        () => a.heard.here,
        (here) => here.length === 2,
      );
      const said = Array.from({ length: 300 }, (_, index) => `${index} \u00e9\u{1f600}\n"`);
      for (const [index, text] of said.entries()) a.store.say(index % 2 === 0 ? 'even' : 'odd', text);
      for (const { heard } of [b, c]) {
        await eventually(
          () => heard.words.length,
          (count) => count >= said.length,
        );
        expect(heard.words).toEqual(said.map((text, index) => ['a', index % 2 === 0 ? 'even' : 'odd', text]));
      }
      expect(a.heard.words).toEqual([]);
    });

    it('drops and counts a word that is too long, and carries the next', async () => {
      const { a, b } = await two();
      a.store.say('reports', 'x'.repeat(64 * 1024 + 1));
      a.store.say('reports', 'short');
      await eventually(
        () => b.heard.words.length,
        (count) => count > 0,
      );
      expect(b.heard.words.map(([from, channel, text]) => [from, channel, text.slice(0, 10)])).toEqual([
        ['a', 'reports', 'short'],
      ]);
      expect(a.store.status().droppedWordsTotal).toBe(1);
    });

    it('tells of peers as they describe themselves, and of their farewell at once', async () => {
      const { a, b } = await two();
      a.store.describe('{"zone":"eu"}');
      await eventually(
        () => b.store.peers(),
        ([peer]) => peer?.about === '{"zone":"eu"}',
      );
      expect(b.heard.peers.at(-1)).toMatchObject([{ id: 'a', about: '{"zone":"eu"}' }, true]);
      expect(b.store.peers()).toHaveLength(1);
      await a.store.stop();
      await eventually(
        () => b.heard.here,
        (here) => here.length === 0,
      );
      expect(b.store.peers()).toEqual([]);
    });

    it('tells of another life of a peer', async () => {
      const { place, a, b } = await two();
      const [before] = b.store.peers();
      await a.store.stop();
      await started(place, 'a');
      const [after] = await eventually(
        () => b.store.peers(),
        ([peer]) => peer !== undefined && peer.epoch !== before?.epoch,
      );
      expect(after?.id).toBe('a');
      expect(b.heard.here).toEqual(['a']);
    });

    it('hears everything while it is quiet, and nobody hears of it', async () => {
      const { place, a, b } = await two();
      const quiet = { store: place.create('c'), heard: new Heard() };
      await quiet.store.start(quiet.heard, { isQuiet: true });
      quiet.store.describe('{"c":1}');
      quiet.store.say('reports', 'unheard');
      expect(await quiet.store.lease('leader', { forMs: 60_000, seen: 0 })).toBeUndefined();
      a.store.say('reports', 'from a');
      await a.store.write('chat', 'n1', { value: 'drain', version: 0 });
      await eventually(
        () => [quiet.heard.here, quiet.heard.words, quiet.heard.values('chat')],
        (heard) => JSON.stringify(heard) === '[["a","b"],[["a","reports","from a"]],{"n1":"drain"}]',
      );
      expect([a.heard.here, b.heard.here]).toEqual([['b'], ['a']]);
      await quiet.store.speak();
      quiet.store.say('reports', 'heard');
      await eventually(
        () => b.heard.words,
        (words) => words.some(([from, , text]) => from === 'c' && text === 'heard'),
      );
      expect(b.heard.words.map(([, , text]) => text)).toEqual(['from a', 'heard']);
      expect(b.store.peers().find(({ id }) => id === 'c')?.about).toBe('{"c":1}');
    });

    it('has the process that takes over go on as the same peer, and nobody sees one leave or come', async () => {
      const { place, a, b } = await two();
      let before = a;
      for (const text of ['of the second process', 'of the third process']) {
        const store = place.create('a', before.store.place);
        const after = { store, heard: new Heard() };
        store.describe('{}');
        await store.start(after.heard, { isQuiet: true });
        before.store.say('reports', 'of the first as long as it lives');
        const held = await before.store.lease('leader', { forMs: 60_000, seen: 0 });
        await before.store.leave();
        before.store.say('reports', 'too late');
        await store.speak();
        const next = await store.lease('leader', { forMs: 60_000, seen: 0 });
        expect(next?.token).toBeGreaterThan(held?.token ?? Infinity);
        store.say('reports', text);
        await eventually(
          () => b.heard.words,
          (words) => words.some(([, , said]) => said === text),
        );
        expect(after.heard.here).toEqual(['b']);
        before = after;
      }
      expect(b.heard.peers).toHaveLength(1);
      expect(b.store.peers()).toHaveLength(1);
      expect(b.store.status()).toMatchObject({ state: 'connected', reason: '' });
      expect(b.heard.words.map(([, , text]) => text)).not.toContain('too late');
      await before.store.stop();
      await eventually(
        () => b.heard.here,
        (here) => here.length === 0,
      );
    });

    it('writes a register for everybody, with a version that grows by one', async () => {
      const { a, b } = await two();
      expect(await a.store.write('chat', 'n1', { value: 'drain', version: 0 })).toEqual({
        kind: 'written',
        version: 1,
      });
      await eventually(
        () => b.heard.values('chat'),
        (values) => values['n1'] === 'drain',
      );
      expect(await b.store.write('chat', 'n1', { value: 'ready', version: 1 })).toEqual({
        kind: 'written',
        version: 2,
      });
      await eventually(
        () => a.heard.values('chat'),
        (values) => values['n1'] === 'ready',
      );
      for (const { store } of [a, b])
        expect(store.registers('chat').get('n1')).toMatchObject({ key: 'n1', value: 'ready', version: 2 });
      expect(a.heard.registers).toHaveLength(1);
      expect(b.store.registers('other').size).toBe(0);
    });

    it('answers a write that comes too late with what stands', async () => {
      const { a, b } = await two();
      await a.store.write('chat', 'n1', { value: 'drain', version: 0 });
      const outcome = await b.store.write('chat', 'n1', { value: 'maint', version: 0 });
      expect(outcome).toMatchObject({ kind: 'conflict', current: { value: 'drain', version: 1 } });
      expect(b.store.registers('chat').get('n1')?.value).toBe('drain');
    });

    it('loses no change of writers that run against each other', async () => {
      const { a, b } = await two();
      const count = async ({ store }: TestStore) => {
        for (let done = 0; done < 20;) {
          const { value = '0', version = 0 } = store.registers('sum').get('n') ?? {};
          const outcome = await store.write('sum', 'n', { value: `${Number(value) + 1}`, version });
          if (outcome.kind === 'unreachable') throw new Error(outcome.reason);
          if (outcome.kind === 'written') done += 1;
        }
      };
      await Promise.all([count(a), count(b)]);
      for (const { store } of [a, b])
        await eventually(
          () => store.registers('sum').get('n'),
          (register) => register?.value === '40' && register.version === 40,
        );
    });

    it('remembers a deletion by its version', async () => {
      const { place, a, b } = await two();
      await a.store.write('chat', 'n1', { value: 'drain', version: 0 });
      await a.store.write('chat', 'n1', { value: '', version: 1 });
      await eventually(
        () => b.store.registers('chat').get('n1'),
        (register) => register?.version === 2,
      );
      expect(b.store.registers('chat').get('n1')?.value).toBe('');
      expect(await b.store.write('chat', 'n1', { value: 'maint', version: 0 })).toMatchObject({
        kind: 'conflict',
      });
      const late = await started(place, 'late');
      expect(late.store.registers('chat').get('n1')).toMatchObject({ value: '', version: 2 });
    });

    it('tells a newcomer of every register and peer', async () => {
      const { place, a } = await two();
      await a.store.write('chat', 'n1', { value: 'drain', version: 0 });
      await a.store.write('games', 'n2', { value: 'maint: ~é', version: 0 });
      const late = await started(place, 'late');
      expect(late.heard.values('chat')).toEqual({ n1: 'drain' });
      expect(late.heard.values('games')).toEqual({ n2: 'maint: ~é' });
      expect(late.heard.here).toEqual(['a', 'b']);
      expect(late.store.status().state).toBe('connected');
    });

    it('refuses a value that is too large, and says so', async () => {
      const { a } = await two();
      const outcome = await a.store.write('chat', 'n1', { value: 'x'.repeat(64 * 1024 + 1), version: 0 });
      expect(outcome).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining('65536') });
    });

    it('gives a lease to one, renews it with the same token, and to the next a higher one', async () => {
      const { a, b } = await two();
      const first = await a.store.lease('leader', { forMs: 60_000, seen: 0 });
      expect(first?.token).toBeGreaterThan(0);
      expect(await b.store.lease('leader', { forMs: 60_000, seen: 0 })).toBeUndefined();
      const again = await a.store.lease('leader', { forMs: 60_000, seen: first?.token ?? 0 });
      expect(again?.token).toBe(first?.token);
      expect(await b.store.lease('other', { forMs: 60_000, seen: 0 })).toBeDefined();
      await a.store.release('leader', first?.token ?? 0);
      const next = await b.store.lease('leader', { forMs: 60_000, seen: 0 });
      expect(next?.token).toBeGreaterThan(first?.token ?? 0);
      await a.store.release('leader', first?.token ?? 0);
      expect(await a.store.lease('leader', { forMs: 60_000, seen: 0 })).toBeUndefined();
    });

    it('gives a token above the highest that was seen', async () => {
      const { a } = await two();
      const seen = 2 ** 52;
      const held = await a.store.lease('leader', { forMs: 60_000, seen });
      expect(held?.token).toBe(seen + 1);
      const more = await a.store.lease('leader', { forMs: 60_000, seen: seen + 10 });
      expect(more?.token).toBe(seen + 11);
    });

    it('ends a lease that is not renewed, and one whose holder says farewell', async () => {
      const { place, a, b } = await two();
      const first = await a.store.lease('leader', { forMs: 100, seen: 0 });
      const second = await eventually(
        () => b.store.lease('leader', { forMs: 60_000, seen: 0 }),
        (held) => held !== undefined,
      );
      expect(second?.token).toBeGreaterThan(first?.token ?? 0);
      await b.store.stop();
      const c = await started(place, 'c');
      expect(await c.store.lease('leader', { forMs: 60_000, seen: 0 })).toBeDefined();
    });

    it('says nothing and takes nothing after it was stopped, as often as it is asked', async () => {
      const { a, b } = await two();
      await Promise.all([a.store.stop(), a.store.stop()]);
      await a.store.stop();
      a.store.say('reports', 'gone');
      a.store.describe('{"gone":1}');
      expect(await a.store.write('chat', 'n1', { value: 'x', version: 0 })).toMatchObject({
        kind: 'unreachable',
      });
      expect(await a.store.lease('leader', { forMs: 1000, seen: 0 })).toBeUndefined();
      await a.store.release('leader', 1);
      b.store.say('reports', 'still here');
      expect(await b.store.write('chat', 'n1', { value: 'y', version: 0 })).toMatchObject({
        kind: 'written',
      });
      expect(a.heard.words).toEqual([]);
      expect(a.heard.registers).toEqual([]);
      expect(b.heard.words).toEqual([]);
    });
  });
}
