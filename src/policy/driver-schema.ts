// The schema of one entry of `drivers` in herald.yaml: what starts and stops nodes by the recommendation.
import { z } from 'zod';
import { complainAboutArgument, hasPlaceholder } from './command-template.ts';
import { duration, field, list, name } from './field.ts';
import { planned } from './planned.ts';
import { showValue, type Complaint, type Reading } from './quantity.ts';

const maxArgumentLength = 4096;

function readArgument(value: unknown): Reading<string> {
  if (typeof value !== 'string')
    return { message: `${showValue(value)} is not text`, hint: 'put it in quotes' };
  if (value.length > maxArgumentLength)
    return { message: 'is too long', hint: `at most ${maxArgumentLength} characters` };
  if (value.includes('\0')) return { message: 'has a zero byte', hint: 'no program can be given one' };
  return complainAboutArgument(value) ?? { value };
}

function readVariable(value: unknown): Reading<string> {
  if (typeof value !== 'string')
    return { message: `${showValue(value)} is not text`, hint: 'put it in quotes' };
  return value.includes('\0')
    ? { message: 'has a zero byte', hint: 'no program can be given one' }
    : { value };
}

const argument = field(readArgument, {
  type: 'string',
  examples: ['/usr/local/bin/scale', '--to={desired}'],
  unit: 'text',
});

/** One entry of `drivers`. */
export const driverSchema = z
  .strictObject({
    name: name().describe('Name for logs, events and metrics; unique.'),
    kind: planned(['exec'], []).prefault('exec').describe('`exec`: a command is run.'),
    pools: list(name(), 1, 256)
      .optional()
      .describe('Pools that it starts and stops nodes of; left out, all. A pool has one driver at most.'),
    command: list(argument, 1, 64).describe(
      'The program and its arguments; no shell. A path with a slash is relative to this file, a bare name is looked up in PATH. Arguments may hold {pool} {desired} {current} {action} {victim} {victims} {reason} {id}.',
    ),
    timeout: duration('1s', '100s')
      .prefault('60s')
      .describe('A command that runs longer is ended, with all that it started.'),
    env: z
      .record(z.string(), field(readVariable, { type: 'string', unit: 'text' }).describe('Its value.'))
      .prefault({})
      .describe('Variables for the command beside those of Herald itself.'),
  })
  .check((context) => {
    const { command, env } = context.value;
    const refuse = (path: (string | number)[], fault: Complaint | undefined) => {
      if (fault === undefined) return;
      const { message, hint } = fault;
      context.issues.push({ code: 'custom', input: '', path, message, params: { hint } });
    };
    // A list of at least one: '' does not happen where the schema holds.
    refuse(['command', 0], faultOfProgram(command[0] ?? ''));
    for (const variable of Object.keys(env)) refuse(['env', variable], faultOfVariable(variable));
  })
  .describe('What starts and stops nodes.');

function faultOfVariable(variable: string): Complaint | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(variable))
    return { message: 'is not a name of a variable', hint: 'letters, digits and _, no digit first' };
  if (variable.startsWith('HERALD_SCALE_'))
    return { message: 'is set by Herald itself', hint: 'choose another name' };
  return undefined;
}

function faultOfProgram(program: string): Complaint | undefined {
  if (program.trim() === '') return { message: 'is empty', hint: 'name the program to run' };
  if (hasPlaceholder(program))
    return { message: 'a program cannot hold a placeholder', hint: 'put it into the arguments' };
  return undefined;
}
