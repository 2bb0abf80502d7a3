// All that a sidecar measures by one configuration, started and stopped as a whole.
import type { AgentConfig } from '../../policy/agent-config.ts';
import type { Sensor } from '../sensors/sensor.ts';
import type { Sources, SourcesParts } from '../sources/sources.ts';
import { createScopeSensors, type ScopeSensorParts } from './scope-sensors.ts';
import { createSourceSensor } from './source-sensor.ts';

/** What measuring needs from outside. */
export interface MeasuringParts extends Omit<ScopeSensorParts, 'config'> {
  /** Makes the sources; not called where the configuration names none, so that their code is not loaded. */
  readonly openSources: (parts: SourcesParts) => Promise<Sources>;
}

/** What measures now. */
export interface Measuring {
  readonly sensors: Readonly<Record<string, Sensor>>;
  /** Ends requests, sockets and timers. Idempotent. */
  stop(): Promise<void>;
}

/** Starts to measure. Rejects with HERALD_LISTEN_FAILED when StatsD's port is not to be had; nothing runs then. */
export async function startMeasuring(config: AgentConfig, parts: MeasuringParts): Promise<Measuring> {
  const { clock, note } = parts;
  if (config.sources.length === 0)
    return { sensors: createScopeSensors({ ...parts, config }), stop: async () => {} };
  const sources = await parts.openSources({ ...config, clock });
  const opened = await sources.open();
  for (const [, source] of opened) source.start();
  return {
    sensors: {
      ...createScopeSensors({ ...parts, config }),
      sources: createSourceSensor(opened, { clock, note }),
    },
    stop: () => sources.stop(),
  };
}

/** Measuring that can be replaced while an agent samples it. */
export class ReplaceableMeasuring implements Sensor {
  #current: Measuring;

  constructor(first: Measuring) {
    this.#current = first;
  }

  /** The values of all sensors. One that throws must not take the others with it, hence each by itself. */
  measure(elapsedMs: number): Readonly<Record<string, number>> {
    const values: Record<string, number> = {};
    for (const sensor of Object.values(this.#current.sensors))
      Object.assign(values, sensor.measure(elapsedMs));
    return values;
  }

  stop(): void {
    for (const sensor of Object.values(this.#current.sensors)) sensor.stop();
  }

  /** Measures by another from now on; the caller has stopped the one before. */
  replace(next: Measuring): void {
    this.#current = next;
  }
}
