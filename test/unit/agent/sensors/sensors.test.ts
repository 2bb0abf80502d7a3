import { describe, expect, it } from 'vitest';
import { createTraffic } from '../../../../src/agent/observers/traffic.ts';
import { createAllowanceReader } from '../../../../src/agent/sensors/allowance.ts';
import { createCpuSensor } from '../../../../src/agent/sensors/cpu.ts';
import { createLagSensor, createUtilizationSensor } from '../../../../src/agent/sensors/event-loop.ts';
import { createMemorySensor } from '../../../../src/agent/sensors/memory.ts';
import { createThroughputSensor } from '../../../../src/agent/sensors/throughput.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const nowhere = { cpu: [], cpuacct: [], cpuset: [], memory: [] };

const aCpuSensor = (cpus: number) => {
  const state = {
    user: 1e6,
    system: 1e6,
    periods: undefined as { total: number; throttled: number } | undefined,
  };
  const sensor = createCpuSensor(() => ({ user: state.user, system: state.system }), {
    allowance: () => ({ cpus, memoryBytes: 1 }),
    cpuPeriods: () => state.periods,
  });
  return { state, sensor };
};

describe('cpu', () => {
  it('is the time used in the span ÷ what may be used', () => {
    const { state, sensor } = aCpuSensor(2);
    state.user += 600_000;
    state.system += 400_000;
    expect(sensor.measure(1000)).toEqual({ cpu: 0.5 });
    expect(sensor.measure(1000)).toEqual({ cpu: 0 });
  });

  it('exceeds 1 when more was used than the quota', () => {
    const { state, sensor } = aCpuSensor(0.5);
    state.user += 600_000;
    expect(sensor.measure(1000)).toEqual({ cpu: 1.2 });
  });

  it('is 1 when the container was throttled in every period, whoever used the quota up', () => {
    const { state, sensor } = aCpuSensor(2);
    state.periods = { total: 100, throttled: 90 };
    sensor.measure(1000);
    state.periods = { total: 110, throttled: 100 };
    expect(sensor.measure(1000)).toEqual({ cpu: 1 });
    expect(sensor.measure(1000)).toEqual({ cpu: 0 });
  });

  it('is not disturbed by counters that begin again', () => {
    const { state, sensor } = aCpuSensor(2);
    state.periods = { total: 100, throttled: 90 };
    sensor.measure(1000);
    state.periods = { total: 1, throttled: 1 };
    expect(sensor.measure(1000)).toEqual({ cpu: 0 });
  });
});

const aLagSensor = () => {
  const histogram = { count: 0, mean: Number.NaN, max: 0, enabled: false };
  const sensor = createLagSensor(
    Object.assign(histogram, {
      enable: () => (histogram.enabled = true),
      disable: () => !(histogram.enabled = false),
      reset: () => Object.assign(histogram, { count: 0, mean: Number.NaN, max: 0 }),
    }),
    20,
  );
  return { histogram, sensor };
};

describe('eventLoopLag', () => {
  it('is the mean without the resolution, and the worst is known as well', () => {
    const { histogram, sensor } = aLagSensor();
    Object.assign(histogram, { count: 40, mean: 23.5e6, max: 120e6 });
    expect(sensor.measure(1000)).toEqual({ eventLoopLag: 3.5 });
    expect(sensor.maxMs()).toBe(100);
  });

  it('is 0 when the timer fired a little early, and absent when it never fired', () => {
    const { histogram, sensor } = aLagSensor();
    Object.assign(histogram, { count: 50, mean: 19.9e6, max: 19.9e6 });
    expect(sensor.measure(1000)).toEqual({ eventLoopLag: 0 });
    expect(sensor.measure(1000)).toEqual({});
  });

  it('runs until it is stopped', () => {
    const { histogram, sensor } = aLagSensor();
    expect(histogram.enabled).toBe(true);
    sensor.stop();
    expect(histogram.enabled).toBe(false);
  });
});

it('eventLoopUtilization is what the meter says', () => {
  expect(createUtilizationSensor(() => 0.25).measure(1000)).toEqual({ eventLoopUtilization: 0.25 });
});

it('memory is resident ÷ allowed', () => {
  const sensor = createMemorySensor(() => 256, { allowance: () => ({ cpus: 1, memoryBytes: 1024 }) });
  expect(sensor.measure(1000)).toEqual({ memory: 0.25 });
});

describe('throughput', () => {
  it('is messages in and out per second since the last sample', () => {
    const traffic = createTraffic();
    const sensor = createThroughputSensor(traffic);
    traffic.servers = 1;
    traffic.messagesIn = 30;
    traffic.messagesOut = 20;
    expect(sensor.measure(500)).toEqual({ throughput: 100 });
    expect(sensor.measure(500)).toEqual({ throughput: 0 });
  });

  it('is absent while no server is observed', () => {
    expect(createThroughputSensor(createTraffic()).measure(1000)).toEqual({});
  });
});

describe('the allowance', () => {
  it('is what the machine has where no cgroup limits it', () => {
    const reader = createAllowanceReader(new ManualClock(), nowhere, () => ({ cpus: 4, memoryBytes: 100 }));
    expect(reader.allowance()).toEqual({ cpus: 4, memoryBytes: 100 });
    expect(reader.cpuPeriods()).toBeUndefined();
  });

  it('is read again after half a minute', () => {
    const clock = new ManualClock();
    let cpus = 4;
    const reader = createAllowanceReader(clock, nowhere, () => ({ cpus, memoryBytes: 100 }));
    cpus = 2;
    clock.advance(29_999);
    expect(reader.allowance().cpus).toBe(4);
    clock.advance(1);
    expect(reader.allowance().cpus).toBe(2);
  });
});
