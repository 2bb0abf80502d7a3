import { describe, expect, it } from 'vitest';
import { createEventFeed } from '../../../../src/balancer/control/event-feed.ts';
import type { EventFeed } from '../../../../src/balancer/control/ports.ts';
import type { EventRecord } from '../../../../src/protocol/operations.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function tell(feed: EventFeed, message: string): void {
  feed.tell({ type: 'node.joined', pool: 'chat', node: 'a', by: '', why: '', message, facts: {} });
}

const idsOf = (events: readonly EventRecord[]) => events.map(({ id }) => id);

describe('an event feed', () => {
  it('gives each event the next id and the instant', () => {
    const clock = new ManualClock();
    const feed = createEventFeed(clock);
    tell(feed, 'one');
    clock.advance(1500);
    tell(feed, 'two');
    expect(feed.since(0)).toMatchObject({
      isWhole: true,
      events: [
        { id: 1, at: '2023-11-14T22:13:20.000Z', message: 'one' },
        { id: 2, at: '2023-11-14T22:13:21.500Z', message: 'two' },
      ],
    });
  });

  it('tells what came after an id', () => {
    const feed = createEventFeed(new ManualClock());
    for (let i = 0; i < 5; i++) tell(feed, String(i));
    expect(idsOf(feed.since(3).events)).toEqual([4, 5]);
    expect(feed.since(5)).toEqual({ events: [], isWhole: true });
  });

  it('that nothing was told to is empty and whole', () => {
    expect(createEventFeed(new ManualClock()).since(0)).toEqual({ events: [], isWhole: true });
  });

  it('keeps the newest only, and says when some after the id are forgotten', () => {
    const feed = createEventFeed(new ManualClock(), 3);
    for (let i = 0; i < 5; i++) tell(feed, String(i));
    expect(idsOf(feed.since(0).events)).toEqual([3, 4, 5]);
    expect(feed.since(0).isWhole).toBe(false);
    expect(feed.since(1).isWhole).toBe(false);
    expect(feed.since(2).isWhole).toBe(true);
  });

  it('keeps ten thousand', () => {
    const feed = createEventFeed(new ManualClock());
    for (let i = 0; i < 10_001; i++) tell(feed, String(i));
    const { events, isWhole } = feed.since(0);
    expect([events.length, events[0]?.id, isWhole]).toEqual([10_000, 2, false]);
  });

  it('tells everything for an id that it has never given, and that it is not whole', () => {
    const feed = createEventFeed(new ManualClock());
    tell(feed, 'one');
    for (const id of [7, -1, Number.NaN, 0.5])
      expect(feed.since(id)).toMatchObject({ isWhole: false, events: [{ id: 1 }] });
  });

  it('is heard from now on, until the listening ends', () => {
    const feed = createEventFeed(new ManualClock());
    tell(feed, 'before');
    const heard: number[] = [];
    const end = feed.listen(({ id }) => void heard.push(id));
    tell(feed, 'heard');
    end();
    end();
    tell(feed, 'after');
    expect(heard).toEqual([2]);
  });

  it('lets a listener end itself and another while it hears', () => {
    const feed = createEventFeed(new ManualClock());
    const heard: string[] = [];
    const ends = [
      feed.listen(() => {
        heard.push('first');
        for (const end of ends) end();
      }),
      feed.listen(() => void heard.push('second')),
    ];
    tell(feed, 'one');
    tell(feed, 'two');
    expect(heard).toEqual(['first']);
  });
});
