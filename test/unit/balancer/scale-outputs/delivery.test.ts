import { describe, expect, it } from 'vitest';
import { aDelivery, anEvent, delivered, failed, settle } from './a-receiver.ts';

const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);

describe('deliveries', () => {
  it('send nothing before they are started', async () => {
    const { delivery, sent } = aDelivery();
    delivery.offer(anEvent('a'));
    await settle();
    expect(sent).toEqual([]);
    delivery.start();
    expect(ids(sent)).toEqual(['a']);
  });

  it('send the next event of a pool when the one before has arrived, and other pools at once', async () => {
    const { delivery, sent } = aDelivery();
    delivery.start();
    delivery.offer(anEvent('a1'));
    delivery.offer(anEvent('a2'));
    delivery.offer(anEvent('b1', { pool: 'games' }));
    await settle();
    expect(ids(sent)).toEqual(['a1', 'b1']);
    sent[0]?.answer(delivered);
    await settle();
    expect(ids(sent)).toEqual(['a1', 'b1', 'a2']);
    expect(delivery.queue.size).toBe(2);
  });

  it('repeat a failed event with growing pauses, and keep the next one waiting', async () => {
    const { delivery, sent, advance } = aDelivery({ answer: () => failed });
    delivery.start();
    delivery.offer(anEvent('a1'));
    delivery.offer(anEvent('a2'));
    await settle();
    await advance(20_000, 50);
    expect(new Set(ids(sent))).toEqual(new Set(['a1']));
    expect(sent.map(({ attempt }) => attempt)).toEqual(sent.map((_, index) => index + 1));
    const pauses = sent.slice(1).map(({ atMs }, index) => atMs - (sent[index]?.atMs ?? 0));
    expect(pauses.length).toBeGreaterThan(3);
    pauses.forEach((pause, index) => {
      // From half of it to all of it, and up to one step of the clock.
      expect(pause).toBeGreaterThanOrEqual(500 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(1000 * 2 ** index + 50);
    });
  });

  it('never pause for longer than a minute by themselves', async () => {
    const { delivery, sent, advance } = aDelivery({
      answer: () => failed,
      rule: { attempts: 1000, maxAgeMs: 86_400_000 },
    });
    delivery.start();
    delivery.offer(anEvent('a'));
    await settle();
    await advance(3_600_000, 1000);
    const pauses = sent.slice(1).map(({ atMs }, index) => atMs - (sent[index]?.atMs ?? 0));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(61_000);
    expect(sent.length).toBeGreaterThan(60);
  });

  it('wait as long as the receiver asks, but five minutes at most', async () => {
    const wishes = [90_000, 900_000];
    const { delivery, sent, advance } = aDelivery({
      answer: () => ({ kind: 'failed', reason: 'answered 503', wishMs: wishes.shift() ?? 0 }),
    });
    delivery.start();
    delivery.offer(anEvent('a'));
    await settle();
    await advance(89_999);
    expect(sent.length).toBe(1);
    await advance(1);
    expect(sent.length).toBe(2);
    await advance(299_999);
    expect(sent.length).toBe(2);
    await advance(1);
    expect(sent.length).toBe(3);
  });

  it('give an event up after its attempts, and go on with the next one', async () => {
    const { delivery, sent, notes, advance } = aDelivery({
      answer: ({ id }) => (id === 'poison' ? failed : delivered),
      rule: { attempts: 3, maxAgeMs: 3_600_000 },
    });
    delivery.start();
    delivery.offer(anEvent('poison'));
    delivery.offer(anEvent('next'));
    await settle();
    await advance(60_000, 100);
    expect(ids(sent)).toEqual(['poison', 'poison', 'poison', 'next']);
    expect(delivery.deadLetters.map(({ event, reason }) => [event.id, reason])).toEqual([
      ['poison', 'failed in each of 3 attempts: answered 500'],
    ]);
    expect(notes.map(({ kind }) => kind)).toEqual(['retried', 'retried', 'dead', 'delivered']);
  });

  it('give an event up when it is too old, but never untried', async () => {
    const { delivery, sent, advance } = aDelivery({
      answer: () => failed,
      rule: { attempts: 1000, maxAgeMs: 10_000 },
    });
    delivery.start();
    for (const id of ['a', 'b', 'c']) delivery.offer(anEvent(id));
    await settle();
    await advance(300_000, 100);
    expect(delivery.deadLetters.map(({ event }) => event.id)).toEqual(['a', 'b', 'c']);
    expect(delivery.deadLetters[0]?.reason).toMatch(/^older than 10 s .*: answered 500$/);
    expect(sent.filter(({ id }) => id === 'a').length).toBeGreaterThan(2);
    expect(sent.filter(({ id }) => id === 'b').length).toBe(1);
    expect(sent.filter(({ id }) => id === 'c').length).toBe(1);
  });

  it('give an event up at once when the receiver does not want it', async () => {
    const { delivery, sent } = aDelivery({
      answer: ({ id }) => (id === 'a' ? { kind: 'refused', reason: 'answered 410' } : delivered),
    });
    delivery.start();
    delivery.offer(anEvent('a'));
    delivery.offer(anEvent('b'));
    await settle();
    expect(ids(sent)).toEqual(['a', 'b']);
    expect(delivery.deadLetters.map(({ reason }) => reason)).toEqual(['answered 410']);
  });

  it('push out what waits longest when too many wait, never what is being sent', async () => {
    const { delivery, sent, notes } = aDelivery({ bounds: { maxEvents: 3, maxBytes: 1_000_000 } });
    delivery.start();
    for (const id of ['a', 'b', 'c', 'd', 'e']) delivery.offer(anEvent(id));
    await settle();
    expect(ids(sent)).toEqual(['a']);
    expect(ids(delivery.queue.events)).toEqual(['a', 'd', 'e']);
    // Of dead letters half as many are kept, rounded up.
    expect(delivery.deadLetters.map(({ event }) => event.id)).toEqual(['b', 'c']);
    expect(delivery.deadLetters[0]?.reason).toBe('pushed out by newer events: too many wait');
    expect(notes.map((note) => [note.kind, note.event.id])).toEqual([
      ['dead', 'b'],
      ['dead', 'c'],
    ]);
  });

  it('bound what waits by its size, too', () => {
    const body = 'x'.repeat(1000);
    const { delivery, notes } = aDelivery({ bounds: { maxEvents: 1000, maxBytes: 4000 } });
    for (let i = 0; i < 10; i++) delivery.offer(anEvent(`e${i}`, { body }));
    expect(ids(delivery.queue.events)).toEqual(['e7', 'e8', 'e9']);
    expect(delivery.deadLetters.map(({ event }) => event.id)).toEqual(['e6']);
    expect(notes.filter(({ kind }) => kind === 'forgotten').map(({ event }) => event.id)).toEqual([
      'e0',
      'e1',
      'e2',
      'e3',
      'e4',
      'e5',
    ]);
  });

  it('let an event that is larger than everything may be go by, and tell', () => {
    const { delivery, notes } = aDelivery({ bounds: { maxEvents: 10, maxBytes: 500 } });
    delivery.offer(anEvent('huge', { body: 'x'.repeat(5000) }));
    expect(delivery.queue.size).toBe(0);
    expect(notes.map(({ kind }) => kind)).toEqual(['dead', 'forgotten']);
  });

  it('send a dead letter once more on demand, as if it were new', async () => {
    const { delivery, sent } = aDelivery({
      answer: ({ attempt }) =>
        attempt === 1 && sent.length === 1 ? { kind: 'refused', reason: 'no' } : delivered,
    });
    delivery.start();
    delivery.offer(anEvent('a'));
    await settle();
    expect(delivery.redeliver('b')).toBe(false);
    expect(delivery.redeliver('a')).toBe(true);
    expect(delivery.redeliver('a')).toBe(false);
    await settle();
    expect(sent.map(({ id, attempt }) => [id, attempt])).toEqual([
      ['a', 1],
      ['a', 1],
    ]);
    expect(delivery.deadLetters).toEqual([]);
    expect(delivery.queue.size).toBe(0);
  });

  it('send to one receiver from eight pools at once at most', async () => {
    const { delivery, sent } = aDelivery();
    delivery.start();
    for (let i = 0; i < 20; i++) delivery.offer(anEvent(`e${i}`, { pool: `p${i}` }));
    await settle();
    expect(sent.length).toBe(8);
    sent[0]?.answer(delivered);
    await settle();
    expect(sent.length).toBe(9);
  });

  it('let pools whose turn has not come go before one that fails', async () => {
    const { delivery, sent, advance } = aDelivery({
      answer: ({ pool }) => (pool === 'p0' ? failed : undefined),
    });
    delivery.start();
    for (let i = 0; i < 9; i++) delivery.offer(anEvent(`e${i}`, { pool: `p${i}` }));
    await settle();
    await advance(5000);
    // Eight others are under way: the failing one waits for a place like everybody.
    expect(ids(sent).toSorted()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8']);
  });

  describe('when they stop', () => {
    it('try what waits once more, whatever pause it is in', async () => {
      let isUp = false;
      const { delivery, sent } = aDelivery({ answer: () => (isUp ? delivered : failed) });
      delivery.start();
      delivery.offer(anEvent('a'));
      delivery.offer(anEvent('b'));
      await settle();
      isUp = true;
      await delivery.stop(5000);
      expect(ids(sent)).toEqual(['a', 'a', 'b']);
      expect(delivery.queue.size).toBe(0);
    });

    it('leave what fails once more for the next process', async () => {
      const { delivery, sent, clock } = aDelivery({
        answer: () => failed,
        rule: { attempts: 2, maxAgeMs: 1 },
      });
      delivery.start();
      delivery.offer(anEvent('a'));
      await settle();
      delivery.offer(anEvent('b'));
      delivery.offer(anEvent('c'));
      await delivery.stop(5000);
      expect(ids(delivery.queue.events)).toEqual(['b', 'c']);
      expect(sent.length).toBe(2);
      expect(clock.pending).toBe(0);
    });

    it('wait no longer than they may for a receiver that hangs, and keep the event', async () => {
      const { delivery, clock } = aDelivery();
      delivery.start();
      delivery.offer(anEvent('a'));
      const stopped = delivery.stop(5000);
      clock.advance(5000);
      await stopped;
      await settle();
      expect(ids(delivery.queue.events)).toEqual(['a']);
      expect(delivery.deadLetters).toEqual([]);
      expect(clock.pending).toBe(0);
    });

    it('end at once without grace, also when they are stopping already', async () => {
      const { delivery, clock } = aDelivery();
      delivery.start();
      delivery.offer(anEvent('a'));
      const slow = delivery.stop(5000);
      await delivery.stop(0);
      await slow;
      expect(delivery.queue.size).toBe(1);
      expect(clock.nowMs()).toBe(0);
    });
  });
});
