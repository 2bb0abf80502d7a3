import { describe, expect, it } from 'vitest';
import { createOwnUtilization } from '../../../src/agent/own-utilization.ts';

/** Samples a second apart, the first one second after the start. */
function after(saturations: Record<string, number>, samples: readonly Record<string, number>[]): number {
  const own = createOwnUtilization(saturations, 0);
  for (const [index, signals] of samples.entries()) own.absorb(signals, (index + 1) * 1000);
  return own.value;
}

const many = <Value>(value: Value): Value[] => Array.from({ length: 30 }, () => value);

describe("a node's own utilization", () => {
  it('is 1 before anything is known', () => {
    expect(after({ cpu: 0.8 }, [])).toBe(1);
    expect(after({ cpu: 0.8 }, many({ memory: 0 }))).toBe(1);
  });

  it('follows the fullest of the signals that are named and measured', () => {
    const saturations = { cpu: 0.8, queueDelayMs: 50, throughput: 100 };
    expect(after(saturations, many({ cpu: 0.2, queueDelayMs: 20, memory: 1 }))).toBeCloseTo(0.4);
    expect(after(saturations, many({ cpu: 0.6, queueDelayMs: 20 }))).toBeCloseTo(0.75);
  });

  it('is not swung by one sample', () => {
    const odd = after({ cpu: 1 }, [...many({ cpu: 0.2 }), { cpu: 1 }]);
    expect(odd).toBeCloseTo(0.2 + 0.8 * (1 - Math.exp(-1)));
  });

  it('comes down as fast from far beyond full as from full', () => {
    const down = [{ cpu: 0 }, { cpu: 0 }];
    expect(after({ cpu: 1 }, [...many({ cpu: 1e12 }), ...down])).toBeCloseTo(
      after({ cpu: 1 }, [...many({ cpu: 1 }), ...down]),
    );
  });

  it('forgets nothing by a sample of the same instant', () => {
    const own = createOwnUtilization({ cpu: 1 }, 1000);
    own.absorb({ cpu: 0 }, 1000);
    own.absorb({ cpu: 0 }, 900);
    expect(own.value).toBe(1);
  });
});
