// How late and how busy the event loop of this thread is.
import type { Sensor } from './sensor.ts';

/** The part of `monitorEventLoopDelay()` that is used; times in nanoseconds. */
export interface DelayHistogram {
  readonly count: number;
  readonly mean: number;
  readonly max: number;
  enable(): boolean;
  disable(): boolean;
  reset(): void;
}

/** Share of the span since the last call in which the loop was busy, 0..1. */
export type UtilizationMeter = () => number;

/** A lag sensor also knows the worst delay of the last span. */
export interface LagSensor extends Sensor {
  /** Milliseconds, 0 before the first sample and when nothing was late. */
  readonly maxMs: () => number;
}

const nanosecondsPerMs = 1e6;

/**
 * `eventLoopLag`: mean delay in milliseconds. The histogram holds the whole time between two firings of its
 * timer, so the timer's resolution is subtracted (an idle loop measures 10.26 ms at 10). Percentiles are not
 * used: a blocked loop takes no samples, so one long stall is a single one among many good ones.
 */
export function createLagSensor(histogram: DelayHistogram, resolutionMs: number): LagSensor {
  let maxMs = 0;
  histogram.enable();
  return {
    measure() {
      const { count, mean, max } = histogram;
      histogram.reset();
      // No firing within the span: nothing is known, and the histogram's mean is NaN.
      if (count === 0) return {};
      maxMs = Math.max(0, max / nanosecondsPerMs - resolutionMs);
      return { eventLoopLag: Math.max(0, mean / nanosecondsPerMs - resolutionMs) };
    },
    stop: () => void histogram.disable(),
    maxMs: () => maxMs,
  };
}

/** `eventLoopUtilization`: busy share of the span. */
export function createUtilizationSensor(meter: UtilizationMeter): Sensor {
  return {
    measure: () => ({ eventLoopUtilization: meter() }),
    stop() {},
  };
}
