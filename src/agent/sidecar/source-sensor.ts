// The application's signals as a sensor: each source is read once per sample.
import type { Clock } from '../../core/clock.ts';
import type { NoteMissing } from '../sensors/read-file.ts';
import type { Sensor } from '../sensors/sensor.ts';
import type { Source } from '../sources/source.ts';

/** Reads the sources, which are started; a signal without a value is absent and its reason noted. */
export function createSourceSensor(
  sources: readonly (readonly [signal: string, source: Source])[],
  { clock, note }: { clock: Clock; note: NoteMissing },
): Sensor {
  return {
    measure() {
      const values: Record<string, number> = {};
      for (const [signal, source] of sources) {
        const reading = source.read(clock.nowMs());
        if ('value' in reading) values[signal] = reading.value;
        note(signal, 'missing' in reading ? reading.missing : undefined);
      }
      return values;
    },
    stop() {},
  };
}
