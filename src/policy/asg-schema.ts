// The schema of `asg`: which lifecycle hooks of AWS Auto Scaling are answered, and how. The route is POST /v1/hooks/asg.
import { z } from 'zod';
import { duration, field, list, text } from './field.ts';
import { nameHint } from '../core/nearest.ts';
import { showValue, type Reading } from './quantity.ts';

/** What may stand in braces in a command of `asg`. */
export const asgPlaceholders = ['instance', 'group', 'hook', 'token', 'region', 'account'] as const;

function readTemplate(value: unknown): Reading<string> {
  if (typeof value !== 'string' || value === '')
    return { message: `${showValue(value)} is not text`, hint: 'put it in quotes' };
  if (value.length > 1024) return { message: 'is too long', hint: 'at most 1024 characters' };
  for (const [, word = ''] of value.matchAll(/\{(\w+)\}/g)) {
    if (asgPlaceholders.some((known) => known === word)) continue;
    return { message: `{${word}} is no placeholder`, hint: nameHint(word, asgPlaceholders) };
  }
  return { value };
}

function readNodePattern(value: unknown): Reading<string> {
  const hint = "such as '{instance}', or '{instance}:*' for several nodes on one machine";
  const isPattern =
    typeof value === 'string' && /^[A-Za-z0-9._:-]*\{instance\}[A-Za-z0-9._:-]*\*?$/.test(value);
  return isPattern ? { value } : { message: `${showValue(value)} is not a pattern of node ids`, hint };
}

function readGroup(value: unknown): Reading<string> {
  if (typeof value === 'string' && /^[^*]{1,255}\*?$/.test(value) && !value.startsWith('-')) return { value };
  const hint = 'the name of a group; * at its end stands for the rest';
  return { message: `${showValue(value)} is not a name of a group`, hint };
}

function readUrl(value: unknown): Reading<string> {
  const hint = 'such as https://hooks.example.com/lifecycle';
  if (typeof value === 'string' && /^https?:\/\/[^\s/?#@]+(\/\S*)?$/.test(value) && URL.canParse(value))
    return { value };
  return { message: `${showValue(value)} is not an address of the web`, hint };
}

const call = z
  .strictObject({
    command: list(field(readTemplate, { type: 'string', unit: 'text' }), 1, 64)
      .optional()
      .describe(
        'Program and arguments, run without a shell. `{instance}`, `{group}`, `{hook}`, `{token}`, `{region}` and `{account}` are put in.',
      ),
    url: field(readUrl, { type: 'string', unit: 'URL' })
      .optional()
      .describe('Where the same is posted as JSON instead, signed like a webhook.'),
    secretFile: text('path')
      .optional()
      .describe('File with the secret that signs it, relative to this file; goes with `url`.'),
  })
  .check((context) => {
    const { command, url, secretFile } = context.value;
    const refuse = (message: string, hint: string) =>
      context.issues.push({ code: 'custom', input: '', message, params: { hint } });
    if ((command === undefined) === (url === undefined))
      refuse('needs a command or a url', 'write one of them');
    if ((url === undefined) !== (secretFile === undefined))
      refuse('url and secretFile go together', 'write both, or neither');
  });

/** `asg` */
export const asgSchema = z
  .strictObject({
    groups: list(
      field(readGroup, { type: 'string', examples: ['chat-nodes-*'], unit: 'name, * at the end' }),
      1,
      256,
    ).describe('Auto Scaling groups whose hooks are completed here; those of others are left alone.'),
    nodes: field(readNodePattern, {
      type: 'string',
      examples: ['{instance}', '{instance}:*'],
      unit: 'pattern of node ids',
    })
      .prefault('{instance}')
      .describe('Ids of the nodes on an instance. `*` at the end stands for the rest.'),
    timeout: duration('30s', '2h')
      .prefault('1h')
      .describe('The heartbeat timeout of the lifecycle hook, as it is set there.'),
    heartbeat: call
      .optional()
      .describe(
        'How AWS is told that the drain goes on, three times in each `timeout`. Left out, the drain ends before `timeout` does.',
      ),
    complete: call.describe('How AWS is told that the instance may go. Tried five times.'),
  })
  .optional()
  .describe('Lifecycle hooks of AWS Auto Scaling; left out, there are none.');
