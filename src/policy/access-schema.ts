// The schemas of who may come in beside clients: tokens, TLS, and the listener of operators.
import { z } from 'zod';
import { address, field, list, name, text } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

/** Reads a secret; no complaint shows any of it. */
function readSecret(value: unknown): Reading<string> {
  const message = typeof value === 'string' ? complainAboutSecret(value) : 'is not text: put it in quotes';
  if (typeof value === 'string' && message === undefined) return { value };
  return { message: message ?? '', hint: 'such as the output of openssl rand -hex 32' };
}

/** What is wrong with a secret, without showing it; undefined when nothing is. */
export function complainAboutSecret(secret: string): string | undefined {
  if (secret.length < 16) return 'is too short to be a secret: 16 characters or more';
  // RFC 6750 section 2.1 allows these in a bearer token; others would not survive the header.
  return /^[\w.~+/-]+=*$/.test(secret) ? undefined : 'has characters that a bearer token cannot have';
}

/** One entry of `tokens`. */
export const tokenSchema = z
  .strictObject({
    name: name().describe('Name for logs and audit events; unique.'),
    role: z
      .enum(['report', 'read', 'operate'])
      .describe('`report` may report, `read` may see, `operate` may change.'),
    pools: list(name(), 1, 256)
      .optional()
      .describe('Pools that the token is good for; left out, all of them.'),
    tokenFile: text('path').optional().describe('File that holds the secret, relative to this file.'),
    token: field(readSecret, { type: 'string', unit: 'text' })
      .optional()
      .describe('The secret itself, 16 characters or more; `tokenFile` keeps it out of this file.'),
  })
  .check((context) => {
    const { tokenFile, token: secret } = context.value;
    if ((tokenFile === undefined) !== (secret === undefined)) return;
    const params = { hint: 'write one of them' };
    context.issues.push({ code: 'custom', input: '', message: 'needs a tokenFile or a token', params });
  });

/** TLS of a listener that is not for clients. */
export const tlsSchema = z.strictObject({
  cert: text('path').describe('PEM file of the certificate and those above it, relative to this file.'),
  key: text('path').describe('PEM file of its key, relative to this file.'),
  clientCa: text('path')
    .optional()
    .describe(
      'PEM file of who signs the certificates that clients must show; left out, they need none. A token is needed all the same.',
    ),
});

function readHostName(value: unknown): Reading<string> {
  const hint = 'a host name without port, such as herald.internal';
  if (typeof value !== 'string') return { message: `${showValue(value)} is not a host name`, hint };
  const isName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(value);
  return isName
    ? { value: value.toLowerCase() }
    : { message: `${showValue(value)} is not a host name`, hint };
}

/** `admin` */
export const adminSchema = z
  .strictObject({
    socket: text('path')
      .prefault('./run/herald.sock')
      .describe('UNIX socket for the CLI, relative to this file.'),
    bind: address(0)
      .optional()
      .describe('TCP address of the admin API; left out, it is on the socket only. Needs `tokens`.'),
    hosts: list(
      field(readHostName, { type: 'string', examples: ['herald.internal'], unit: 'host name' }),
      0,
      64,
    )
      .prefault([])
      .describe('Names that clients may call it by over TCP, beside the address that they connect to.'),
    tokens: list(tokenSchema, 0, 256)
      .prefault([])
      .describe('Who may ask over TCP: `read` or `operate`. Read again when the file changes.'),
    tls: tlsSchema
      .optional()
      .describe(
        'TLS of the admin API over TCP; needed unless `bind` is loopback. Read again when a file changes.',
      ),
  })
  .prefault({})
  .describe('Where operators come in.');
