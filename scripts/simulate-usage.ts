// What the modes of `npm run simulate` make of what was typed.
import { HeraldError } from '../src/core/error.ts';

/** What `parse` answers; HERALD_USAGE with its complaint and where help is. */
export function readTyped<Parsed>(parse: () => Parsed, help: string): Parsed {
  try {
    return parse();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new HeraldError('HERALD_USAGE', `${message}; see ${help}`, {}, { cause: error });
  }
}

/** A whole number of this range; HERALD_USAGE for anything else. */
export function readWhole(option: string, typed: string, { from, to }: { from: number; to: number }): number {
  const value = Number(typed);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new HeraldError('HERALD_USAGE', `${option} ${typed}: a whole number, ${from} to ${to}`);
}

/** How many seeds a run may take. */
export const seedRange = { from: 1, to: 100 };
