import { describe, expect, it } from 'vitest';
import { StatsdSignal, type StatsdTraffic } from '../../../../src/agent/sources/statsd-signal.ts';
import { decodeStatsd } from '../../../../src/protocol/statsd.ts';

function aSignal(as: 'gauge' | 'rate', { scale = 1, maxAgeMs = 10_000 } = {}) {
  const traffic = { floodedAtMs: undefined as number | undefined, summary: () => 'got 3 datagrams' };
  const shared: StatsdTraffic = traffic;
  const signal = new StatsdSignal({ kind: 'statsd', name: 'x', as, scale, maxAgeMs }, shared);
  signal.begin(0);
  return {
    traffic,
    read: (nowMs: number) => signal.read(nowMs),
    get(line: string, nowMs: number) {
      const { samples, refused } = decodeStatsd(Buffer.from(line), () => true);
      for (const sample of samples) signal.add(sample, nowMs);
      for (const { reason } of refused) signal.refuse(reason);
    },
  };
}

const missing = (text: string) => ({ missing: expect.stringContaining(text) });

describe('a counter', () => {
  it('becomes its sum by the elapsed time, each span by itself', () => {
    const signal = aSignal('rate', { scale: 0.5 });
    signal.get('x:10|c\nx:2|c|@0.1', 100);
    expect(signal.read(2000)).toEqual({ value: 7.5 });
    expect(signal.read(3000)).toEqual({ value: 0 });
    signal.get('x:4|c', 3500);
    expect(signal.read(4000)).toEqual({ value: 2 });
  });

  it('read twice at one instant gives the same twice', () => {
    const signal = aSignal('rate');
    signal.get('x:10|c', 100);
    expect(signal.read(1000)).toEqual({ value: 10 });
    signal.get('x:5|c', 1000);
    expect(signal.read(1000)).toEqual({ value: 10 });
    expect(signal.read(500)).toEqual({ value: 10 });
    expect(signal.read(2000)).toEqual({ value: 5 });
  });

  it('that nobody has sent is missing, with what came instead', () => {
    expect(aSignal('rate').read(1000)).toEqual({
      missing: 'statsd metric x: nothing has come yet: got 3 datagrams',
    });
  });

  it('that is silent for too long is missing and not 0', () => {
    const signal = aSignal('rate');
    signal.get('x:1|c', 1000);
    expect(signal.read(11_000)).toEqual({ value: (1 / 11_000) * 1000 });
    expect(signal.read(11_001)).toEqual(missing('nothing of use has come for 10 s'));
  });

  it('that counts down is no rate', () => {
    const signal = aSignal('rate');
    signal.get('x:-5|c', 0);
    expect(signal.read(1000)).toEqual(missing('the value is -5'));
  });

  it('has no level', () => {
    const signal = aSignal('gauge');
    signal.get('x:1|c', 0);
    expect(signal.read(1000)).toEqual(missing('write `as: rate`'));
  });
});

describe('a gauge', () => {
  it('is its last value, changes included, until it is too old', () => {
    const signal = aSignal('gauge', { scale: 2 });
    signal.get('x:5|g\nx:+3|g\nx:-1|g', 1000);
    expect(signal.read(2000)).toEqual({ value: 14 });
    expect(signal.read(3000)).toEqual({ value: 14 });
    expect(signal.read(11_001)).toEqual(missing('nothing of use has come for 10 s'));
  });

  it('of which only changes have come is not known', () => {
    const signal = aSignal('gauge');
    signal.get('x:+3|g', 0);
    expect(signal.read(1000)).toEqual(missing('no whole value yet'));
  });

  it('below 0 is no signal', () => {
    const signal = aSignal('gauge');
    signal.get('x:1|g\nx:-3|g', 0);
    expect(signal.read(1000)).toEqual(missing('the value is -2'));
  });

  it('has no rate', () => {
    const signal = aSignal('rate');
    signal.get('x:1|g', 0);
    expect(signal.read(1000)).toEqual(missing('write `as: gauge`'));
  });

  it('that turns into a counter begins anew', () => {
    const signal = aSignal('rate');
    signal.get('x:500|g', 0);
    signal.get('x:2|c', 0);
    expect(signal.read(1000)).toEqual({ value: 2 });
  });
});

describe('a timer', () => {
  it('is its mean over the span, by sample rates, and the last mean while nothing comes', () => {
    const signal = aSignal('gauge');
    signal.get('x:10|ms|@0.5\nx:40|ms', 0);
    expect(signal.read(1000)).toEqual({ value: 20 });
    expect(signal.read(2000)).toEqual({ value: 20 });
    signal.get('x:1|h', 2500);
    expect(signal.read(3000)).toEqual({ value: 1 });
  });

  it('as a rate is how many came in a second', () => {
    const signal = aSignal('rate');
    signal.get('x:10|ms|@0.5\nx:40|d', 0);
    expect(signal.read(1000)).toEqual({ value: 3 });
  });
});

describe('a line of no use', () => {
  it('is the reason as long as no other has come', () => {
    const signal = aSignal('gauge');
    signal.get('x:a|s', 0);
    expect(signal.read(1000)).toEqual(missing('statsd metric x: it comes as a set (s)'));
    signal.get('x:1|g', 1500);
    expect(signal.read(2000)).toEqual({ value: 1 });
  });

  it('leaves the last value standing until that is too old, and is the reason then', () => {
    const signal = aSignal('gauge');
    signal.get('x:1|g', 0);
    signal.get('x:NaN|g', 500);
    expect(signal.read(1000)).toEqual({ value: 1 });
    expect(signal.read(10_001)).toEqual(missing('for 10 s: its value is not a number'));
  });
});

describe('a flood', () => {
  it('makes the spans that it touches missing, and the next ones count', () => {
    const signal = aSignal('rate');
    signal.get('x:7|c', 100);
    signal.traffic.floodedAtMs = 500;
    expect(signal.read(1000)).toEqual(
      missing('flooded, so this span says nothing (let the application sample'),
    );
    signal.get('x:7|c', 1500);
    expect(signal.read(2000)).toEqual({ value: 7 });
  });

  it('makes a gauge unknown until its next whole value, since changes may be lost', () => {
    const signal = aSignal('gauge');
    signal.get('x:5|g', 100);
    signal.traffic.floodedAtMs = 500;
    signal.read(1000);
    signal.get('x:+1|g', 1100);
    expect(signal.read(2000)).toEqual(missing('no whole value yet'));
    signal.get('x:6|g', 2100);
    expect(signal.read(3000)).toEqual({ value: 6 });
  });
});
