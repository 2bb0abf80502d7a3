// Makes a sample from the sensors and the custom signals. When to sample and where to send is not its work.
import type { Clock } from '../core/clock.ts';
import { reportFields } from '../protocol/report-fields.ts';
import type { Report } from '../protocol/report.ts';
import { createMeasurements, type LeftOut, type MeasurementParts } from './measurements.ts';
import type { Traffic } from './observers/traffic.ts';

/** A report that does not know its age yet. */
export interface Sample {
  readonly report: Omit<Report, 'ageMs'>;
  /** The clock's `nowMs` when it was taken. */
  readonly takenAtMs: number;
}

/** Takes samples; `seq` rises with each. */
export interface Sampler {
  /** Begins the first span anew, so that it does not cover the time before the agent was started. */
  begin(): void;
  /** Measures the span since the last sample. */
  sample(): Sample;
  /** The last report: no signals, since nothing will be placed by them. */
  farewell(): Sample;
  /** By signal or sensor name; empty when everything could always be measured. */
  readonly leftOut: ReadonlyMap<string, LeftOut>;
  /** Ends the sensors. */
  stop(): void;
}

/** What a sampler is made of. */
export interface SamplerParts extends MeasurementParts {
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly identity: Pick<Report, 'pool' | 'node' | 'epoch' | 'capabilities'>;
}

/** Makes a sampler; its first span begins now. */
export function createSampler(parts: SamplerParts): Sampler {
  const { clock, traffic, identity } = parts;
  const { measure, discard, leftOut } = createMeasurements(parts);
  let seq = 0;
  let lastAtMs = clock.nowMs();

  function makeSample(spanMs: number, signals: Record<string, number>, leaving: boolean): Sample {
    const { min, max } = reportFields.intervalMs;
    const intervalMs = Math.round(Math.min(max, Math.max(min, spanMs)));
    const { connections } = traffic;
    return {
      takenAtMs: clock.nowMs(),
      report: { ...identity, seq: seq++, intervalMs, connections, signals, leaving },
    };
  }

  return {
    leftOut,
    begin() {
      discard(Math.max(1, clock.nowMs() - lastAtMs));
      lastAtMs = clock.nowMs();
    },
    sample() {
      const nowMs = clock.nowMs();
      // A timer can fire early by a fraction of a millisecond; a rate over no time at all is no rate.
      const elapsedMs = Math.max(1, nowMs - lastAtMs);
      lastAtMs = nowMs;
      return makeSample(elapsedMs, measure(elapsedMs), false);
    },
    farewell: () => makeSample(clock.nowMs() - lastAtMs, {}, true),
    stop() {
      for (const sensor of Object.values(parts.sensors)) sensor.stop();
    },
  };
}
