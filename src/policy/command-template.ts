// Arguments of a driver's command with placeholders such as {pool}. No shell ever sees them: an argument stays one
// argument, whatever is put into it.
import { nameHint } from '../core/nearest.ts';
import type { Complaint } from './quantity.ts';

/** What may stand in braces. */
export const placeholders = [
  'id',
  'pool',
  'action',
  'desired',
  'current',
  'victim',
  'victims',
  'reason',
] as const;

/** A value for each placeholder. */
export type TemplateValues = Readonly<Record<(typeof placeholders)[number], string>>;

// Two braces on each side are one in the argument, so that '{{print}}' can be said.
const braced = /\{\{([a-z]+)\}\}|\{([a-z]+)\}/gi;

/** What is wrong with an argument; undefined when nothing is. */
export function complainAboutArgument(argument: string): Complaint | undefined {
  for (const [whole, , word] of argument.matchAll(braced)) {
    if (word === undefined || isPlaceholder(word)) continue;
    const hint = `${nameHint(word, placeholders)}; {${whole}} is ${whole} itself`;
    return { message: `${whole} is no placeholder`, hint };
  }
  return undefined;
}

/** Whether an argument holds a placeholder. */
export function hasPlaceholder(argument: string): boolean {
  return [...argument.matchAll(braced)].some(([, , word]) => word !== undefined);
}

/** The argument with the values in it. */
export function fillArgument(argument: string, values: TemplateValues): string {
  return argument.replaceAll(braced, (whole, literal: string | undefined, word: string | undefined) => {
    if (literal !== undefined) return `{${literal}}`;
    return word !== undefined && isPlaceholder(word) ? values[word] : whole;
  });
}

function isPlaceholder(word: string): word is (typeof placeholders)[number] {
  return placeholders.some((each) => each === word);
}
