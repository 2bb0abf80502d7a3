import { describe, expect, it } from 'vitest';
import { lingerClose } from '../../../../src/balancer/proxy/linger.ts';
import { Open } from '../../../../src/balancer/proxy/open.ts';
import { FakeWire } from '../../../support/fake-wire.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function aLinger(limitMs?: number) {
  const clock = new ManualClock();
  const open = new Open();
  const wire = new FakeWire();
  lingerClose(wire, { clock, open }, limitMs);
  return { clock, open, wire };
}

describe('lingering', () => {
  it('ends our half, discards what comes, and closes when the client has ended', () => {
    const { clock, open, wire } = aLinger();
    expect([wire.isEnded, wire.isReading, wire.isClosed]).toEqual([true, true, false]);
    wire.hear('late');
    wire.reader.ended();
    expect([wire.isClosed, open.size, clock.pending]).toEqual([true, 0, 0]);
  });

  it('closes after two seconds, or after the limit given', () => {
    for (const [given, limitMs] of [
      [undefined, 2_000],
      [9_000, 9_000],
    ] as const) {
      const { clock, open, wire } = aLinger(given);
      clock.advance(limitMs - 1);
      expect(wire.isClosed).toBe(false);
      clock.advance(1);
      expect([wire.isClosed, open.size]).toEqual([true, 0]);
    }
  });

  it('leaves a closed wire alone', () => {
    const clock = new ManualClock();
    const open = new Open();
    const wire = new FakeWire();
    wire.destroy();
    lingerClose(wire, { clock, open });
    expect([wire.isEnded, open.size, clock.pending]).toEqual([false, 0, 0]);
  });

  it('ends with its listener', () => {
    const { clock, open, wire } = aLinger();
    open.destroyAll();
    expect([wire.isClosed, clock.pending]).toEqual([true, 0]);
  });
});
