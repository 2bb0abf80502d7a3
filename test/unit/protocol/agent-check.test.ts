import { describe, expect, it } from 'vitest';
import { encodeAgentCheck, weightPercentOf } from '../../../src/protocol/agent-check.ts';

describe('the line for an agent-check', () => {
  // What a running HAProxy makes of these lines is in test/integration/agent/agent-check-haproxy.test.ts.
  it.each([
    [{ adminState: 'ready', weightPercent: 73 }, 'up ready 73%\n'],
    [{ adminState: 'ready', weightPercent: 50 }, 'up ready 50%\n'],
    [{ adminState: 'ready', weightPercent: 100 }, 'up ready 100%\n'],
    [{ adminState: 'ready', weightPercent: 1 }, 'up ready 1%\n'],
    [{ adminState: 'drain' }, 'up drain\n'],
    [{ adminState: 'maint' }, 'maint\n'],
  ] as const)('says %o in full', (answer, line) => {
    expect(encodeAgentCheck(answer)).toBe(line);
  });
});

describe('the weight', () => {
  it.each([
    [0, 100],
    [0.27, 73],
    [0.5, 50],
    [0.985, 2],
    [0.994, 1],
  ])('is the room that a utilization of %d leaves: %d %%', (utilization, percent) => {
    expect(weightPercentOf(utilization)).toBe(percent);
  });

  it('is never 0, which would end all traffic, and never above 100', () => {
    for (const full of [0.996, 1, 5, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(weightPercentOf(full)).toBe(1);
    }
    expect(weightPercentOf(-1)).toBe(100);
  });
});
