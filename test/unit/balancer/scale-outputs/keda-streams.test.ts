import { describe, expect, it } from 'vitest';
import { ActiveStreams, type ActiveStream } from '../../../../src/balancer/scale-outputs/keda-streams.ts';
import { aScaling, anUnknownScaling } from '../../../support/a-scaling.ts';
import { aStubScaleFeed } from '../../../support/stub-scale-feed.ts';

/** A client that keeps what it is told; `isFull` makes it take one more and then none until `drain`. */
function aStream() {
  const hears: { drain: () => void; gone: () => void } = { drain: () => {}, gone: () => {} };
  const told: (boolean | 'end')[] = [];
  let isFull = false;
  const stream: ActiveStream = {
    write(value) {
      told.push(value);
      return !isFull;
    },
    end: () => void told.push('end'),
    onDrain: (hear) => void (hears.drain = hear),
    onGone: (hear) => void (hears.gone = hear),
  };
  return {
    stream,
    told,
    fill: () => void (isFull = true),
    drain() {
      isFull = false;
      hears.drain();
    },
    leave: () => hears.gone(),
  };
}

const off = aScaling({ isActive: false, min: 0 });
const on = aScaling();

describe('a stream of activity', () => {
  it('tells the first value at once, then changes of its own pool only', () => {
    const feed = aStubScaleFeed(on, aScaling({ pool: 'games' }));
    const client = aStream();
    new ActiveStreams(feed, 10).open('chat', client.stream);
    feed.say(on);
    feed.say({ ...off, pool: 'games' });
    expect(client.told).toEqual([true]);
    feed.say(off);
    feed.say(off);
    feed.say(on);
    expect(client.told).toEqual([true, false, true]);
  });

  it('tells no `no` that rests on missing data', () => {
    const feed = aStubScaleFeed(on);
    const client = aStream();
    const streams = new ActiveStreams(feed, 10);
    streams.open('chat', client.stream);
    feed.say(anUnknownScaling({ isActive: false, min: 0 }));
    expect(client.told).toEqual([true]);
    expect(() => streams.open('chat', aStream().stream)).toThrow('is not known');
    expect(feed.hearing).toBe(1);
  });

  it('queues nothing for a client that takes nothing: afterwards it hears the newest value', () => {
    const feed = aStubScaleFeed(on);
    const client = aStream();
    client.fill();
    new ActiveStreams(feed, 10).open('chat', client.stream);
    for (let i = 0; i < 100; i++) feed.say(i % 2 === 0 ? off : on);
    feed.say(off);
    expect(client.told).toEqual([true]);
    client.drain();
    expect(client.told).toEqual([true, false]);
  });

  it('is forgotten when its client goes, and ended when the server stops', () => {
    const feed = aStubScaleFeed(on);
    const streams = new ActiveStreams(feed, 10);
    const [first, second] = [aStream(), aStream()];
    streams.open('chat', first.stream);
    streams.open('chat', second.stream);
    first.leave();
    first.leave();
    expect([streams.size, feed.hearing]).toEqual([1, 1]);
    streams.stop();
    expect(second.told).toEqual([true, 'end']);
    expect([streams.size, feed.hearing]).toEqual([0, 0]);
  });

  it('is refused beyond the limit, and for a pool that there is not', () => {
    const streams = new ActiveStreams(aStubScaleFeed(on), 1);
    expect(() => streams.open('cha', aStream().stream)).toThrow("did you mean 'chat'?");
    streams.open('chat', aStream().stream);
    expect(() => streams.open('chat', aStream().stream)).toThrow('1 streams are open');
  });
});
