// The schema of one entry of `webhooks` in herald.yaml. What is sent, and how it is tried again, is in
// balancer/scale-outputs.
import { z } from 'zod';
import { readHttpUrl } from './agent-fields.ts';
import { count, duration, field, list, name, text } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

function readWebhookUrl(value: unknown): Reading<string> {
  const hint = 'such as https://hooks.example.com/herald';
  if (typeof value === 'string' && URL.canParse(value)) {
    const { username, password } = new URL(value);
    if (username !== '' || password !== '')
      return {
        message: 'the URL holds a user or a password',
        hint: 'leave them out: the receiver knows Herald by the signature',
      };
  }
  const reading = readHttpUrl(value);
  return 'value' in reading ? reading : { message: reading.message, hint };
}

function readEventPattern(value: unknown): Reading<string> {
  if (typeof value === 'string' && /^(\*|[A-Za-z]{1,32}\.(\*|[A-Za-z]{1,32}))$/.test(value)) {
    if (!value.startsWith('webhook.')) return { value };
    return {
      message: `${value} is never sent to webhooks: one that fails would cause the next`,
      hint: 'remove it',
    };
  }
  return {
    message: `${showValue(value)} is not a type of event`,
    hint: 'such as scale.recommended, operation.* for all that begin so, or * for every one',
  };
}

/** What is wrong with the secret of a webhook, without showing it; undefined when nothing is. */
export function complainAboutWebhookSecret(secret: string): string | undefined {
  if (secret === '') return 'is empty';
  if (secret.length < 16) return 'is too short to be a secret: 16 characters or more';
  // Both sides must feed the same bytes to the HMAC: a blank at an end or a letter of two encodings breaks that.
  return /^[\x21-\x7e]+$/.test(secret) ? undefined : 'has blanks or characters outside ASCII';
}

function readSecret(value: unknown): Reading<string> {
  const message =
    typeof value === 'string' ? complainAboutWebhookSecret(value) : 'is not text: put it in quotes';
  if (typeof value === 'string' && message === undefined) return { value };
  return { message: message ?? '', hint: 'such as the output of openssl rand -hex 32' };
}

/** One entry of `webhooks`. */
export const webhookSchema = z
  .strictObject({
    name: name().describe('Name for logs, metrics and the API; unique.'),
    url: field(readWebhookUrl, {
      type: 'string',
      pattern: '^https?://',
      examples: ['https://hooks.example.com/herald'],
      unit: 'http or https URL',
    }).describe('Where events are posted to. Redirects are not followed.'),
    secretFile: text('path')
      .optional()
      .describe('File that holds the secret that events are signed with, relative to this file.'),
    secret: field(readSecret, { type: 'string', unit: 'text' })
      .optional()
      .describe('The secret itself, 16 characters or more; `secretFile` keeps it out of this file.'),
    formerSecretFile: text('path')
      .optional()
      .describe(
        'While a secret is being changed: the file of the old one. Events carry a signature of each.',
      ),
    pools: list(name(), 1, 256)
      .optional()
      .describe('Pools whose events are sent; left out, all of them and what concerns no pool.'),
    events: list(
      field(readEventPattern, {
        type: 'string',
        examples: ['scale.*', 'operation.ended', '*'],
        unit: 'type of event',
      }),
      1,
      64,
    )
      .prefault(['scale.*'])
      .describe('Types of events that are sent; `operation.*` is all that begin so.'),
    timeout: duration('100ms', '30s')
      .prefault('5s')
      .describe('The receiver must have answered within this; it should answer first and work then.'),
    attempts: count(1, 1000)
      .prefault(100)
      .describe('An event that was tried so often becomes a dead letter.'),
    maxAge: duration('1s', '24h')
      .prefault('1h')
      .describe('An event this old is tried once if it never was, and then becomes a dead letter.'),
    tls: z
      .strictObject({
        ca: text('path').describe(
          "PEM file of who signs the receiver's certificate, in place of the public ones; relative to this file.",
        ),
      })
      .optional()
      .describe('For receivers with certificates of your own.'),
  })
  .check((context) => {
    const { secretFile, secret } = context.value;
    if ((secretFile === undefined) !== (secret === undefined)) return;
    const params = { hint: 'write one of them' };
    context.issues.push({ code: 'custom', input: '', message: 'needs a secretFile or a secret', params });
  })
  .describe('Somebody who is told of events by a signed POST.');
