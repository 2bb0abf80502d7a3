// The schemas of signals: the unit of a built-in one is fixed, a custom one has a unit of its own.
import { z } from 'zod';
import { builtinSignals, type BuiltinSignalName } from '../core/signal.ts';
import { duration, field, orAuto, percentage } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

/** The set of a policy that names no signals. */
export const defaultSignals = {
  cpu: { saturation: '80%' },
  eventLoopUtilization: { saturation: '85%' },
  throughput: { saturation: 'auto' },
  eventLoopLag: { saturation: '50ms' },
} as const;

const fullAt = 'A node is full at this value.';

function builtin<T extends z.ZodType>(signal: BuiltinSignalName, saturation: T) {
  const { kind, meaning } = builtinSignals[signal];
  const words = kind === 'additive' ? 'Additive' : 'Distress';
  return z.strictObject({ saturation }).optional().describe(`${meaning} ${words}.`);
}

/** The signals that every agent knows. Each may be written as `{}` for its default saturation. */
export const builtinSignalSchemas = {
  cpu: builtin('cpu', percentage('1%', '100%').prefault(defaultSignals.cpu.saturation).describe(fullAt)),
  eventLoopUtilization: builtin(
    'eventLoopUtilization',
    percentage('1%', '100%').prefault(defaultSignals.eventLoopUtilization.saturation).describe(fullAt),
  ),
  throughput: builtin(
    'throughput',
    orAuto('rate', '0.1/s', '100000000/s')
      .prefault(defaultSignals.throughput.saturation)
      .describe(`${fullAt} \`auto\`: the rate at which another additive signal would be full, learned.`),
  ),
  eventLoopLag: builtin(
    'eventLoopLag',
    duration('1ms', '1m').prefault(defaultSignals.eventLoopLag.saturation).describe(fullAt),
  ),
  memory: builtin('memory', percentage('1%', '100%').prefault('90%').describe(fullAt)),
} as const satisfies Record<BuiltinSignalName, z.ZodType>;

// Far above any rate or count, far below where a quotient of two doubles loses its digits.
const largestSaturation = 1e12;

function readCustomSaturation(value: unknown): Reading<number> {
  if (typeof value === 'string' && /^\d/.test(value)) {
    const hint = `write ${parseFloat(value)}, in the unit that the signal is reported in`;
    return { message: `${showValue(value)} has a unit, and this signal is a custom one`, hint };
  }
  if (typeof value === 'number' && value > 0 && value <= largestSaturation) return { value };
  return { message: `${showValue(value)} is not a saturation`, hint: 'a number above 0, up to 1e12' };
}

/** A custom signal. */
export const customSignalSchema = z
  .strictObject({
    saturation: field(readCustomSaturation, {
      type: 'number',
      examples: [50],
      unit: "number above 0, in the signal's own unit",
    }).describe(fullAt),
    kind: z
      .enum(['distress', 'additive'])
      .optional()
      .describe('`additive`: adds up with connections. `distress`: tells that it hurts.')
      .meta({ preset: 'distress' }),
  })
  .describe('A signal that the application reports under this name.');
