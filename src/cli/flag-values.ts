// Values of flags that several commands take, read and refused alike.
import { InvalidArgumentError } from 'commander';
import { HeraldError } from '../core/error.ts';
import { readQuantity, type UnitName } from '../policy/quantity.ts';

const longestMs = 7 * 24 * 3_600_000;
const fastestPerSecond = 1_000_000;
const longestWhy = 200;

/** What flags and arguments cannot mean together; the command ends with 2. */
export function usageError(message: string): HeraldError {
  return new HeraldError('HERALD_USAGE', message);
}

/** `10m` in milliseconds: more than nothing, a week at most. */
export function deadlineFlag(text: string): number {
  const value = quantity('duration', text, { min: 0, max: longestMs });
  if (value > 0) return value;
  throw new InvalidArgumentError('a deadline lies ahead, such as 10m.');
}

/** `20/s` in connections per second: more than none. */
export function rateFlag(text: string): number {
  const value = quantity('rate', text, { min: 0, max: fastestPerSecond });
  if (value > 0) return value;
  throw new InvalidArgumentError('nothing would move at this rate: write such as 20/s.');
}

/** A reason for the audit event: one line of at most 200 characters. */
export function whyFlag(text: string): string {
  if (text.length > longestWhy)
    throw new InvalidArgumentError(`it has ${text.length} characters, ${longestWhy} at most are kept.`);
  if (/[\r\n]/.test(text)) throw new InvalidArgumentError('it has more than one line.');
  return text;
}

function quantity(unit: UnitName, text: string, bounds: { min: number; max: number }): number {
  // A number is told that its unit is missing, and which there are.
  const reading = readQuantity(unit, /^\d+(\.\d+)?$/.test(text) ? Number(text) : text, bounds);
  if ('value' in reading) return reading.value;
  const { message, hint } = reading;
  throw new InvalidArgumentError(hint === '' ? `${message}.` : `${message} (${hint}).`);
}
