// Resident memory of this process ÷ what it may use.
import type { AllowanceReader } from './allowance.ts';
import type { Sensor } from './sensor.ts';

/** `memory`: resident bytes ÷ allowed bytes. */
export function createMemorySensor(
  residentBytes: () => number,
  { allowance }: Pick<AllowanceReader, 'allowance'>,
): Sensor {
  return {
    measure: () => ({ memory: residentBytes() / allowance().memoryBytes }),
    stop() {},
  };
}
