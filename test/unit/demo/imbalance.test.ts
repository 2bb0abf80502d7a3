import { describe, expect, it } from 'vitest';
import { imbalanceOf, meanImbalance, type DemoRow } from '../../../src/demo/imbalance.ts';

function aRow(utilizations: number[], counted = true): DemoRow {
  const nodes = utilizations.map((utilization, index) => ({ id: `n${index}`, utilization, connections: 1 }));
  return { seed: 1, rule: 'herald', second: 1, counted, nodes };
}

describe('imbalance', () => {
  it('is highest ÷ mean', () => {
    expect(imbalanceOf([{ utilization: 0.9 }, { utilization: 0.3 }, { utilization: 0.6 }])).toBeCloseTo(1.5);
    expect(imbalanceOf([{ utilization: 0.4 }, { utilization: 0.4 }])).toBe(1);
  });

  it('is not known for a fleet that does nothing, or for no fleet', () => {
    expect(imbalanceOf([{ utilization: 0 }, { utilization: 0 }])).toBeUndefined();
    expect(imbalanceOf([])).toBeUndefined();
  });

  it('averages over the seconds that count, leaving out warm-up and idle ones', () => {
    const rows = [aRow([1, 0], false), aRow([0.6, 0.6]), aRow([0.9, 0.3]), aRow([0, 0])];
    expect(meanImbalance(rows)).toBeCloseTo(1.25);
  });
});
