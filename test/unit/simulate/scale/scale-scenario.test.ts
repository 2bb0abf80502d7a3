import { describe, expect, it } from 'vitest';
import { arrivalsPerSecond, clientsAt, costFactor } from '../../../../src/simulate/scale/curve.ts';
import { checkScaleScenario } from '../../../../src/simulate/scale/scale-scenario.ts';
import { scaleScenarioOf, scaleScenarios } from '../../../../src/simulate/scale/scale-scenarios.ts';
import { aScaleScenario } from './a-scale-scenario.ts';

const hourMs = 3_600_000;

describe('scale scenarios', () => {
  it('that are shipped can be', () => {
    for (const scenario of scaleScenarios) expect(checkScaleScenario(scenario)).toBe(scenario);
  });

  it('that cannot be are refused once, with every reason', () => {
    const impossible = aScaleScenario({
      curve: { kind: 'day', trough: 500, peak: 100, fromHour: 0, peakHour: 25 },
      pendingMs: 100_000,
      measuredFromMs: 0,
      holdMs: NaN,
      messageSigma: 2,
    });
    expect(() => checkScaleScenario(impossible)).toThrow(
      "scenario 'small' cannot be: curve.peak is 100, below the trough of 500; curve.peakHour is 25: 0 to 24; measuredFromMs is 0: 300000 to 5399000; pendingMs is 100000: 0 to 90000; holdMs is NaN: 1 to 200000000; messageSigma is 2: 0 to 1",
    );
  });

  it('are found by name, or what there is is said', () => {
    expect(scaleScenarioOf('leak').costGrowth).toBe(2.5);
    expect(() => scaleScenarioOf('flash')).toThrow("no scenario 'flash' (");
  });
});

describe('the curve of a day', () => {
  const day = scaleScenarioOf('day');

  it('goes from its trough at four to four times as much at sixteen', () => {
    expect(clientsAt(day, 4 * hourMs)).toBeCloseTo(1000, 6);
    expect(clientsAt(day, 16 * hourMs)).toBeCloseTo(4000, 6);
    expect(clientsAt(scaleScenarioOf('deploy'), 6 * hourMs)).toBeCloseTo(4000, 6);
  });

  it('is kept by as many arrivals as go and as are more', () => {
    let clients = clientsAt(day, day.scaledFromMs);
    for (let nowMs = day.scaledFromMs; nowMs < 12 * hourMs; nowMs += 1000)
      clients += arrivalsPerSecond(day, nowMs) - (clients * 1000) / day.holdMs;
    expect(clients / clientsAt(day, 12 * hourMs)).toBeCloseTo(1, 3);
  });
});

describe('a flash crowd', () => {
  it('brings nine more of each within its minute', () => {
    const flash = scaleScenarioOf('flash-crowd');
    let extra = 0;
    for (let nowMs = hourMs - 60_000; nowMs < hourMs + 120_000; nowMs += 1000)
      extra += arrivalsPerSecond(flash, nowMs) - (400 * 1000) / flash.holdMs;
    expect(extra).toBeCloseTo(9 * 400, 6);
  });
});

describe('a leak', () => {
  it('grows in a straight line to what the scenario says', () => {
    const leak = scaleScenarioOf('leak');
    expect(costFactor(leak, 0)).toBe(1);
    expect(costFactor(leak, leak.durationMs / 2)).toBeCloseTo(1.75, 9);
    expect(costFactor(leak, leak.durationMs)).toBe(2.5);
  });
});
