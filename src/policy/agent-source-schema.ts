// The schema of one entry of `signals` in agent.yaml: where the value comes from and how it is read.
import { z } from 'zod';
import { parseJsonPath } from '../protocol/json-path.ts';
import { parseSelector } from '../protocol/prometheus-text.ts';
import { httpUrl } from './agent-fields.ts';
import { duration, field, text } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

function readStatsdName(value: unknown): Reading<string> {
  if (typeof value === 'string' && /^[^\s:|@#]{1,200}$/.test(value)) return { value };
  return {
    message: `${showValue(value)} is not a name of a StatsD metric`,
    hint: 'what stands before the colon, without blanks and : | @ #',
  };
}

const url = httpUrl().describe(
  'What is asked, once per interval. A host that is not loopback must be in `sources.hosts`.',
);
const authorizationFile = text('path')
  .optional()
  .describe('File that holds the value of the header Authorization, relative to this file.');

const json = z
  .strictObject({
    url,
    path: field(readAsText(parseJsonPath), {
      type: 'string',
      examples: ['queue.delayMs', 'rooms[0].size'],
      unit: 'path',
    })
      .prefault('')
      .describe(
        'Where the number stands in the answer, such as `queue.delayMs`; left out, the answer is the number.',
      ),
    authorizationFile,
  })
  .optional()
  .describe('A number in a JSON document.');

const prometheus = z
  .strictObject({
    url,
    selector: field(readAsText(parseSelector), {
      type: 'string',
      examples: ['connections_open{listener="ws"}'],
      unit: 'selector',
    }).describe('Which series: a name, and labels in braces.'),
    combine: z
      .enum(['sum', 'max', 'mean'])
      .prefault('sum')
      .describe('What to do with several series that match.'),
    authorizationFile,
  })
  .optional()
  .describe('A series of a Prometheus page.');

const file = z
  .strictObject({
    path: text('path', 4096).describe('File that holds a number, relative to this file.'),
    maxAge: duration('1s', '168h')
      .optional()
      .describe('A file not written for this long says nothing; left out, any age will do.'),
  })
  .optional()
  .describe('A number in a file.');

const statsd = z
  .strictObject({
    name: field(readStatsdName, { type: 'string', examples: ['app.queue.delay'], unit: 'name' })
      .optional()
      .describe("Name of the metric as it comes over the wire; left out, the signal's own."),
    maxAge: duration('1s', '24h')
      .prefault('10s')
      .describe('A gauge that nobody has sent for this long says nothing.'),
  })
  .optional()
  .describe('What the application sends to `statsd.bind`.');

/** One entry of `signals`. */
export const agentSignalSchema = z
  .strictObject({
    json,
    prometheus,
    file,
    statsd,
    as: z
      .enum(['gauge', 'rate'])
      .prefault('gauge')
      .describe('`gauge`: the number as it is. `rate`: its growth per second, for counters.'),
    scale: z
      .number()
      .positive()
      .max(1e9)
      .prefault(1)
      .meta({ unit: 'number above 0, up to 1e9' })
      .describe(
        'The value is multiplied by this: 0.01 turns percent into parts, 1000 seconds into milliseconds.',
      ),
  })
  .check((context) => {
    const { json: a, prometheus: b, file: c, statsd: d } = context.value;
    const count = [a, b, c, d].filter((source) => source !== undefined).length;
    if (count === 1) return;
    const message = count === 0 ? 'has no source' : `has ${count} sources`;
    const params = { hint: 'write one of json, prometheus, file and statsd' };
    context.issues.push({ code: 'custom', input: context.value, message, params });
  })
  .describe('A signal that the application tells, by its name in the policy.');

function readAsText<T>(parse: (text: string) => Reading<T>) {
  return (value: unknown): Reading<T> =>
    typeof value === 'string' && value.length <= 4096
      ? parse(value)
      : { message: `${showValue(value)} is not text`, hint: 'put it in quotes' };
}
