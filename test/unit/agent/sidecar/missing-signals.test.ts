import { describe, expect, it } from 'vitest';
import { createMissingSignals } from '../../../../src/agent/sidecar/missing-signals.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function aLedger() {
  const clock = new ManualClock();
  const told: (string | undefined)[] = [];
  const missing = createMissingSignals(clock, (_, reason) => told.push(reason));
  /** One sample a second. */
  const samples = (count: number, reasonOf: (index: number) => string | undefined): void => {
    for (let index = 0; index < count; index += 1) {
      missing.note('cpu', reasonOf(index));
      clock.advance(1000);
    }
  };
  return { told, missing, samples };
}

describe('a missing signal', () => {
  it('is told once when it has been missing for two seconds, and once when it is back', () => {
    const { told, missing, samples } = aLedger();
    samples(2, () => 'gone');
    expect(told).toEqual([]);
    samples(40, () => 'gone');
    expect(told).toEqual(['gone']);
    expect([...missing.now]).toEqual([['cpu', 'gone']]);
    samples(40, () => undefined);
    expect(told).toEqual(['gone', undefined]);
    expect(missing.now.size).toBe(0);
  });

  it('that was never missing for long is never told of', () => {
    const { told, samples } = aLedger();
    samples(1000, (index) => (index % 2 === 0 ? 'gone' : undefined));
    expect(told).toEqual([]);
  });

  it('whose reason changes with every sample is told of twice a minute', () => {
    const { told, samples } = aLedger();
    samples(60, (index) => `status ${index}`);
    expect(told.length).toBeLessThanOrEqual(2);
  });
});
