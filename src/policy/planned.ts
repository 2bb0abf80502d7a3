// Fields and keys that are planned: known, so that their errors can say so instead of naming a neighbour.
import { nearest } from '../core/nearest.ts';
import { field, notAvailable } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

/** A field that takes one of `known`; one of `planned` gets an error that says so. */
export function planned<const Known extends string>(known: readonly Known[], later: readonly string[]) {
  return field(
    (value): Reading<Known> => {
      const found = known.find((choice) => choice === value);
      if (found !== undefined) return { value: found };
      if (typeof value === 'string' && later.includes(value)) {
        return { message: `${value} is ${notAvailable.message}`, hint: `write ${known[0] ?? ''}` };
      }
      return {
        message: `${showValue(value)} is not ${known.join(' or ')}`,
        hint: typeof value === 'string' ? nearHint(value, known) : '',
      };
    },
    { type: 'string', enum: [...known], unit: known.join(', ') },
  );
}

function nearHint(value: string, known: readonly string[]): string {
  const near = nearest(value, known);
  return near === undefined ? '' : `did you mean ${near}?`;
}
