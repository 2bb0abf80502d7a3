// The section of a policy for the active health check, whose keys depend on a choice, and paths.
import { z } from 'zod';
import { count, duration, field } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

function readPath(value: unknown): Reading<string> {
  if (typeof value === 'string' && /^\/[\x21-\x7E]{0,1023}$/.test(value)) return { value };
  return {
    message: `${showValue(value)} is not a path`,
    hint: 'it starts with / and has no spaces, such as /healthz',
  };
}

/** A path of an HTTP request: starts with `/`, printable ASCII. */
export function httpPath() {
  return field(readPath, { type: 'string', pattern: '^/', examples: ['/healthz'], unit: 'path' });
}

const checkObject = z
  .strictObject({
    kind: z
      .enum(['http', 'tcp', 'websocket', 'off'])
      .optional()
      .describe(
        '`http` expects an answer below 400 from `path`, `websocket` that `path` answers an upgrade with 101, `tcp` that the port takes a connection.',
      )
      .meta({ preset: '`http` with a path, else `tcp`' }),
    path: httpPath().optional().describe('Path asked for by `http` and `websocket`.'),
    interval: duration('100ms', '10m').prefault('5s').describe('Time between two checks of one node.'),
    timeout: duration('10ms', '1m')
      .prefault('2s')
      .describe('An answer later than this is a failure; at most `interval`.'),
    fall: count(1, 100).prefault(3).describe('Failures in a row before a node is down.'),
    rise: count(1, 100).prefault(2).describe('Successes in a row before it is up again.'),
  })
  .check((context) => {
    const { kind, path, interval, timeout } = context.value;
    const add = (key: string, message: string, hint: string): void => {
      context.issues.push({ code: 'custom', input: context.value, path: [key], message, params: { hint } });
    };
    const asksForPath = kind === 'http' || kind === 'websocket';
    if (asksForPath && path === undefined)
      add('path', 'is missing', `${kind} asks for a path, such as path: /healthz`);
    if (kind !== undefined && !asksForPath && path !== undefined)
      add('path', `has no use with ${kind}`, 'write kind: http');
    if (timeout > interval) add('timeout', 'is longer than interval', 'checks of one node would overlap');
  });

/** `health.check`: `tcp`, `off`, or a mapping. */
export const checkSchema = z
  .preprocess((value) => (value === 'tcp' || value === 'off' ? { kind: value } : value), checkObject)
  .prefault('tcp')
  .describe('Active check: `tcp`, `off`, or a mapping with the keys below.')
  .meta({ shorthand: ['tcp', 'off'] });
