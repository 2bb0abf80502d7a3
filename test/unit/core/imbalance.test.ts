import { describe, expect, it, onTestFinished } from 'vitest';
import { imbalanceOf, type Imbalance } from '../../../src/core/imbalance.ts';
import { anIdentity } from '../../support/a-node.ts';
import { anOpenRoom } from '../../support/a-room.ts';

/** A pool whose nodes report these CPU fractions (full at 0.8); undefined: no report. */
function imbalance(cpus: readonly (number | undefined)[], maint: readonly string[] = []): Imbalance {
  const { registry, clock, report } = anOpenRoom();
  onTestFinished(() => registry.stop());
  cpus.forEach((cpu, index) => {
    const id = `n${index}`;
    registry.addStatic('chat', anIdentity(id));
    if (cpu !== undefined) report({ id, signals: { cpu } });
  });
  for (const id of maint) registry.setAdminState(id, 'maint');
  return imbalanceOf(registry.pool('chat').assessment(clock.nowMs()));
}

describe('imbalance', () => {
  it('is the highest utilization divided by the mean', () => {
    const { meanUtilization, ratio } = imbalance([0.2, 0.4, 0.6]);
    expect(meanUtilization).toBeCloseTo(0.5);
    expect(ratio).toBeCloseTo(1.5);
  });

  it('is 1 for one node and for equal nodes', () => {
    expect(imbalance([0.4]).ratio).toBe(1);
    expect(imbalance([0.4, 0.4]).ratio).toBe(1);
  });

  it('leaves out nodes that may take nothing, and nodes without data', () => {
    expect(imbalance([0.2, 0.8, undefined], ['n1'])).toEqual({ meanUtilization: 0.25, ratio: 1 });
  });

  it('is unknown without data, and has no ratio while everything is idle', () => {
    expect(imbalance([])).toEqual({ meanUtilization: undefined, ratio: undefined });
    expect(imbalance([undefined])).toEqual({ meanUtilization: undefined, ratio: undefined });
    expect(imbalance([0, 0])).toEqual({ meanUtilization: 0, ratio: undefined });
  });
});
