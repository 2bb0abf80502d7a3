// The schemas of TLS for clients and to nodes, and of where a listener binds.
import { z } from 'zod';
import { readAddress, type Address } from './address.ts';
import { field, list, text } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

/** Where a listener binds, as written: an address, or the path of a UNIX socket. */
export type WrittenBind = Address | { readonly path: string };

const unixPrefix = 'unix:';

function readBind(value: unknown): Reading<WrittenBind> {
  if (typeof value !== 'string' || !value.startsWith(unixPrefix)) return readAddress(value, 0);
  const path = value.slice(unixPrefix.length);
  if (path === '' || path.endsWith('/') || path.includes('\0'))
    return { message: `${showValue(value)} names no socket`, hint: 'such as unix:/run/herald/public.sock' };
  return { value: { path } };
}

/** `bind` of a public listener. */
export function listenerBind() {
  return field(readBind, {
    type: 'string',
    pattern: String.raw`^(unix:.*[^/]|(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5})$`,
    examples: ['0.0.0.0:8080', '[::]:443', 'unix:/run/herald/public.sock'],
    unit: 'host:port, port 0 is chosen by the kernel; or unix:path',
  });
}

function readMode(value: unknown): Reading<number> {
  const hint = 'in quotes, such as "0660"';
  if (typeof value !== 'string' || !/^0?[0-7]{3}$/.test(value))
    return { message: `${showValue(value)} is no mode of a file`, hint };
  return { value: Number.parseInt(value, 8) };
}

/** `mode` of a UNIX socket. */
export function socketMode() {
  return field(readMode, {
    type: 'string',
    pattern: '^0?[0-7]{3}$',
    examples: ['0660', '0600'],
    unit: 'octal digits in quotes',
  });
}

const certificate = z.strictObject({
  cert: text('path').describe('PEM file of the certificate and those above it, relative to this file.'),
  key: text('path').describe('PEM file of its key, relative to this file.'),
});

/** A hint instead of silence where one key makes sense only beside another. */
function needs(message: string, hint: string) {
  return { code: 'custom', input: '', message, params: { hint } } as const;
}

/** `listeners[].tls` */
export const listenerTlsSchema = z
  .strictObject({
    certificates: list(certificate, 1, 1000).describe(
      'What is shown to clients: each to those that ask for one of its names, `*.example.com` included; the first to all others.',
    ),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).prefault('TLSv1.2').describe('Lowest version of TLS.'),
    clientCa: text('path')
      .optional()
      .describe('PEM file of who signs the certificates of clients; left out, they are not asked for one.'),
    clientCertificates: z
      .enum(['required', 'optional'])
      .optional()
      .describe(
        'With `clientCa`, `required` unless written: `optional` lets clients without a certificate in, but none with a wrong one.',
      ),
    ticketSecret: text('path')
      .optional()
      .describe(
        'File of the secret that session tickets are made with, relative to this file; made when it is not there. Left out, herald-tickets beside the admin socket; `off`: no tickets.',
      ),
  })
  .check((context) => {
    const { clientCa, clientCertificates } = context.value;
    if (clientCertificates !== undefined && clientCa === undefined)
      context.issues.push(needs('clientCertificates needs a clientCa', 'name who signs them'));
  });

function readServerName(value: unknown): Reading<string> {
  const isName = typeof value === 'string' && /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(value);
  if (isName) return { value: value.toLowerCase() };
  return {
    message: `${showValue(value)} is not a host name`,
    hint: 'such as nodes.internal, without a port',
  };
}

/** `pools.*.tls` */
export const poolTlsSchema = z
  .strictObject({
    ca: text('path')
      .optional()
      .describe(
        'PEM file of who signs the certificates of nodes, relative to this file; left out, whom the system trusts.',
      ),
    serverName: field(readServerName, { type: 'string', examples: ['nodes.internal'], unit: 'host name' })
      .optional()
      .describe('Name that nodes are asked for and that their certificates must have; left out, the host.'),
    verify: z
      .enum(['required', 'none'])
      .prefault('required')
      .describe('`none` believes any certificate: whoever stands in between can read everything.'),
    cert: text('path').optional().describe("PEM file of Herald's own certificate, where nodes ask for one."),
    key: text('path').optional().describe('PEM file of its key.'),
  })
  .check((context) => {
    const { cert, key, ca, verify } = context.value;
    if ((cert === undefined) !== (key === undefined))
      context.issues.push(needs('cert and key go together', 'write both or neither'));
    if (ca !== undefined && verify === 'none')
      context.issues.push(needs('ca is of no use where nothing is verified', 'leave one of the two out'));
  });
