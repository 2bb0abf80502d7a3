// Asks the sensors and the custom signals, and keeps what cannot be measured out of the values.
import { isWithin, shown } from '../protocol/field-checks.ts';
import { reportFields } from '../protocol/report-fields.ts';
import { swallowRejection } from './event.ts';
import type { CustomSignal } from './options.ts';
import type { Sensor } from './sensors/sensor.ts';

/** How often a signal was left out, and why the last time. */
export interface LeftOut {
  readonly count: number;
  readonly reason: string;
}

/** What is measured. */
export interface MeasurementParts {
  readonly sensors: Readonly<Record<string, Sensor>>;
  readonly signals: readonly (readonly [name: string, measure: CustomSignal])[];
  /** Called when a signal is left out for the first time or for a new reason. */
  readonly onLeftOut: (signal: string, reason: string) => void;
}

/** Measures; never throws, whatever a callback does. */
export interface Measurements {
  /** Values by policy signal name for a span of `elapsedMs`, above 0. */
  readonly measure: (elapsedMs: number) => Readonly<Record<string, number>>;
  /** Ends a span whose values nobody wants; custom signals are not asked. */
  readonly discard: (elapsedMs: number) => void;
  /** By signal or sensor name; empty when everything could always be measured. */
  readonly leftOut: ReadonlyMap<string, LeftOut>;
}

/** Four decimals: a tenth of a per mille, and half the bytes of what a division leaves behind. */
const precision = 1e4;

/** Nothing left out yet. */
export function createMeasurements(parts: MeasurementParts): Measurements {
  const leftOut = new Map<string, LeftOut>();
  const sensors = Object.entries(parts.sensors);

  function leaveOut(signal: string, reason: string): void {
    const before = leftOut.get(signal);
    leftOut.set(signal, { count: (before?.count ?? 0) + 1, reason });
    if (before?.reason !== reason) parts.onLeftOut(signal, reason);
  }

  function measure(elapsedMs: number): Readonly<Record<string, number>> {
    const values: Record<string, number> = {};
    const take = (name: string, value: unknown) => {
      if (isWithin(value, reportFields.signal)) values[name] = Math.round(value * precision) / precision;
      else leaveOut(name, `is ${shown(value)}, not a number from 0 to ${reportFields.signal.max}`);
    };
    for (const [name, sensor] of sensors) {
      guarded(name, () => {
        for (const [signal, value] of Object.entries(sensor.measure(elapsedMs))) take(signal, value);
      });
    }
    for (const [name, callback] of parts.signals) {
      guarded(name, () => {
        const value: unknown = callback();
        swallowRejection(value);
        take(name, value);
      });
    }
    return Object.freeze(values);
  }

  function guarded(name: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      leaveOut(name, `threw ${shown(error instanceof Error ? error.message : error)}`);
    }
  }

  return {
    measure,
    leftOut,
    discard(elapsedMs) {
      for (const [name, sensor] of sensors) guarded(name, () => sensor.measure(elapsedMs));
    },
  };
}
